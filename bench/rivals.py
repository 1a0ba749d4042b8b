"""Compare submit and split with the vendor's SDK, with the same drop and the same simulated provider.

Conveyor does more: submit checks the drop and records each batch; split puts results into input order and counts them.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bench.children import in_child
from bench.figures import Figure
from bench.memory import KEY, bucket, provider, run
from tests.functions.conftest import API_KEY

BYTES_PER_REQUEST = 2_000


def figures(requests: int) -> Iterator[Figure]:
    """Measure with a drop of so many requests in one batch, all of which the SDK holds in memory."""
    size = BYTES_PER_REQUEST * requests
    label = f"{round(size / 1_000_000)}MB"
    calls = run(size, requests)
    for name, output in _sdk(size, requests).items():
        ours = [call for call in calls if call.function == {"create": "submit", "results": "split"}[name]]
        seconds, peak = sum(call.cpu for call in ours), max(call.peak_mb for call in ours)
        yield Figure(f"sdk.{name}.{label}", round(output["cpu"], 3), "s", f"{seconds:.3f} s", output["cpu"] / seconds)
        mb = output["peak_mb"]
        yield Figure(f"sdk.{name}.{label}.peak", round(mb, 1), "MB", f"{peak:.1f} MB", mb / peak)


def _sdk(size: int, requests: int) -> dict[str, dict[str, Any]]:
    """Create the batch and read its results with the SDK."""
    with bucket(size, requests) as root, provider() as control:
        env = dict(os.environ)
        connection = {"url": control.url, "key": API_KEY}
        created = in_child(["bench.sdk", "create"], connection | {"drop": str(root / quote(KEY, safe=""))}, env)
        control.configure(seconds=0)
        event = connection | {"batch": created["answer"], "file": str(Path(root) / "results")}
        read = in_child(["bench.sdk", "results"], event, env)
    if read["answer"] != requests:
        raise RuntimeError(f"the SDK read {read['answer']} results")
    return {"create": created, "results": read}
