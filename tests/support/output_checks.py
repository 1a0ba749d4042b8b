"""A drop's outputs and receipt, held against its lines."""

from collections import Counter
from hashlib import sha256
from io import BytesIO
from typing import Any

import orjson

from conveyor.validation.checker import MOST_FAULTS
from tests.support.belt import Belt


def check(belt: Belt, run: str, notice: dict[str, Any], data: bytes, status: str = "completed") -> dict[str, Any]:
    """Hold the files of a run that was sent against its drop and its receipt, and return the receipt."""
    receipt = agree(belt, run)
    assert (notice["run"], notice["status"], receipt["status"]) == (run, status, status)
    name = receipt["name"]
    asked = [orjson.loads(line)["custom_id"] for line in data.split(b"\n") if line]
    results = _ids(belt, f"results/{name}/{run}/results.jsonl")
    failures = _ids(belt, f"failures/{name}/{run}/failures.jsonl")
    assert Counter(results + failures) == Counter(asked), "every line in exactly one output"
    assert results == [each for each in asked if each in set(results)]
    assert failures == [each for each in asked if each in set(failures)]
    counts = (receipt["requests"], receipt["results"], receipt["failures"])
    assert counts == (len(asked), len(results), len(failures))
    for file in receipt["files"]:
        _check_file(file, belt.read(file["key"]))
    return receipt


def agree(belt: Belt, run: str) -> dict[str, Any]:
    """Hold the fields of a receipt against each other and against the files, whatever its status; return it."""
    receipt = belt.receipt(run)
    lines = dict.fromkeys(("results", "failures", "retry", "aside", "invalid"), 0)
    for key in belt.stored("results/") + belt.stored("failures/"):
        if f"/{run}/" in key and key.endswith(".jsonl"):
            lines[key.rsplit("/", 1)[-1].removesuffix(".jsonl")] = belt.read(key).count(b"\n")
    outcomes, unbalanced = receipt["outcomes"], receipt["status"] == "unbalanced"
    assert lines["retry"] == receipt["retryable"]
    if not unbalanced:
        assert (receipt["results"], receipt["failures"]) == (lines["results"], lines["failures"])
        assert receipt["requests"] == receipt["results"] + receipt["failures"] + receipt["not_run"]
    assert receipt["results"] == outcomes["succeeded"]
    assert receipt["failures"] == sum(outcomes.values()) - outcomes["succeeded"]
    strays = sum(batch[name] for batch in receipt["batches"] for name in ("foreign", "repeated"))
    assert lines["aside"] == receipt["repaired"] + receipt["unreadable"] + strays
    assert lines["invalid"] == min(receipt["faults"], MOST_FAULTS)
    assert max(receipt["retryable"], receipt["never_sent"], receipt["unreadable"]) <= receipt["failures"]
    assert sum(receipt["causes"].values()) <= receipt["failures"]
    assert sum(kind["failures"] for kind in receipt["errors"].values()) == receipt["failures"]
    if receipt["findings"]:
        assert sum(receipt["findings"]["codes"].values()) == receipt["faults"]
    assert (receipt["findings"] is None) == (receipt["faults"] == 0)
    assert (receipt["reason"] is None) == (receipt["code"] is None)
    assert not receipt["not_run"] or (receipt["status"] in {"refused", "stopped"} and not receipt["batches"])
    assert receipt["status"] not in {"refused", "stopped"} or receipt["code"] is not None
    assert (receipt["status"] == "stopped") == (receipt["code"] == "stopped") or unbalanced or receipt["given_up"]
    assert receipt["status"] != "refused" or not (receipt["batches"] or receipt["failures"])
    assert (receipt["status"] == "failed") <= (receipt["results"] == 0 and receipt["failures"] > 0)
    assert (receipt["status"] == "completed") <= (receipt["results"] > 0)
    assert (receipt["status"] == "stuck") == bool(receipt["given_up"]) or unbalanced
    assert not receipt["never_sent"] or receipt["code"] is not None
    return receipt


def plain(message: str) -> str:
    """Return a message as one line, however its lines are broken."""
    return " ".join(message.split())


def _ids(belt: Belt, key: str) -> list[str]:
    return [orjson.loads(line)["custom_id"] for line in belt.read(key).splitlines()]


def _check_file(file: dict[str, Any], content: bytes) -> None:
    """Hold a file against its account, segment by segment where it was joined."""
    assert (file["lines"], file["bytes"]) == (content.count(b"\n"), len(content))
    rest = BytesIO(content)
    for segment in file.get("segments", [file]):
        assert sha256(rest.read(segment["bytes"])).hexdigest() == segment["sha256"]
    assert not rest.read(), "no byte is without a checksum"
