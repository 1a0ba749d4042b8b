"""Functions and layers are unpacked once on this machine, for all processes that run them.

MiniStack unpacks them for every process, so that a cold start takes seconds, and Python compiles them again, since what
is unpacked has a new date. On AWS they are unpacked when deployed, and are read-only.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Self

from ministack.core import lambda_runtime

FOLDER = "LAMBDA_PACKAGES"
"""The variable that names the folder for what is unpacked, which several servers may share. Else it is a new one."""


def patch() -> None:
    """Apply the patches."""
    lambda_runtime.zipfile = SimpleNamespace(**vars(zipfile) | {"ZipFile": _Package})


class _Package:
    """An archive that replaces a directory by a link to its unpacked content."""

    def __init__(self, archive: str) -> None:
        self._archive = Path(archive)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is open."""

    def namelist(self) -> list[str]:
        """Return no name. MiniStack checks that none leads out of the directory, as `zipfile` does."""
        return []

    def extractall(self, path: str) -> None:
        directory = Path(path)
        directory.rmdir()
        directory.symlink_to(_unpacked(self._archive))


def _unpacked(archive: Path) -> Path:
    """Return the folder with the content of an archive. Of several processes that unpack it, one is first."""
    folder = Path(os.environ.get(FOLDER) or tempfile.gettempdir()) / "packages"
    target = folder / sha256(archive.read_bytes()).hexdigest()
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(dir=folder, prefix="unfinished-"))
        with zipfile.ZipFile(archive) as package:
            package.extractall(unfinished)
        try:
            unfinished.rename(target)
        except OSError:  # another one was first: a folder that is not empty is not replaced
            shutil.rmtree(unfinished)
            if not target.exists():
                raise
    return target
