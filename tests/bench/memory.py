"""Peak memory, processor time and S3 calls of each function, by the size of the drop."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

import orjson

from local.provider.server import serving
from local.provider.settings import Settings
from tests.bench.figures import Figure
from tests.functions.conftest import API_KEY, STACK_SETTINGS

PROJECT = Path(__file__).parents[2]
SIZES = {"16MB": (16_000_000, 8_000), "256MB": (250_000_000, 100_000), "2GB": (2_000_000_000, 1_000_000)}
"""Bytes and requests of the drops."""
KEY = "inbox/bench.jsonl"
MOST_MB = 150


def figures(names: list[str]) -> Iterator[Figure]:
    """Measure the functions with drops of some sizes."""
    for name in names:
        size, requests = SIZES[name]
        peaks, calls = run(size, requests)
        for function, peak in peaks.items():
            yield Figure(f"memory.{function}.{name}", round(peak, 1), "MB", f"{MOST_MB} MB", peak / MOST_MB)
        for kind, count in calls.items():
            yield Figure(f"s3.{kind}.{name}", count, "requests a run")


def run(size: int, requests: int) -> tuple[dict[str, float], Counter[str]]:
    """Carry a drop through all functions; return the highest peak of each in MB, and all calls to S3."""
    peaks: dict[str, float] = {}
    calls: Counter[str] = Counter()
    with _bucket(size, requests) as root, serving(Settings(seconds=0, answer_chars=1500, api_key=API_KEY)) as provider:
        env = os.environ | {f"CONVEYOR_{name}": value for name, value in STACK_SETTINGS.items()}
        env |= {"CONVEYOR_API_URL": provider.url, "CONVEYOR_BUCKET": "bench", "PYTHONPATH": _path()}
        env |= {"CONVEYOR_MAX_REQUESTS_PER_DROP": "50000000", "CONVEYOR_POST_SECONDS": "800"}

        def call(function: str, event: dict[str, Any]) -> dict[str, Any]:
            command = [sys.executable, "-m", "tests.bench.child", function, str(root)]
            done = subprocess.run(command, input=json.dumps(event).encode(), env=env, capture_output=True, check=False)
            if done.returncode:
                raise RuntimeError(done.stderr.decode()[-2000:])
            told = json.loads(done.stdout)
            peaks[function] = max(peaks.get(function, 0), told["peak_mb"])
            calls.update(told["calls"])
            answer: dict[str, Any] = told["answer"]
            return answer

        stored = {"key": KEY, "size": size, "version-id": "1"}
        state = call("submit", {"detail": {"bucket": {"name": "bench"}, "object": stored}})
        while (state := call("poll", {"run": state["run"]}))["next"] != "report":
            if state["next"] == "submit":
                call("submit", {"run": state["run"]})
            for batch in state["batches"]:
                call("split", {"run": state["run"], "batch": batch})
        notice = call("report", {"run": state["run"]})
        if notice["status"] != "completed" or notice["results"] != requests:
            raise RuntimeError(f"the run ended as {notice['subject']}")
    return peaks, calls


@contextmanager
def _bucket(size: int, requests: int) -> Iterator[Path]:
    with TemporaryDirectory(prefix="conveyor-bench-") as root:
        write_drop(Path(root) / quote(KEY, safe=""), size, requests)
        yield Path(root)


def write_drop(path: Path, size: int, requests: int) -> None:
    """Write a drop of about so many bytes."""
    words = "The quick brown fox jumps over the lazy dog, 42 times a day. " * (size // requests // 60)
    with path.open("wb") as file:
        for number in range(requests):
            message = {"role": "user", "content": f"{number}: {words}"}
            params = {"model": "claude-haiku-4-5", "max_tokens": 512, "messages": [message]}
            file.write(orjson.dumps({"custom_id": f"request-{number}", "params": params}) + b"\n")


def _path() -> str:
    return f"{PROJECT}:{PROJECT / 'layers/conveyor'}"
