"""MiniStack, mended where Conveyor rests on what AWS does; run by the `aws` environment's Python.

That environment has none of our other packages, so the modules under `emulation` import nothing of ours but each other.
MiniStack also binds port 443 where it may, which is not ours to take.
"""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> None:
    """Serve until a signal comes."""
    # Found in this process alone: a function that finds our sources would find what its package lacks.
    sys.path.append(str(Path(__file__).resolve().parents[1]))
    from ministack import app  # noqa: PLC0415 - see the next line

    from local.emulation import (  # noqa: PLC0415
        alarms,
        asynchronous,
        gateway,
        logs,
        machine,
        objects,
        packages,
        parts,
        publishing,
        topics,
        workers,
    )

    for place in (alarms, asynchronous, gateway, logs, machine, objects, packages, parts, publishing, topics, workers):
        place.mend()
    app._port_is_bindable = lambda _host, _port: False  # noqa: SLF001 - a mend reaches inside
    app.main()


if __name__ == "__main__":
    main()
