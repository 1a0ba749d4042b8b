"""Functions and layers are unpacked once, for all processes that run them.

MiniStack unpacks them for every process, so that a cold start takes seconds. On AWS they are unpacked when deployed,
and are read-only.
"""

from __future__ import annotations

import tempfile
import threading
import zipfile
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

from ministack.core import lambda_runtime

unpacking = threading.Lock()


def patch() -> None:
    """Apply the patches."""
    lambda_runtime.zipfile = SimpleNamespace(**vars(zipfile) | {"ZipFile": _Package})


class _Package(zipfile.ZipFile):
    """An archive that replaces a directory by a link to its unpacked content."""

    def extractall(self, path: object = None, *_: object) -> None:
        directory = Path(str(path))
        directory.rmdir()
        directory.symlink_to(_unpacked(Path(str(self.filename))))


def _unpacked(archive: Path) -> Path:
    target = Path(tempfile.gettempdir()) / "packages" / sha256(archive.read_bytes()).hexdigest()
    with unpacking:
        if not target.exists():
            unfinished = target.with_suffix(".unfinished")
            with zipfile.ZipFile(archive) as package:
                package.extractall(unfinished)
            unfinished.rename(target)
    return target
