"""What became of a drop: its files, saved where they outlive the stack, and whether every promise was kept."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from local.stack import Message, Stack


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


def broken_promises(drop: bytes, outcome: Outcome, expected: Mapping[int, str] | None = None) -> Iterator[str]:
    """Hold a completed run against its drop; yields a sentence for each promise that was not kept.

    `expected`: the outcomes of the lines that were to fail, by line; None where nobody can know.
    """
    receipt = outcome.receipt
    ids = [json.loads(line)["custom_id"] for line in drop.removeprefix(b"\xef\xbb\xbf").split(b"\n") if line.strip()]
    results, failures = (
        [line["custom_id"] for line in outcome.lines(f"{kind}.jsonl")] for kind in ("results", "failures")
    )
    if outcome.message.status not in {"completed", "failed"}:
        yield f"the run is {outcome.message.status}, neither completed nor failed"
    if len(results) + len(failures) != len(ids):
        yield f"{len(results)} results and {len(failures)} failures are not the {len(ids)} requests of the drop"
    if set(results) | set(failures) != set(ids):
        yield "the custom_ids that came back are not those of the drop"
    if any(set(line) != SHAPE or line["error"] is not None for line in outcome.lines("results.jsonl")):
        yield "a result is not of the shape {custom_id, response, error}"
    for kind, came in (("results", results), ("failures", failures)):
        those = set(came)
        if came != [each for each in ids if each in those]:
            yield f"the {kind} are not in the order of the drop"
    if (receipt["requests"], receipt["results"], receipt["failures"]) != (len(ids), len(results), len(failures)):
        yield "the receipt counts otherwise than the files"
    outcomes = {line["line"]: line["outcome"] for line in outcome.lines("failures.jsonl")}
    if expected is not None and outcomes != expected:
        yield f"the lines that failed are {outcomes}, not {dict(expected)}"
