"""Files of runs, as tests of the command need them: large ones, and what is on the user's machine."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING

from tests.support.belt import Belt, drop_of

if TYPE_CHECKING:
    from pathlib import Path

NAME = "inbox/support/tickets.jsonl"
RANGE = 4 * 1024 * 1024
"""Bytes of one read of the command."""


def files_in(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder and of those in it, by their paths in it."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def large_run(belt: Belt, size: int, requests: int = 2) -> tuple[str, bytes]:
    """Let a run end, and give it results of so many bytes, about; return the run and these.

    `requests`: of its drop. The same drop would be refused a second time.
    """
    belt.provider.configure(outcomes={}, every={})
    run = belt.upload(drop_of(requests), NAME)
    belt.finish(run)
    line = json.dumps({"custom_id": "r-1", "response": {"text": "a" * 4000}, "error": None}).encode() + b"\n"
    data = line * (size // len(line))
    replace_results(belt, run, data)
    return run, data


def replace_results(belt: Belt, run: str, data: bytes) -> None:
    """Write other results of a run, and their account into its receipt."""
    receipt = belt.receipt(run)
    key = f"results/support/tickets/{run}/results.jsonl"
    account = {"key": key, "lines": data.count(b"\n"), "bytes": len(data), "sha256": sha256(data).hexdigest()}
    files = [account if file["key"] == key else file for file in receipt["files"]]
    belt.s3.put_object(Bucket=belt.bucket, Key=key, Body=data)
    changed = json.dumps(receipt | {"files": files}).encode()
    belt.s3.put_object(Bucket=belt.bucket, Key=f"results/support/tickets/{run}/receipt.json", Body=changed)
