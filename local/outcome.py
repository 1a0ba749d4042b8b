"""What became of a drop: its files, saved where they outlive the stack, and whether every promise was kept."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from local.stack import Message, Stack


GZIP, BOM = b"\x1f\x8b", b"\xef\xbb\xbf"
GZIP, BOM = b"\x1f\x8b", b"\xef\xbb\xbf"
SHAPE = {"custom_id", "response", "error"}
"""The fields of a result, whatever the dialect."""


@dataclass(frozen=True)
class Outcome:
    """An ended run."""

    message: Message
    files: dict[str, bytes]
    """By their key in the bucket."""

    @property
    def receipt(self) -> dict[str, Any]:
        """The run's final account."""
        receipt: dict[str, Any] = json.loads(self._file("receipt.json"))
        return receipt

    def lines(self, name: str) -> list[dict[str, Any]]:
        """Read the lines of `results.jsonl`, `failures.jsonl` or `invalid.jsonl`; none where there is no such file."""
        return [json.loads(line) for line in self._file(name).split(b"\n") if line]

    def save(self, directory: Path) -> dict[str, Path]:
        """Write the files below `directory`; answers with their paths by key."""
        saved = {key: directory / self.message.run / key.rsplit("/", 1)[-1] for key in self.files}
        for key, path in saved.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self.files[key])
        return saved

    def _file(self, name: str) -> bytes:
        return next((content for key, content in self.files.items() if key.endswith(f"/{name}")), b"")


def collect(stack: Stack, message: Message) -> Outcome:
    """Read all files of an ended run."""
    name = message.attributes["name"]
    keys = [key for kind in ("results", "failures") for key in stack.keys(f"{kind}/{name}/{message.run}/")]
    return Outcome(message, {key: stack.object(key) for key in keys})


def ids_of(drop: bytes) -> list[Any] | None:
    """Read the ids of a drop, packed or not; None where a line of it has none that can be read here."""
    try:
        lines = (gzip.decompress(drop) if drop.startswith(GZIP) else drop).removeprefix(BOM).splitlines()
        return [json.loads(line)["custom_id"] for line in lines if line.strip()]
    except (ValueError, TypeError, LookupError, OSError, EOFError):
        return None


def broken_promises(drop: bytes, outcome: Outcome, expected: Mapping[int, str] | None = None) -> Iterator[str]:
    """Hold a completed run against its drop; yields a sentence for each promise that was not kept.

    `expected`: the outcomes of the lines that were to fail, by line; None where nobody can know. Of a drop whose ids
    cannot be read here only the counts are compared.
    """
    receipt = outcome.receipt
    results, failures = (
        [line["custom_id"] for line in outcome.lines(f"{kind}.jsonl")] for kind in ("results", "failures")
    )
    if outcome.message.status not in {"completed", "failed"}:
        yield f"the run is {outcome.message.status}, neither completed nor failed"
    if any(set(line) != SHAPE or line["error"] is not None for line in outcome.lines("results.jsonl")):
        yield "a result is not of the shape {custom_id, response, error}"
    ids = ids_of(drop)
    requests = receipt["requests"] if ids is None else len(ids)
    if len(results) + len(failures) != requests:
        yield f"{len(results)} results and {len(failures)} failures are not the {requests} requests of the drop"
    if ids is not None:
        yield from _misplaced(ids, {"results": results, "failures": failures})
    if (receipt["requests"], receipt["results"], receipt["failures"]) != (requests, len(results), len(failures)):
        yield "the receipt counts otherwise than the files"
    outcomes = {line["line"]: line["outcome"] for line in outcome.lines("failures.jsonl")}
    if expected is not None and outcomes != expected:
        yield f"the lines that failed are {outcomes}, not {dict(expected)}"


def _misplaced(ids: list[Any], came: Mapping[str, list[Any]]) -> Iterator[str]:
    """Hold the ids that came back against those of the drop, and its order."""
    if {*came["results"], *came["failures"]} != set(ids):
        yield "the custom_ids that came back are not those of the drop"
    for kind, those in came.items():
        known = set(those)
        if those != [each for each in ids if each in known]:
            yield f"the {kind} are not in the order of the drop"
