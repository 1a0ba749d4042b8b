"""Take a picture of what `make dashboard` has written: `python -m tests.pages.dashboard PAGE PICTURE`."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.pages.browser import Look, browser, window
from tests.pages.pictures import whole, write

_DESK = Look("desk", 1500, 1000)


def take(page: Path, picture: Path) -> Path:
    """Take a picture of the whole page."""
    with browser() as started, window(started, _DESK) as opened:
        return write(whole(opened.show(page.resolve(), is_changed=True)), picture)


if __name__ == "__main__":
    print(take(Path(sys.argv[1]), Path(sys.argv[2])))
