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


def test_the_notice_says_that_the_demo_must_keep_running() -> None:
    """And that batches can still be fetched after an interruption."""
    assert "Leave it running" in REMOTE_NOTICE
    assert "fetch their results" in REMOTE_NOTICE


def test_a_correct_run_passes_all_checks() -> None:
    """Its order, ids and counts are those of the drop."""
    assert list(failed_checks(DROP, ended(["b", "c"], {3: "a"}), {3: "errored"})) == []


@pytest.mark.parametrize(
    ("results", "failures", "message"),
    [
        (["c", "b"], {3: "a"}, "results are not in the order"),
        (["b", "c"], {}, "are not the 3 requests"),
        (["b", "x"], {3: "a"}, "custom_ids that came back"),
        (["b", "c"], {4: "a"}, "lines that failed"),
        (["b"], {3: "a", 4: "c"}, "counts in the receipt differ"),
    ],
)
def test_a_wrong_run_fails_a_check(results: list[str], failures: dict[int, str], message: str) -> None:
    """Each mistake is named."""
    assert any(message in sentence for sentence in failed_checks(DROP, ended(results, failures), {3: "errored"}))


@pytest.mark.parametrize(
    "drop", [gzip.compress(DROP, mtime=0), b'[{"custom_id": "b"}]', b"\xff\xfe", DROP + b"\nno JSON", b"\x1f\x8b"]
)
def test_only_counts_are_checked_if_the_ids_of_a_drop_cannot_be_read(drop: bytes) -> None:
    """Those of a compressed drop can be read."""
    complete, incomplete = (list(failed_checks(drop, ended(results, {3: "a"}))) for results in (["b", "c"], ["b"]))
    assert complete == []
    assert "the counts in the receipt differ from those of the files" in incomplete


def ended(results: list[str], failures: dict[int, str]) -> Outcome:
    """Return an ended run; `failures` are ids by line."""

    def file(lines: list[dict[str, Any]]) -> bytes:
        return b"".join(json.dumps(line).encode() + b"\n" for line in lines)

    files = {
        "receipt.json": json.dumps(RECEIPT).encode(),
        "results.jsonl": file([{"custom_id": custom_id, "response": {}, "error": None} for custom_id in results]),
        "failures.jsonl": file(
            [{"custom_id": custom_id, "line": line, "outcome": "errored"} for line, custom_id in failures.items()],
        ),
    }
    return Outcome(Message("", "", {"status": "completed"}), files)
