"""A file that appears whole, and a folder beside it for what is needed meanwhile."""

import errno
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from conveyor_cli.trouble import Trouble

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def beside(file: Path) -> Iterator[Path]:
    """Yield an empty folder beside a file that is going to be written; it is gone afterwards. Raises Trouble."""
    with explained_writing(file):
        folder = tempfile.TemporaryDirectory(prefix=f"{file.name}.", suffix=".part", dir=file.parent)
    with folder as name:
        yield Path(name)


@contextmanager
def explained_writing(file: Path) -> Iterator[None]:
    """Raise a Trouble where a file, or what is needed for it, cannot be written."""
    try:
        yield
    except sqlite3.Error as error:
        raise _full(file) from error
    except OSError as error:
        if error.errno in _FULL:
            raise _full(file) from error
        raise Trouble("not-written", f"{file} cannot be written: {error.strerror or type(error).__name__}") from error


def _full(file: Path) -> Trouble:
    more = "It needs room for a copy of the answers beside the table. Nothing was left there."
    return Trouble("disk-full", f"The disk is full, or fails: {file}", more)
