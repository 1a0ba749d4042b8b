"""A folder of text, PDF and image files: a row for each file."""

import os
from base64 import b64encode
from collections.abc import Collection, Iterator
from pathlib import Path

from conveyor.domain.drop import is_litter
from conveyor.jsonl.lines import LONGEST_LINE
from conveyor.wording.numbers import size
from conveyor_cli.tables.header import empty
from conveyor_cli.tables.source import encoding_of, readable
from conveyor_cli.tables.table import Attached, Row, Table

COLUMNS = ("path", "name", "text")
LARGEST = LONGEST_LINE // 4 * 3 - 10_000
"""Bytes of a PDF or an image: base64 makes four of three, and the rest of the line needs room, too."""
_MEDIA = (
    (b"%PDF-", "application/pdf"), (b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"), (b"GIF89a", "image/gif"),
)  # fmt: skip


def read_folder(folder: Path, besides: Collection[Path] = ()) -> Table:
    """Open a folder, with the folders in it. Hidden files, and what programs leave behind, are left out.

    `besides`: files that are left out, too.
    """
    folder = folder.resolve()
    paths = sorted(_paths(folder, {each.resolve() for each in besides}))
    if not paths:
        raise empty(folder.name, "has no files")
    return Table(f"{folder.name}/", COLUMNS, _rows(folder, paths), [], id_column="path", content="text")


def _paths(folder: Path, besides: Collection[Path]) -> Iterator[str]:
    """Yield the paths of files in the folder, with slashes."""
    with readable(folder.name):
        for where, folders, files in os.walk(folder, onerror=_raised):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in files:
                path = Path(where) / name
                if not name.startswith(".") and not is_litter(name) and path not in besides and path.is_file():
                    yield path.relative_to(folder).as_posix()


def _raised(error: OSError) -> None:
    """Raise what would leave out a folder silently."""
    raise error


def _rows(folder: Path, paths: list[str]) -> Iterator[Row]:
    for number, path in enumerate(paths, 1):
        file = folder / path
        text, attached, problem = _content(file)
        if not path.isprintable():
            yield Row(number, (None, None, None), "the name of the file has characters that cannot be shown")
        else:
            yield Row(number, (path, file.name, text), f"{path}: {problem}" if problem else "", attached)


def _content(file: Path) -> tuple[str | None, Attached | None, str]:
    """Return the text of a file, or the block that is sent, or why it is neither."""
    with readable(file.name):
        length = file.stat().st_size
        if length > LARGEST:
            return None, None, f"{size(length)}; a request has room for {size(LARGEST)}"
        content = file.read_bytes()
    if media := media_of(content):
        kind = "document" if media == "application/pdf" else "image"
        source = {"type": "base64", "media_type": media, "data": b64encode(content).decode()}
        return None, Attached({"type": kind, "source": source}, f"{media}, {size(length)}"), ""
    try:
        text = content.decode(encoding_of(content))
    except UnicodeDecodeError:
        text = "\0"
    return (
        (None, None, "neither text in UTF-8, nor a PDF, PNG, JPEG, GIF or WebP") if "\0" in text else (text, None, "")
    )


def media_of(content: bytes) -> str | None:
    """Return the media type of what the Messages API reads, by the first bytes; None for anything else."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((media for start, media in _MEDIA if content.startswith(start)), None)
