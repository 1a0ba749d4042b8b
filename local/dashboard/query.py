"""`make query QUERY=RunningQuery`: run a saved query of the local stack, and print its rows."""

from __future__ import annotations

import os
import sys

from botocore.exceptions import ClientError
from rich.console import Console
from rich.table import Table

from local.dashboard.insights import run_saved
from local.dashboard.session import NotShown, Session

HOURS = 168.0
HOUR = 3600


def main() -> int:
    """Print the rows, or the names of all saved queries; returns the exit code."""
    hours = float(os.environ.get("HOURS") or HOURS)
    try:
        found = run_saved(
            Session(), os.environ.get("QUERY", ""), os.environ.get("RUN", ""), round(hours * HOUR)
        )  # fmt: skip
    except NotShown as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except ClientError as error:
        sys.stderr.write(f"The query was refused: {error}\n")
        return 1
    shown = Table()
    for column in found.columns:
        shown.add_column(column, overflow="fold")
    for row in found.rows:
        shown.add_row(*(row.get(column, "") for column in found.columns))
    if found.rows:
        Console().print(shown)
    print(f"{len(found.rows)} rows, of the last {hours:g} hours")
    return 0


if __name__ == "__main__":
    sys.exit(main())
