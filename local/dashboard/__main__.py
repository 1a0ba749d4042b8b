"""`make dashboard`: write the deployed dashboard of the local stack as a page, as the CloudWatch console shows it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from local.dashboard.page import draw
from local.dashboard.session import NotShown, Session
from local.paths import SAVED

PAGE = SAVED / "dashboard.html"


def main() -> int:
    """Write the page of the last HOURS (or of what the dashboard says) to OUT; returns the exit code."""
    file = Path(os.environ.get("OUT") or PAGE)
    hours = os.environ.get("HOURS")
    try:
        page = draw(Session(), float(hours) if hours else None)
    except NotShown as error:
        sys.stderr.write(f"{error}\n")
        return 2
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(page, encoding="utf-8")
    print(file.absolute())
    return 0


if __name__ == "__main__":
    sys.exit(main())
