"""File types recognised by their first bytes, which no text and no JSON begins with."""

import re

from conveyor.file_types.known_types import PREPARE, RECIPES, ROW_ADVICE, FileType
from conveyor.jsonl.gzip_stream import MAGIC, MOST_LAYERS

_PACKED = "unpack it; gzip is the only compression supported"
_ZIP = FileType("file-is-zip", "a ZIP archive", _PACKED, tool="unzip -p {file}")
_MACOS_FOLDER = "__MACOSX/"
"""The folder that macOS adds to an archive for resource forks."""
_ZIP_OF_MACOS = _ZIP._replace(tool=f"unzip -p {{file}} -x '{_MACOS_FOLDER}*'")
_ZIP_WITHOUT_LIST = _ZIP_OF_MACOS._replace(advice=f'{_PACKED}; ignore "filename not matched" if unzip prints it')
_SHEET = FileType(
    "file-is-spreadsheet",
    "a spreadsheet",
    f"save the sheet as CSV in UTF-8; {ROW_ADVICE}",
    has_recipe=True,
)
_WORKBOOK = _SHEET._replace(prepare=PREPARE)
_DOCUMENT = FileType(
    "file-is-office-document", "an office document", f"save it as text or CSV; {RECIPES}", has_recipe=True
)
_OFFICE: tuple[tuple[re.Pattern[bytes], FileType], ...] = (
    (
        re.compile(rb"xl/(?:workbook|styles|worksheets/sheet\w*)\.bin|opendocument\.spreadsheet|Index/Document\.iwa"),
        _SHEET,
    ),
    (re.compile(rb"xl/(?:workbook|work|style|theme|shared|_rels)"), _WORKBOOK),
    (re.compile(rb"(?:word|ppt)/(?:document|presentation|style|theme|_rels)|opendocument\."), _DOCUMENT),
)
"""By the names of the archive's first members."""
_SIGNATURES: tuple[tuple[re.Pattern[bytes], FileType], ...] = (
    (
        re.compile(re.escape(MAGIC)),
        FileType("file-is-gzip", f"packed with gzip more than {MOST_LAYERS} times", "unpack it", "gzip -dc"),
    ),
    (re.compile(rb"\(\xb5/\xfd"), FileType("file-is-zstd", "packed with zstd", _PACKED, "zstd -dc")),
    (re.compile(rb"BZh[1-9]1AY&SY"), FileType("file-is-bzip2", "packed with bzip2", _PACKED, "bzip2 -dc")),
    (re.compile(rb"\xfd7zXZ\0"), FileType("file-is-xz", "packed with xz", _PACKED, "xz -dc")),
    (re.compile(rb"\x04\x22\x4d\x18"), FileType("file-is-lz4", "packed with lz4", _PACKED, "lz4 -dc")),
    (re.compile(rb"7z\xbc\xaf\x27\x1c"), FileType("file-is-7z", "a 7z archive", _PACKED, tool="7z e -so {file}")),
    (re.compile(rb"Rar!\x1a\x07"), FileType("file-is-rar", "a RAR archive", _PACKED, tool="unrar p -inul {file}")),
    (
        re.compile(rb"PAR1[\0-\x1f]"),
        FileType("file-is-parquet", "a Parquet file", ROW_ADVICE, has_recipe=True, prepare=PREPARE),
    ),
    (re.compile(rb"ARROW1\0|FEA1"), FileType("file-is-arrow", "an Arrow file", ROW_ADVICE, has_recipe=True)),
    (re.compile(rb"Obj\x01"), FileType("file-is-avro", "an Avro file", ROW_ADVICE, has_recipe=True)),
    (re.compile(rb"ORC[\0-\x1f\x80-\xff]"), FileType("file-is-orc", "an ORC file", ROW_ADVICE, has_recipe=True)),
    (re.compile(rb"SQLite format 3\0"), FileType("file-is-sqlite", "an SQLite database", ROW_ADVICE, has_recipe=True)),
    (
        re.compile(rb"%PDF-"),
        FileType("file-is-pdf", "a PDF", "a drop must be lines of JSON; put the PDF into a request as a document"),
    ),
    (re.compile(rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), _DOCUMENT),
    (
        re.compile(rb"\{\\rtf"),
        FileType(
            "file-is-rtf", "rich text (RTF)", "save it as plain text", tool="textutil -convert txt -stdout {file}"
        ),
    ),
    (
        re.compile(rb"version https://git-lfs\.github\.com/spec/"),
        FileType(
            "file-is-lfs-pointer",
            "a Git LFS pointer",
            "the file itself was not fetched",
            converts_in_place=True,
            tool="git lfs pull",
        ),
    ),
    (
        re.compile(rb"(?:[./]+git)?/annex/objects/"),
        FileType(
            "file-is-annex-pointer",
            "a git-annex pointer",
            "the file itself was not fetched",
            tool="git annex get {file}",
            converts_in_place=True,
        ),
    ),
    (re.compile(rb"-----BEGIN PGP"), FileType("file-is-encrypted", "encrypted (PGP)", "decrypt it", "gpg --decrypt")),
    (
        re.compile(rb"age-encryption\.org/|-----BEGIN AGE"),
        FileType("file-is-encrypted", "encrypted (age)", "decrypt it", "age --decrypt"),
    ),
)
_TAR = FileType("file-is-tar", "a tar archive", _PACKED, "tar -xOf -")


def _type_of_zip(data: bytes) -> FileType:
    """Look for the macOS folder. A ZIP archive lists its members at its end, which may not have been read."""
    if _MACOS_FOLDER.encode() in data:
        return _ZIP_OF_MACOS
    return _ZIP if b"PK\x05\x06" in data else _ZIP_WITHOUT_LIST


def type_by_signature(data: bytes) -> FileType | None:
    """Return the type of a file by its first bytes, or None if they tell nothing."""
    for signature, file_type in _SIGNATURES:
        if signature.match(data):
            return file_type
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return next((file_type for names, file_type in _OFFICE if names.search(data)), None) or _type_of_zip(data)
    return _TAR if data[257:265].startswith((b"ustar\0", b"ustar  \0")) else type_by_encoding(data)


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


def type_by_encoding(data: bytes) -> FileType | None:
    """Return the type of text in UTF-16 or UTF-32, with or without a byte order mark; None for anything else."""
    marked = next((name for mark, name in _MARKS if data.startswith(mark)), None)
    encoding = marked or next((name for pattern, name in _UNMARKED if pattern.match(data)), None)
    if encoding is None:
        return None
    name, of_windows = encoding[: len("UTF-16")], _POWERSHELL.get(encoding, "UTF32")
    return FileType(
        f"file-is-{name.lower().replace('-', '')}",
        f'encoded in {name} (Windows PowerShell\'s > and the option "Unicode" of other programs write this)',
        "save it as UTF-8",
        f"iconv -f {encoding} -t UTF-8",
        powershell=f"Get-Content {{file}} -Encoding {of_windows} | Set-Content {{output}} -Encoding utf8",
    )
