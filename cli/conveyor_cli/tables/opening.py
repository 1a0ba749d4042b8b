"""Find out by its content what a file is, and open it as a table."""

import zipfile
from pathlib import Path
from shlex import quote

from conveyor.domain.drop import stem
from conveyor.file_types.detect import Beginning, type_of_file
from conveyor.file_types.known_types import FileType
from conveyor.file_types.signatures import type_by_encoding, type_by_signature
from conveyor.wording.text import sentence
from conveyor_cli.exits import Exit
from conveyor_cli.tables.folder import media_of, read_folder
from conveyor_cli.tables.header import empty
from conveyor_cli.tables.records import read_records
from conveyor_cli.tables.separated import read_separated
from conveyor_cli.tables.source import UTF8, Source, encoding_of
from conveyor_cli.tables.table import Reading, Table
from conveyor_cli.tables.values import decode_object
from conveyor_cli.trouble import Trouble

_NO_TABLE = frozenset({"file-is-web-page", "file-is-xml", "file-is-error", "file-is-python", "file-is-json-sequence"})
"""Texts that are no table, however they are cut."""
_ZIP = b"PK\x03\x04"
_OFFICE = (
    ("xl/workbook.bin", "a binary workbook (.xlsb)", "Save it as .xlsx, or as CSV in UTF-8."),
    ("Index/Document.iwa", "a document of Numbers, Pages or Keynote", "Export it as .xlsx, or as CSV in UTF-8."),
    ("content.xml", "an OpenDocument file", "Save it as .xlsx, or as CSV in UTF-8."),
    ("word/document.xml", "a Word document", "Save it as plain text into a folder, and prepare the folder."),
    ("ppt/presentation.xml", "a presentation", "Save it as PDF into a folder, and prepare the folder."),
)
"""A member of the archive, what the archive is, and what to do."""
_OLD_OFFICE = "a file of an old Office program, or an encrypted one"


def open_table(path: Path, reading: Reading) -> Table:
    """Open a file or a folder. Raises Trouble if no table can be read from it."""
    if path.is_dir():
        return read_folder(path, reading.besides)
    source = Source.of(path)
    start = source.beginning()
    if not start.strip():
        raise empty(source.name, "is empty")
    if start.startswith((b"PAR1", _ZIP)):
        return _open_binary(source, reading, start)
    if media_of(start):
        raise _no_table(source, "one PDF or image", "Put the files into a folder, and prepare the folder.")
    found = type_by_signature(start)
    if found and not type_by_encoding(start):
        raise _of_type(source, found)
    return _open_text(source, reading, start)


def _open_binary(source: Source, reading: Reading, start: bytes) -> Table:
    """Open Parquet or a workbook. These modules load libraries that others do without."""
    if source.is_packed:
        message = "a table that is packed with gzip again"
        raise _no_table(source, message, "Unpack it.", f"gunzip {quote(str(source.path))}")
    if start.startswith(b"PAR1"):
        from conveyor_cli.tables.duck import read_parquet  # noqa: PLC0415

        return read_parquet(source)
    members = _members(source)
    if "xl/workbook.xml" in members:
        from conveyor_cli.tables.sheet import read_sheet  # noqa: PLC0415

        return read_sheet(source, reading.sheet)
    for member, what, advice in _OFFICE:
        if member in members:
            raise _no_table(source, what, advice)
    raise _no_table(source, "a ZIP archive", "Unpack it.", f"unzip {quote(str(source.path))}")


def _members(source: Source) -> set[str]:
    try:
        with zipfile.ZipFile(source.path) as archive:
            return set(archive.namelist())
    except zipfile.BadZipFile:
        raise _no_table(source, "a damaged ZIP archive or workbook", "Fetch or save it again.") from None


def _open_text(source: Source, reading: Reading, start: bytes) -> Table:
    encoding = _encoding(reading.encoding) or encoding_of(start)
    beginning = start.decode(encoding, errors="replace").lstrip("\ufeff")
    text = beginning.lstrip()
    if encoding == UTF8 and "\0" in text:
        raise _no_table(source, "neither text nor a table that is known", "Save it as CSV in UTF-8.")
    if reading.separator or not text.startswith(("{", "[")):
        data = text.encode()
        found = type_of_file(Beginning(data, data, is_whole=False))
        if found and found.code in _NO_TABLE:
            raise _of_type(source, found)
        return read_separated(source, encoding, reading.separator, beginning)
    first = decode_object(text.partition("\n")[0].encode()) if text.startswith("{") else None
    if first and first.keys() >= {"custom_id", "params"}:
        advice = "Nothing was written. Drop it as it is."
        drop = f"conveyor drop {quote(str(source.path))}"
        raise Trouble("requests", f"{source.name} has requests already", advice, commands=(drop,), exit_code=Exit.USAGE)
    return read_records(source, encoding, has_lines=first is not None)


def _encoding(named: str | None) -> str | None:
    """Return the name of an encoding as Python has it; UTF-8 may begin with a mark. Raises Trouble if it is unknown."""
    if named is None:
        return None
    try:
        "".encode(named)
    except (LookupError, ValueError):
        message = f'There is no encoding "{named}"'
        raise Trouble("usage", message, "For example: utf-8, utf-16, cp1252.", exit_code=Exit.USAGE) from None
    return UTF8 if named.lower().replace("-", "").replace("_", "") == "utf8" else named


def _of_type(source: Source, found: FileType) -> Trouble:
    """Return that a file is of a type that the core knows, with the command that makes another one of it."""
    if found.code == "file-is-office-document":
        return _no_table(source, _OLD_OFFICE, "Save it as .xlsx without a password, or as CSV in UTF-8.")
    if found.has_recipe:
        return _no_table(source, found.what, "Write it as Parquet, or as CSV in UTF-8.")
    path, made = quote(str(source.path)), quote(f"{stem(source.name)}-unpacked")
    command = found.tool.replace("{file}", path) or (found.filter and f"{found.filter} < {path}")
    commands = (command if found.converts_in_place else f"{command} > {made}",) if command else ()
    return _no_table(source, found.what, sentence(found.advice[:1].upper() + found.advice[1:]), *commands)


def _no_table(source: Source, what: str, advice: str, *commands: str) -> Trouble:
    message = f"{source.name} is no table, but {what}"
    return Trouble("no-table", message, f"{advice} Nothing was written.", commands=commands, exit_code=Exit.NO_RESULTS)
