"""Run one function in its own process, as in Lambda: `python -m bench.child <function> <directory> < event`.

Prints the function's answer, its peak memory in MB, its CPU and wall-clock time in seconds, and its calls to S3. An
event with `times` invokes the function so often and measures the last invocation, one in a warm process.
"""

import json
import os
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3

from bench.files import FileS3
from bench.usage import peak_mb
from conveyor.clients import Clients
from conveyor.domain.invocation import Invocation
from conveyor.poll.poll import poll
from conveyor.report.report import report
from conveyor.s3.bucket import Bucket
from conveyor.split.split import split
from conveyor.submit.submit import submit


class NoMachine:
    """A state machine that starts nothing."""

    def start(self, _name: str, _state: dict[str, Any]) -> None:
        """Do nothing."""


class OneSecret:
    """A secrets manager with one secret."""

    def get(self, *_: Any, **__: Any) -> str:
        """Return it."""
        return "sk-ant-simulated"


def main() -> None:
    """Run one function."""
    name, root = sys.argv[1:]
    files = FileS3(Path(root))
    clients = Clients()
    attributes: Any = vars(clients)
    boto3.client("s3", region_name="us-east-1")  # unused, but its memory counts
    attributes["bucket"] = Bucket(files, "bench")  # type: ignore[arg-type]
    attributes["machine"] = NoMachine()
    clients.connector.secrets = OneSecret()  # type: ignore[assignment]
    event = json.load(sys.stdin)
    invocation = Invocation(timedelta(seconds=900))
    functions = {
        "submit": lambda: submit(event, clients, invocation),
        "poll": lambda: poll(event, clients, invocation),
        "split": lambda: split(event, clients, invocation),
        "report": lambda: report(event, clients, invocation),
    }
    for _ in range(event.get("times", 1)):
        files.calls.clear()
        start, began = time.process_time(), time.monotonic()
        answer = functions[name]()
        used = {"cpu": time.process_time() - start, "wall": time.monotonic() - began, "peak_mb": peak_mb()}
    json.dump({"answer": answer, "calls": files.calls, **used}, os.fdopen(1, "w"))


if __name__ == "__main__":
    main()
