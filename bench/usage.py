"""What this process has used; imports next to nothing, since it is measured with the rest."""

import resource
from pathlib import Path


def peak_mb() -> float:
    """Return the most memory that this program ever had.

    `ru_maxrss` would count the process that started it, too, wherever that was larger.
    """
    with Path("/proc/self/status").open() as status:
        own = next((int(line.split()[1]) for line in status if line.startswith("VmHWM")), None)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss if own is None else own) / 1024
