"""The checks of the demo: they find what a run did wrong."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from local.demo.outcome import Outcome, failed_checks
from local.demo.output import REMOTE_NOTICE
from local.stack.messages import Message

DROP = b'\xef\xbb\xbf{"custom_id": "b"}\n\n{"custom_id": "a"}\n{"custom_id": "c"}'
RECEIPT = {"requests": 3, "results": 2, "failures": 1}


def test_live_says_that_it_has_to_stay_open() -> None:
    """And that what it leaves behind is not lost."""
    assert "Leave it running" in REMOTE_NOTICE
    assert "fetch their results" in REMOTE_NOTICE


def test_a_kept_promise_is_not_complained_about() -> None:
    """Order of the drop, its ids, its count."""
    assert list(failed_checks(DROP, ended(["b", "c"], {3: "a"}), {3: "errored"})) == []


@pytest.mark.parametrize(
    ("results", "failures", "words"),
    [
        (["c", "b"], {3: "a"}, "results are not in the order"),
        (["b", "c"], {}, "are not the 3 requests"),
        (["b", "x"], {3: "a"}, "custom_ids that came back"),
        (["b", "c"], {4: "a"}, "lines that failed"),
        (["b"], {3: "a", 4: "c"}, "counts in the receipt differ"),
    ],
)
def test_a_broken_promise_is_named(results: list[str], failures: dict[int, str], words: str) -> None:
    """The demo would end well otherwise, whatever came back."""
    assert any(words in sentence for sentence in failed_checks(DROP, ended(results, failures), {3: "errored"}))


@pytest.mark.parametrize(
    "drop", [gzip.compress(DROP, mtime=0), b'[{"custom_id": "b"}]', b"\xff\xfe", DROP + b"\nno JSON", b"\x1f\x8b"]
)
def test_a_drop_whose_ids_cannot_be_read_here_is_held_by_its_counts(drop: bytes) -> None:
    """One that is packed can."""
    kept, short = (list(failed_checks(drop, ended(results, {3: "a"}))) for results in (["b", "c"], ["b"]))
    assert kept == []
    assert "the counts in the receipt differ from those of the files" in short


def ended(results: list[str], failures: dict[int, str]) -> Outcome:
    """Make up an ended run; `failures` are ids by line."""

    def file(lines: list[dict[str, Any]]) -> bytes:
        return b"".join(json.dumps(line).encode() + b"\n" for line in lines)

    files = {
        "results/x/run/receipt.json": json.dumps(RECEIPT).encode(),
        "results/x/run/results.jsonl": file([{"custom_id": each, "response": {}, "error": None} for each in results]),
        "failures/x/run/failures.jsonl": file(
            [{"custom_id": each, "line": line, "outcome": "errored"} for line, each in failures.items()],
        ),
    }
    return Outcome(Message("", "", {"status": "completed"}), files)
