"""The outcome of a drop: its files, and the checks that they are what the README promises."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from local.stack.messages import Message

GZIP, BOM = b"\x1f\x8b", b"\xef\xbb\xbf"
SHAPE = {"custom_id", "response", "error"}
"""The fields of a result, for every batch API."""


@dataclass(frozen=True)
class Outcome:
    """An ended run."""

    message: Message
    files: dict[str, bytes]
    """By name."""

    @property
    def receipt(self) -> dict[str, Any]:
        """The receipt of the run."""
        receipt: dict[str, Any] = json.loads(self._file("receipt.json"))
        return receipt

    def lines(self, name: str) -> list[dict[str, Any]]:
        """Read the lines of `results.jsonl`, `failures.jsonl` or `invalid.jsonl`; empty if there is no such file."""
        return [json.loads(line) for line in self._file(name).split(b"\n") if line]

    def _file(self, name: str) -> bytes:
        return self.files.get(name, b"")


def collect(message: Message, folder: Path) -> Outcome:
    """Read the files of an ended run, which were fetched into a folder."""
    return Outcome(message, {path.name: path.read_bytes() for path in folder.iterdir()})


def ids_of(drop: bytes) -> list[Any] | None:
    """Read the ids of a drop, compressed or not; None if a line has none that can be read here."""
    try:
        lines = (gzip.decompress(drop) if drop.startswith(GZIP) else drop).removeprefix(BOM).splitlines()
        return [json.loads(line)["custom_id"] for line in lines if line.strip()]
    except (ValueError, TypeError, LookupError, OSError, EOFError):
        return None


def failed_checks(drop: bytes, outcome: Outcome, expected: Mapping[int, str] | None = None) -> Iterator[str]:
    """Compare a completed run with its drop; yields a sentence for each check that failed.

    `expected`: the outcomes of the lines that must fail, by line; None if they are unknown. If the ids of the drop
    cannot be read here, only the counts are compared.
    """
    receipt = outcome.receipt
    results, failures = (
        [line["custom_id"] for line in outcome.lines(f"{kind}.jsonl")] for kind in ("results", "failures")
    )
    if outcome.message.status not in {"completed", "failed"}:
        yield f"the run is {outcome.message.status}, neither completed nor failed"
    if any(set(line) != SHAPE or line["error"] is not None for line in outcome.lines("results.jsonl")):
        yield "a result has other fields than {custom_id, response, error}"
    ids = ids_of(drop)
    requests = receipt["requests"] if ids is None else len(ids)
    if len(results) + len(failures) != requests:
        yield f"{len(results)} results and {len(failures)} failures are not the {requests} requests of the drop"
    if ids is not None:
        yield from _misplaced(ids, {"results": results, "failures": failures})
    if (receipt["requests"], receipt["results"], receipt["failures"]) != (requests, len(results), len(failures)):
        yield "the counts in the receipt differ from those of the files"
    outcomes = {line["line"]: line["outcome"] for line in outcome.lines("failures.jsonl")}
    if expected is not None and outcomes != expected:
        yield f"the lines that failed are {outcomes}, not {dict(expected)}"


def _misplaced(ids: list[Any], returned: Mapping[str, list[Any]]) -> Iterator[str]:
    """Compare the ids that came back, and their order, with those of the drop."""
    if {*returned["results"], *returned["failures"]} != set(ids):
        yield "the custom_ids that came back are not those of the drop"
    for kind, returned_ids in returned.items():
        known = set(returned_ids)
        if returned_ids != [custom_id for custom_id in ids if custom_id in known]:
            yield f"the {kind} are not in the order of the drop"
