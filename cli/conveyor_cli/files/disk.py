"""Errors of this machine's disk, in words, and files that appear whole."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from conveyor_cli.exits import Exit
from conveyor_cli.trouble import Trouble

_FULL = {
    errno.ENOSPC: "The disk is full",
    errno.EDQUOT: "Your quota on this disk is used up",
    errno.EFBIG: "The file is larger than this disk or your limits allow",
}
IN_FOLDER, AS_FILE = "another folder with --to", "another file with -o"
"""What a person can choose instead."""
_GOES_ON = "What is there is kept: the same command goes on where it stopped."


@contextmanager
def explained_disk(path: Path, choose: str = IN_FOLDER) -> Iterator[None]:
    """Raise a Trouble for each error of the disk in the block. `path`: what is written. `choose`: what else to."""
    try:
        yield
    except OSError as error:
        if full := _FULL.get(error.errno or 0):
            raise Trouble("disk-full", f"{full}: {path}", f"Make room, or choose {choose}. {_GOES_ON}") from error
        said = (error.strerror or type(error).__name__).lower()
        more = f"Choose {choose}."
        raise Trouble("not-writable", f"{error.filename or path} cannot be written ({said})", more) from error


def refuse_no_file(path: Path) -> None:
    """Raise Trouble if something is there that is no file: a file takes its place, and /dev/null would be gone."""
    if path.exists() and not path.is_file():
        raise Trouble("usage", f"{path} is no file: name one", "Nothing was changed.", exit_code=Exit.USAGE)


def write_whole(path: Path, data: bytes, choose: str = IN_FOLDER) -> None:
    """Write a small file that appears whole. Raises Trouble. `choose`: see `explained_disk`."""
    new = path.with_name(f"{path.name}.new")
    with explained_disk(path, choose):
        path.parent.mkdir(parents=True, exist_ok=True)
        new.write_bytes(data)
        new.replace(path)
