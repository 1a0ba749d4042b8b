"""A file at a desk, read as the stack reads a drop: in pieces, unpacked, any number of times."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from shlex import quote
from typing import BinaryIO, Self

from conveyor.file_types.conversion import PROMPT_OPTIONS, RECIPE_OUTPUT
from conveyor.intake.file import Unpacked, line_at
from conveyor.jsonl.lines import Line
from conveyor.s3.bucket import RANGE_BYTES
from conveyor.validation.sample import Place
from conveyor_cli.exits import Exit
from conveyor_cli.trouble import Trouble

type Tell = Callable[[int], None]
"""Is told how many more bytes were read or sent."""


def silent(_: int) -> None:
    """Tell nobody."""


class LocalFile:
    """A file of this machine. Its content is read in constant memory."""

    def __init__(self, path: Path, limit: int, tell: Tell = silent) -> None:
        """`limit`: of bytes, unpacked. Raises Trouble if it is no file, or cannot be read."""
        self.path = path
        self._limit = limit
        self._tell = tell
        with _readable(path):
            if path.is_dir():
                raise _is_folder(path)
            if not path.is_file():
                what = f"{path} is no file" if path.exists() else f"No file {path}"
                raise Trouble("no-file", what, "Nothing was uploaded.", exit_code=Exit.USAGE)
            self._stat = _stat(path)
        self._file = Unpacked(self._bytes, limit)

    @property
    def size(self) -> int:
        """Bytes, as it is."""
        return self._stat[0]

    @property
    def layers(self) -> int:
        """How many times it is packed, once its beginning was read."""
        return self._file.layers

    @property
    def sha256(self) -> str:
        """The checksum of its bytes as they are, once they were read whole."""
        return self._file.sha256

    def chunks(self) -> Iterator[bytes]:
        """Yield all bytes, unpacked. Raises Unreadable, also for a file of another type; Trouble if it is gone."""
        yield from self._file.open()

    def lines(self, places: Sequence[Place]) -> list[Line]:
        """Return some lines. Those of a packed file are found by unpacking it once more."""
        if not self.layers:
            with _readable(self.path), self.path.open("rb") as file:
                return [line_at(place, _range(file, place)) for place in places]
        found, begin = {place: bytearray() for place in places}, 0
        for chunk in Unpacked(self._bytes, self._limit).open():
            for place in places:
                found[place] += chunk[max(place.start - begin, 0) : max(place.end - begin, 0)]
            begin += len(chunk)
        return [line_at(place, bytes(data)) for place, data in found.items()]

    def refuse_changed(self) -> None:
        """Raise Trouble if the file is another one than when it was opened."""
        with _readable(self.path):
            if _stat(self.path) != self._stat:
                raise changed(self.path)

    def _bytes(self) -> Iterator[bytes]:
        with _readable(self.path), self.path.open("rb") as file:
            while chunk := file.read(RANGE_BYTES):
                self._tell(len(chunk))
                yield chunk


class Sent:
    """The bytes of a file on their way, in order. The last of them are not given away if the file has changed.

    So an upload of another file than the one that was checked never ends.
    """

    def __init__(self, file: LocalFile) -> None:
        self._path, self._left, self._expected = file.path, file.size, file.sha256
        self._digest = sha256()
        with _readable(file.path):
            self._file = file.path.open("rb")

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._file.close()

    def read(self, count: int = -1) -> bytes:
        """Return the next bytes. Raises Trouble if they are not those that were checked."""
        with _readable(self._path):
            data = self._file.read(count)
        self._digest.update(data)
        self._left -= len(data)
        if self._left < 0 or (not data and count and self._left):
            raise changed(self._path)
        if not self._left and (self._digest.hexdigest() != self._expected or self._file.peek(1)):
            raise changed(self._path)
        return data


def _is_folder(path: Path) -> Trouble:
    """Return that a folder is no drop, and how requests are made of its files."""
    prepare = f"conveyor prepare {_argument(path)} {PROMPT_OPTIONS} -o {RECIPE_OUTPUT}"
    more = "Nothing was uploaded. To make a request from each file in it, write your prompt into prompt.md, with"
    return Trouble(
        "no-file",
        f"{path} is a folder",
        f"{more} {{{{ text }}}} for the text of a file. Then type the first command, and drop the new file:",
        commands=(prepare, f"conveyor drop {RECIPE_OUTPUT}"),
        exit_code=Exit.USAGE,
    )


def _argument(path: Path) -> str:
    """Return a path for a shell, which is not read as an option."""
    return quote(f"./{path}" if str(path).startswith("-") else str(path))


def changed(path: Path) -> Trouble:
    """Return that a file was changed after it was checked."""
    more = "It was written to meanwhile. Nothing runs. Drop it again once it is complete."
    return Trouble("file-changed", f"{path.name} is not the file any more that was checked", more)


def size_of(path: Path) -> int:
    """Return how many bytes a file has; 0 if that cannot be known."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _range(file: BinaryIO, place: Place) -> bytes:
    file.seek(place.start)
    return file.read(place.end - place.start)


def _stat(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns, found.st_ino


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Raise Trouble for each error of reading a file."""
    try:
        yield
    except OSError as error:
        message = f"{path} cannot be read ({error.strerror or type(error).__name__})"
        raise Trouble("file-unreadable", message, "Nothing was uploaded.") from error
