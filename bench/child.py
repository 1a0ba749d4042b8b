"""One function in a process of its own, as in Lambda: `python -m bench.child <function> <directory> < event`.

Answers, on its standard output, with what it gave, its peak memory, its time (of the processor, and on the wall), and
its calls to S3. Of an event with `times` it counts the last of so many invocations: one in a process that is warm.
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
    """Starts nothing."""

    def start(self, _name: str, _state: dict[str, Any]) -> None:
        """Take note of nothing."""


class OneSecret:
    """A secret."""

    def get(self, *_: Any, **__: Any) -> str:
        """Give it."""
        return "sk-ant-simulated"


def main() -> None:
    """Run one function once."""
    name, root = sys.argv[1:]
    files = FileS3(Path(root))
    clients = Clients()
    own: Any = vars(clients)
    boto3.client("s3", region_name="us-east-1")  # has its weight, although nobody uses it
    own["bucket"] = Bucket(files, "bench")  # type: ignore[arg-type]
    own["machine"] = NoMachine()
    clients.connector.secrets = OneSecret()  # type: ignore[assignment]
    event = json.load(sys.stdin)
    invocation = Invocation(timedelta(seconds=900))
    functions = {
        "submit": lambda: submit(event, clients, invocation),
        "poll": lambda: poll(event, clients, invocation),
        "split": lambda: split(event, clients, invocation),
        "report": lambda: report(event, clients),
    }
    for _ in range(event.get("times", 1)):
        files.calls.clear()
        start, began = time.process_time(), time.monotonic()
        answer = functions[name]()
        used = {"cpu": time.process_time() - start, "wall": time.monotonic() - began, "peak_mb": peak_mb()}
    json.dump({"answer": answer, "calls": files.calls, **used}, os.fdopen(1, "w"))


if __name__ == "__main__":
    main()
