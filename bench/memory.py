"""Peak memory, processor time and S3 calls of each function, by the size of the drop."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

from bench.children import in_child
from bench.drops import write_drop
from bench.figures import Figure
from local.provider.control import Control
from local.provider.http.server import serving
from local.provider.settings import Settings
from tests.functions.conftest import API_KEY
from tests.support.settings import STACK_SETTINGS, variables

SIZES = {"16MB": (16_000_000, 8_000), "256MB": (250_000_000, 100_000), "2GB": (2_000_000_000, 1_000_000)}
"""Bytes and requests of the drops."""
KEY = "inbox/bench.jsonl"
DIALECTS = {"": {}, "files.": {"BATCH_API": "files", "MAX_REQUESTS_PER_BATCH": "0", "MAX_BYTES_PER_BATCH": "0"}}
"""Settings of each dialect, by the prefix of the size in a figure's name."""
MOST_MB = 150
MOST_SPREAD_MB = 20
ANSWER_CHARS = 1500

type Event = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """One invocation of a function."""

    function: str
    following: str
    """The next step that poll returned; empty for other functions."""
    peak_mb: float
    cpu: float
    """CPU time in seconds."""
    wall: float
    """Wall-clock time in seconds, including that of the simulated provider."""
    requests: Counter[str]
    """Requests to S3 by kind: get, put, list."""


def figures(names: Sequence[str]) -> Iterator[Figure]:
    """Measure the functions with drops of these sizes."""
    peaks: dict[str, list[float]] = {}
    for name, dialect in product(names, DIALECTS):
        calls = run(*SIZES[name], dialect)
        for function in dict.fromkeys(call.function for call in calls):
            peak = max(call.peak_mb for call in calls if call.function == function)
            peaks.setdefault(f"{function}.{dialect}", []).append(peak)
            yield Figure(f"memory.{function}.{dialect}{name}", round(peak, 1), "MB", f"{MOST_MB} MB", peak / MOST_MB)
        for kind, count in sum((call.requests for call in calls), Counter[str]()).items():
            yield Figure(f"s3.{kind}.{dialect}{name}", count, "requests a run")
    for function, found in peaks.items():
        spread = max(found) - min(found)
        against = f"{MOST_SPREAD_MB} MB between sizes"
        if len(found) > 1:
            yield Figure(f"memory.{function}spread", round(spread, 1), "MB", against, spread / MOST_SPREAD_MB)


@cache
def run(size: int, requests: int, dialect: str = "") -> tuple[Call, ...]:
    """Run a drop through all functions, with one check while the batch runs; return all calls."""
    calls: list[Call] = []
    with bucket(size, requests) as root, provider() as control:
        call = _caller(root, control.url, DIALECTS[dialect], calls.append)
        stored = {"key": KEY, "size": size, "version-id": "1"}
        state = call("submit", {"detail": {"bucket": {"name": "bench"}, "object": stored}})
        call("poll", {"run": state["run"], "times": 2})  # most checks run in a warm process
        control.configure(seconds=0)
        while (state := call("poll", {"run": state["run"]}))["next"] != "report":
            if state["next"] == "submit":
                call("submit", {"run": state["run"]})
            for batch in state["batches"]:
                call("split", {"run": state["run"], "batch": batch})
        notice = call("report", {"run": state["run"]})
        if notice["status"] != "completed" or notice["results"] != requests:
            raise RuntimeError(f"the run did not complete: {notice['subject']}")
    return tuple(calls)


def _caller(
    root: Path, url: str, chosen: dict[str, str], note: Callable[[Call], object]
) -> Callable[[str, Event], Event]:
    resources = {"API_URL": url, "BUCKET": "bench", "MAX_REQUESTS_PER_DROP": "50000000", "POST_SECONDS": "800"}
    env = os.environ | variables(STACK_SETTINGS | chosen | resources) | {"AWS_DEFAULT_REGION": "us-east-1"}

    def call(function: str, event: Event) -> Event:
        output = in_child(["bench.child", function, str(root)], event, env)
        answer: Event = output["answer"]
        following = answer["next"] if function == "poll" else ""
        note(Call(function, following, output["peak_mb"], output["cpu"], output["wall"], Counter(output["calls"])))
        return answer

    return call


@contextmanager
def provider() -> Iterator[Control]:
    """Run a simulated provider whose batches end only when `control` says so."""
    with serving(Settings(seconds=None, answer_chars=ANSWER_CHARS, api_key=API_KEY)) as control:
        yield control


@contextmanager
def bucket(size: int, requests: int) -> Iterator[Path]:
    """Create a directory that serves as a bucket with one drop."""
    with TemporaryDirectory(prefix="conveyor-bench-") as root:
        write_drop(Path(root) / quote(KEY, safe=""), size, requests)
        yield Path(root)
