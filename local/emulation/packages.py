"""Functions and layers are unpacked once, for all processes that run them.

MiniStack unpacks them for every process it starts, which makes a cold start of seconds. On AWS that is part of the
deployment. As there, they are not to be written to.
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


def mend() -> None:
    """Put the mend in place."""
    lambda_runtime.zipfile = SimpleNamespace(**vars(zipfile) | {"ZipFile": _Package})


class _Package(zipfile.ZipFile):
    """An archive that takes the place of a directory by a link to what it holds."""

    def extractall(self, path: object = None, *_: object) -> None:
        directory = Path(str(path))
        directory.rmdir()
        directory.symlink_to(_unpacked(Path(str(self.filename))))


def _unpacked(archive: Path) -> Path:
    place = Path(tempfile.gettempdir()) / "packages" / sha256(archive.read_bytes()).hexdigest()
    with unpacking:
        if not place.exists():
            unfinished = place.with_suffix(".unfinished")
            with zipfile.ZipFile(archive) as package:
                package.extractall(unfinished)
            unfinished.rename(place)
    return place
