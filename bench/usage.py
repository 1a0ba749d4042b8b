"""Memory use of this process. Few imports, since they are measured, too."""

import resource
from pathlib import Path


def peak_mb() -> float:
    """Return the peak memory of this process in MB.

    `ru_maxrss` would include the parent process if that was larger.
    """
    with Path("/proc/self/status").open() as status:
        peak_kb = next((int(line.split()[1]) for line in status if line.startswith("VmHWM")), None)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss if peak_kb is None else peak_kb) / 1024
