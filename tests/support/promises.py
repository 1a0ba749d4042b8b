"""Checks of a run that was sent: its files and its receipt are compared with the drop.

Shared by the tests of the functions, of crashes, and on the deployed stack.
"""

from collections import Counter
from decimal import Decimal
from hashlib import sha256
from io import BytesIO
from typing import Any

import msgspec
import orjson

from conveyor.ledger.failure_counts import type_name
from conveyor.ledger.ledger import Ledger
from conveyor.ledger.run_facts import Run
from conveyor.receipt.receipt import Receipt
from conveyor.spend.index_entry import IndexEntry, StartEntry, entries_by_run
from conveyor.validation.checker import MOST_FAULTS
from tests.support.belt import Belt
from tests.support.schemas import check_lines, check_receipt, check_report

BY_CHOICE = {"stopped": "stopped", "declined": "declined", "estimated": "dry-run"}
"""Statuses of runs that people, or the clock in their place, ended; with the code of each."""


def check(  # noqa: PLR0913  # a run and what is known of it
    belt: Belt, run: str, notice: dict[str, Any], data: bytes, status: str = "completed", *, is_recent: bool = True
) -> dict[str, Any]:
    """Check the files, the receipt and the message of a run, and return the receipt. `is_recent`: see `agree`."""
    receipt = agree(belt, run, is_recent=is_recent)
    assert (notice["run"], notice["status"], receipt["status"]) == (run, status, status)
    name = receipt["name"]
    kept = [key for kind in ("results", "failures") for key in belt.stored(f"{kind}/{name}/{run}/")]
    kept = [key for key in kept if not key.startswith(f"results/{name}/{run}/parts/")]
    receipts = [key for key in kept if key.endswith("receipt.json")]
    assert receipts == [f"results/{name}/{run}/receipt.json"], "there must be exactly one receipt"
    pages = [key for key in kept if key.endswith("report.html")]
    assert pages == [f"results/{name}/{run}/report.html"], "there must be exactly one page"
    check_outputs(receipt, {key: belt.read(key) for key in kept if key not in {*receipts, *pages}}, data)
    return receipt


def check_outputs(receipt: dict[str, Any], files: dict[str, bytes], data: bytes, *, is_of_today: bool = True) -> None:
    """Check all files of a run, by key and without the receipt, against the receipt and the drop.

    `is_of_today`: see `check_receipt`.
    """
    accounts = {file["key"]: file for file in receipt["files"]}
    assert accounts.keys() == files.keys(), "the receipt must list exactly the stored files"
    assert len(accounts) == len(receipt["files"])
    check_receipt(receipt, is_of_today=is_of_today)
    for key, content in files.items():
        _check_file(accounts[key], content)
        check_lines(key, content)
    _check_lines(receipt, {key.rsplit("/", 1)[-1]: content.splitlines() for key, content in files.items()}, data)


def _check_file(file: dict[str, Any], content: bytes) -> None:
    """Compare a file with its entry in the receipt, segment by segment if it was joined."""
    assert (file["lines"], file["bytes"]) == (content.count(b"\n"), len(content))
    rest = BytesIO(content)
    for segment in file.get("segments", [file]):
        assert sha256(rest.read(segment["bytes"])).hexdigest() == segment["sha256"]
    assert not rest.read(), "bytes without a checksum"


def _check_lines(receipt: dict[str, Any], files: dict[str, list[bytes]], data: bytes) -> None:
    """Check that every line is in exactly one output, in the drop's order, and unchanged in retry.jsonl."""
    lines = {orjson.loads(line)["custom_id"]: line for line in data.split(b"\n") if line}
    results = [orjson.loads(line)["custom_id"] for line in files["results.jsonl"]]
    failures = [orjson.loads(line) for line in files["failures.jsonl"]]
    failed = [failure["custom_id"] for failure in failures]
    assert Counter(results + failed) == Counter(list(lines)), "every line must be in exactly one output"
    for found, wanted in ((results, set(results)), (failed, set(failed))):
        assert found == [custom_id for custom_id in lines if custom_id in wanted]
    retryable = [lines[failure["custom_id"]] for failure in failures if failure["retryable"]]
    assert files.get("retry.jsonl", []) == retryable
    counts = (receipt["requests"], receipt["results"], receipt["failures"], receipt["retryable"])
    assert counts == (len(lines), len(results), len(failed), len(retryable))
    assert sum(receipt["outcomes"].values()) == len(lines)
    assert receipt["unaccounted"] == []


def agree(belt: Belt, run: str, *, is_recent: bool = True) -> dict[str, Any]:
    """Compare the fields of a receipt with each other and with the files, whatever its status; return it.

    `is_recent`: whether all parts were written by a release that counts lengths and keeps examples (0.1.0).
    """
    receipt = belt.receipt(run)
    check_receipt(receipt)
    check_report(msgspec.convert(receipt, Receipt, strict=False))
    lines = dict.fromkeys(("results", "failures", "retry", "aside", "invalid"), 0)
    for key in belt.stored("results/") + belt.stored("failures/"):
        if f"/{run}/" in key and key.endswith(".jsonl"):
            lines[key.rsplit("/", 1)[-1].removesuffix(".jsonl")] = belt.read(key).count(b"\n")
            check_lines(key, belt.read(key))
    outcomes, unbalanced = receipt["outcomes"], receipt["status"] == "unbalanced"
    assert lines["retry"] == receipt["retryable"]
    if not unbalanced:
        assert (receipt["results"], receipt["failures"]) == (lines["results"], lines["failures"])
        assert receipt["requests"] == receipt["results"] + receipt["failures"] + receipt["not_run"]
    assert receipt["results"] == outcomes["succeeded"]
    assert receipt["failures"] == sum(outcomes.values()) - outcomes["succeeded"]
    strays = sum(batch[name] for batch in every_batch(receipt) for name in ("foreign", "repeated"))
    assert lines["aside"] == receipt["repaired"] + receipt["unreadable"] + strays
    assert lines["invalid"] == min(receipt["faults"], MOST_FAULTS)
    assert max(receipt["retryable"], receipt["never_sent"], receipt["unreadable"]) <= receipt["failures"]
    assert sum(receipt["causes"].values()) <= receipt["failures"]
    assert sum(kind["failures"] for kind in receipt["errors"].values()) == receipt["failures"]
    _check_details(belt, receipt, is_recent=is_recent)
    if receipt["findings"]:
        assert sum(receipt["findings"]["codes"].values()) == receipt["faults"]
    assert (receipt["findings"] is None) == (receipt["faults"] == 0)
    assert (receipt["reason"] is None) == (receipt["code"] is None)
    assert not receipt["not_run"] or (receipt["status"] in {"refused", *BY_CHOICE} and not every_batch(receipt))
    assert receipt["status"] not in {"refused", *BY_CHOICE} or receipt["code"] is not None
    for status, code in BY_CHOICE.items():
        assert (receipt["status"] == status) == (receipt["code"] == code) or unbalanced or receipt["given_up"]
    assert receipt["status"] != "refused" or not (every_batch(receipt) or receipt["failures"])
    assert (receipt["status"] == "failed") <= (receipt["results"] == 0 and receipt["failures"] > 0)
    assert (receipt["status"] == "completed") <= (receipt["results"] > 0)
    assert (receipt["status"] == "stuck") == bool(receipt["given_up"]) or unbalanced
    assert not receipt["never_sent"] or receipt["code"] is not None
    _check_index(belt, receipt)
    return receipt


def _check_details(belt: Belt, receipt: dict[str, Any], *, is_recent: bool) -> None:
    """Check lengths, examples, and what became of the requests of each batch."""
    assert receipt["ended_at"]
    assert receipt["planned_batches"] >= len(receipt["batches"])
    for kind in receipt["errors"].values():
        assert sum(kind["words"].values()) <= kind["failures"]
        examples = {text: len(kind["examples"].get(text, [])) for text in kind["words"]}
        assert all(int(is_recent) <= examples[text] <= min(3, count) for text, count in kind["words"].items())
    _check_examples(belt, receipt)
    lengths = receipt["lengths"].values()
    uncounted = receipt["outcomes"]["succeeded"] - sum(sum(each["answers"].values()) for each in lengths)
    assert uncounted == 0 if is_recent else uncounted >= 0
    assert sum(each["tokens"] for each in lengths) <= sum(
        tokens["usage"]["output_tokens"] for tokens in receipt["tokens"].values()
    )
    cut_off = sum(reasons.get("max_tokens", 0) for reasons in receipt["stop_reasons"].values())
    uncounted = cut_off - sum(sum(each["cut_off"].values()) for each in lengths)
    assert uncounted == 0 if is_recent else uncounted >= 0
    if receipt["status"] == "unbalanced":
        return
    for batch in every_batch(receipt):
        assert batch["results"] + batch["failures"] + batch["sent_again"] == batch["requests"]
    batches = every_batch(receipt)
    assert sum(batch["results"] for batch in batches) == receipt["results"]
    unsent = receipt["never_sent"] + receipt["outcomes"]["invalid"]
    assert sum(batch["failures"] for batch in batches) == receipt["failures"] - unsent


def _check_examples(belt: Belt, receipt: dict[str, Any]) -> None:
    """Check that each example is a line of failures.jsonl, with its id, type and text: none was answered later."""
    key = f"failures/{receipt['name']}/{receipt['run']}/failures.jsonl"
    lines = [orjson.loads(line) for line in belt.read(key).splitlines()] if key in belt.stored("failures/") else []
    written = {
        (
            line["line"],
            "" if line["custom_id"] is None else str(line["custom_id"])[:200],
            type_name(line["error"]["type"]),
        ): " ".join(line["error"]["message"].split())
        for line in lines
    }
    for name, kind in receipt["errors"].items():
        for example in (each for examples in kind["examples"].values() for each in examples):
            text = written[example["line"], example["custom_id"], name]
            assert text.startswith(example["words"])


def _check_index(belt: Belt, receipt: dict[str, Any]) -> None:
    """Check that the index has two entries of the run: that it began, and the end, which says what the receipt says."""
    run, project = receipt["run"], receipt["project"]
    counts = (receipt["requests"], receipt["results"], receipt["failures"])
    cost = None if receipt["cost_usd"] is None else Decimal(str(receipt["cost_usd"]))
    is_lower_bound = cost is not None and bool(receipt["money"]["unpriced"])
    start = StartEntry(project, run, Ledger(belt.clients.bucket, run).read(Run).drop.bytes)
    end = IndexEntry(project, run, receipt["status"], *counts, cost, is_lower_bound)
    listed = belt.stored("index/")
    assert sorted(key for key in listed if run in key) == sorted([start.key, end.key])
    assert entries_by_run(listed)[run] == end


def every_batch(receipt: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the accounts of all batches at the provider: of the probe, of the drop itself, and of rounds."""
    probe: list[dict[str, Any]] = receipt["probe"]["batches"] if receipt.get("probe") else []
    batches: list[dict[str, Any]] = receipt["batches"]
    return probe + batches + [batch for each in receipt.get("rounds", []) for batch in each["batches"]]


def plain(message: str) -> str:
    """Return a message as one line, without its line breaks."""
    return " ".join(message.split())
