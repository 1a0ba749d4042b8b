"""Kinds of files that their first bytes tell, none of which any text begins with, or any JSON."""

import re

from conveyor.file_types.known_types import A_ROW, RECIPES, Kind
from conveyor.jsonl.gzip_stream import MAGIC, MOST_LAYERS

_PACKED = "unpack it; of all packed files only gzip is taken"
_ZIP = Kind("file-is-zip", "a ZIP archive", _PACKED, tool="unzip -p {file}")
_MAC = "__MACOSX/"
"""The folder that a Mac adds to an archive, for what other systems have no place for."""
_ZIP_OF_MAC = _ZIP._replace(tool=f"unzip -p {{file}} -x '{_MAC}*'")
_ZIP_UNSEEN = _ZIP_OF_MAC._replace(advice=f'{_PACKED}; "filename not matched", which unzip may say, is no error')
_SHEET = Kind("file-is-spreadsheet", "a spreadsheet", f"save the sheet as CSV in UTF-8; {A_ROW}", has_recipe=True)
_DOCUMENT = Kind(
    "file-is-office-document", "a document of an office program", f"save it as text or CSV; {RECIPES}", has_recipe=True
)
_OFFICE: tuple[tuple[re.Pattern[bytes], Kind], ...] = (
    (
        re.compile(rb"xl/(?:workbook|work|style|theme|shared|_rels)|opendocument\.spreadsheet|Index/Document\.iwa"),
        _SHEET,
    ),
    (re.compile(rb"(?:word|ppt)/(?:document|presentation|style|theme|_rels)|opendocument\."), _DOCUMENT),
)
"""By the names of the first members of a ZIP archive."""
_SIGNATURES: tuple[tuple[re.Pattern[bytes], Kind], ...] = (
    (
        re.compile(re.escape(MAGIC)),
        Kind("file-is-gzip", f"packed with gzip more than {MOST_LAYERS} times", "unpack it", "gzip -dc"),
    ),
    (re.compile(rb"\(\xb5/\xfd"), Kind("file-is-zstd", "packed with zstd", _PACKED, "zstd -dc")),
    (re.compile(rb"BZh[1-9]1AY&SY"), Kind("file-is-bzip2", "packed with bzip2", _PACKED, "bzip2 -dc")),
    (re.compile(rb"\xfd7zXZ\0"), Kind("file-is-xz", "packed with xz", _PACKED, "xz -dc")),
    (re.compile(rb"\x04\x22\x4d\x18"), Kind("file-is-lz4", "packed with lz4", _PACKED, "lz4 -dc")),
    (re.compile(rb"7z\xbc\xaf\x27\x1c"), Kind("file-is-7z", "a 7z archive", _PACKED, tool="7z e -so {file}")),
    (re.compile(rb"Rar!\x1a\x07"), Kind("file-is-rar", "a RAR archive", _PACKED, tool="unrar p -inul {file}")),
    (re.compile(rb"PAR1[\0-\x1f]"), Kind("file-is-parquet", "a Parquet file", A_ROW, has_recipe=True)),
    (re.compile(rb"ARROW1\0|FEA1"), Kind("file-is-arrow", "an Arrow file", A_ROW, has_recipe=True)),
    (re.compile(rb"Obj\x01"), Kind("file-is-avro", "an Avro file", A_ROW, has_recipe=True)),
    (re.compile(rb"ORC[\0-\x1f\x80-\xff]"), Kind("file-is-orc", "an ORC file", A_ROW, has_recipe=True)),
    (re.compile(rb"SQLite format 3\0"), Kind("file-is-sqlite", "an SQLite database", A_ROW, has_recipe=True)),
    (
        re.compile(rb"%PDF-"),
        Kind("file-is-pdf", "a PDF", "a drop is lines of JSON; a PDF goes into a request, as a document"),
    ),
    (re.compile(rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), _DOCUMENT),
    (
        re.compile(rb"\{\\rtf"),
        Kind("file-is-rtf", "rich text (RTF)", "save it as plain text", tool="textutil -convert txt -stdout {file}"),
    ),
    (
        re.compile(rb"version https://git-lfs\.github\.com/spec/"),
        Kind(
            "file-is-lfs-pointer",
            "a pointer of Git LFS",
            "the file itself was not fetched",
            is_mended_in_place=True,
            tool="git lfs pull",
        ),
    ),
    (
        re.compile(rb"(?:[./]+git)?/annex/objects/"),
        Kind(
            "file-is-annex-pointer",
            "a pointer of git-annex",
            "the file itself was not fetched",
            tool="git annex get {file}",
            is_mended_in_place=True,
        ),
    ),
    (re.compile(rb"-----BEGIN PGP"), Kind("file-is-encrypted", "encrypted (PGP)", "decrypt it", "gpg --decrypt")),
    (
        re.compile(rb"age-encryption\.org/|-----BEGIN AGE"),
        Kind("file-is-encrypted", "encrypted (age)", "decrypt it", "age --decrypt"),
    ),
)
_TAR = Kind("file-is-tar", "a tar archive", _PACKED, "tar -xOf -")


def _kind_of_zip(data: bytes) -> Kind:
    """Look for the folder of a Mac: an archive lists its members at its end, which may be far away."""
    if _MAC.encode() in data:
        return _ZIP_OF_MAC
    return _ZIP if b"PK\x05\x06" in data else _ZIP_UNSEEN


def kind_by_signature(data: bytes) -> Kind | None:
    """Return what the first bytes of a file say that it is."""
    for signature, kind in _SIGNATURES:
        if signature.match(data):
            return kind
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return next((kind for names, kind in _OFFICE if names.search(data)), None) or _kind_of_zip(data)
    return _TAR if data[257:265].startswith((b"ustar\0", b"ustar  \0")) else kind_by_encoding(data)


_MARKS: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xfe\0\0", "UTF-32"), (b"\0\0\xfe\xff", "UTF-32"), (b"\xff\xfe", "UTF-16"), (b"\xfe\xff", "UTF-16"),
)  # fmt: skip
_PLAIN = rb"[\t\n\r -~]"
_UNMARKED: tuple[tuple[re.Pattern[bytes], str], ...] = (
    (re.compile(rb"(?:%b\0\0\0){2}" % _PLAIN), "UTF-32LE"),
    (re.compile(rb"(?:\0\0\0%b){2}" % _PLAIN), "UTF-32BE"),
    (re.compile(rb"(?:%b\0){4}" % _PLAIN), "UTF-16LE"),
    (re.compile(rb"(?:\0%b){4}" % _PLAIN), "UTF-16BE"),
)
_POWERSHELL = {"UTF-16": "Unicode", "UTF-16LE": "Unicode", "UTF-16BE": "BigEndianUnicode"}


def kind_by_encoding(data: bytes) -> Kind | None:
    """Return whether bytes are UTF-16 or UTF-32, with a byte order mark or without."""
    marked = next((name for mark, name in _MARKS if data.startswith(mark)), None)
    encoding = marked or next((name for pattern, name in _UNMARKED if pattern.match(data)), None)
    if encoding is None:
        return None
    name, of_windows = encoding[: len("UTF-16")], _POWERSHELL.get(encoding, "UTF32")
    return Kind(
        f"file-is-{name.lower().replace('-', '')}",
        f'encoded in {name}, as Windows PowerShell\'s > and "Unicode" in other programs write it',
        "save it as UTF-8",
        f"iconv -f {encoding} -t UTF-8",
        powershell=f"Get-Content {{file}} -Encoding {of_windows} | Set-Content {{made}} -Encoding utf8",
    )
