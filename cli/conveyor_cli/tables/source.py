"""A file as bytes, unpacked if it is packed with gzip, and its encoding."""

import codecs
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import IO, NamedTuple

from conveyor.jsonl.gzip_stream import MAGIC
from conveyor_cli.exits import Exit
from conveyor_cli.trouble import Trouble

UTF8 = "utf-8-sig"
"""UTF-8, with a byte order mark or without one."""
_CHUNK = 1 << 20
_BEGINNING = 1 << 18
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
_PLAIN = rb"[\t\n\r -~]"
_UNMARKED = (
    (re.compile(rb"(?:%b\0\0\0){2}" % _PLAIN), "utf-32-le"),
    (re.compile(rb"(?:\0\0\0%b){2}" % _PLAIN), "utf-32-be"),
    (re.compile(rb"(?:%b\0){4}" % _PLAIN), "utf-16-le"),
    (re.compile(rb"(?:\0%b){4}" % _PLAIN), "utf-16-be"),
)


class Source(NamedTuple):
    """A file."""

    path: Path
    is_packed: bool

    @classmethod
    def of(cls, path: Path) -> "Source":
        """Look whether a file is packed. Raises Trouble if it cannot be read."""
        if path.exists() and not path.is_file():
            more = "Nothing was written. It is read more than once, so it cannot come from a pipe."
            raise Trouble("no-file", f"{path} is no file", more, exit_code=Exit.USAGE)
        with readable(path.name), path.open("rb") as file:
            return cls(path, file.read(len(MAGIC)) == MAGIC)

    @property
    def name(self) -> str:
        """The name of the file."""
        return self.path.name

    @contextmanager
    def open(self) -> Iterator[io.BufferedReader | gzip.GzipFile]:
        """Open the file, unpacked. Raises Trouble if it cannot be read, also while it is read."""
        with readable(self.name), self.path.open("rb") as file:
            yield gzip.GzipFile(fileobj=file) if self.is_packed else file

    def beginning(self) -> bytes:
        """Return its first bytes."""
        with self.open() as file:
            return file.read(_BEGINNING)

    @contextmanager
    def text(self, encoding: str) -> Iterator[IO[str]]:
        """Open the file as text. Line ends are not changed."""
        with self.open() as file, decoded(self.path, encoding):
            yield io.TextIOWrapper(file, encoding, newline="")

    def utf8(self, encoding: str) -> Iterator[bytes]:
        """Yield its bytes, in UTF-8 whatever the encoding."""
        if encoding == UTF8:
            with self.open() as file:
                while chunk := file.read(_CHUNK):
                    yield chunk
            return
        with self.text(encoding) as text:
            while part := text.read(_CHUNK):
                yield part.encode()


@contextmanager
def readable(name: str) -> Iterator[None]:
    """Raise a Trouble where a file cannot be read."""
    try:
        yield
    except FileNotFoundError as error:
        raise Trouble("no-file", f'There is no "{name}"', "Nothing was written.", exit_code=Exit.USAGE) from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        message = f"{name} is packed with gzip, and damaged"
        raise Trouble("not-gzip", message, "Nothing was written. Fetch or pack it again.") from error
    except OSError as error:
        message = f"{name} cannot be read: {error.strerror or type(error).__name__}"
        raise Trouble("unreadable", message, "Nothing was written.") from error


@contextmanager
def decoded(path: Path, encoding: str) -> Iterator[None]:
    """Raise a Trouble where bytes are not text of an encoding."""
    try:
        yield
    except UnicodeDecodeError as error:
        name = "UTF-8" if encoding == UTF8 else encoding
        raise Trouble(
            "encoding",
            f"{path.name} is not text in {name}",
            "Nothing was written. Say what it is: western programs on Windows write cp1252.",
            commands=(f"conveyor prepare {quote(str(path))} --encoding cp1252 …",),
            exit_code=Exit.NO_RESULTS,
        ) from error


def encoding_of(start: bytes) -> str:
    """Return the encoding of a text by its first bytes: UTF-16 and UTF-32 are recognised, also without a mark."""
    for mark, name in _MARKS:
        if start.startswith(mark):
            return name
    return next((name for pattern, name in _UNMARKED if pattern.match(start)), UTF8)
