"""Run the vendor's SDK in its own process: `python -m bench.sdk create|results < event`.

It is used as its users do: all requests of a file in one call, and each result written as a line in arrival order.
It prints the same fields as `child`.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import anthropic

from bench.usage import peak_mb


def create(client: anthropic.Anthropic, event: dict[str, Any]) -> str:
    """Create one batch of all lines of a drop; return its id."""
    with Path(event["drop"]).open(encoding="utf-8") as drop:
        return client.messages.batches.create(requests=[json.loads(line) for line in drop]).id


def results(client: anthropic.Anthropic, event: dict[str, Any]) -> int:
    """Write the results of an ended batch; return their number."""
    count = 0
    with Path(event["file"]).open("w", encoding="utf-8") as file:
        for count, result in enumerate(client.messages.batches.results(event["batch"]), 1):  # noqa: B007
            file.write(result.to_json(indent=None) + "\n")
    return count


def main() -> None:
    """Run `create` or `results` once."""
    event = json.load(sys.stdin)
    start, began = time.process_time(), time.monotonic()
    client = anthropic.Anthropic(base_url=event["url"], api_key=event["key"], max_retries=0)
    answer = {"create": create, "results": results}[sys.argv[1]](client, event)
    used = {"cpu": time.process_time() - start, "wall": time.monotonic() - began, "peak_mb": peak_mb()}
    sys.stdout.write(json.dumps({"answer": answer, **used}))


if __name__ == "__main__":
    main()
