"""Everything that is promised of a completed run, held against the bucket and the provider's own account."""

import re
from collections import Counter
from hashlib import sha256
from typing import Any

import orjson

from tests.support.belt import Belt
from tests.support.faults.history import Ending
from tests.support.output_checks import agree

_NUMBERED = re.compile(r"batches/(\d+)/(attempt|refused|absent|split|read|unread)-(\d+)\.json")


def check(belt: Belt, ending: Ending, data: bytes) -> dict[str, Any]:
    """Hold every promise against what is there, and return the receipt."""
    name, run = ending.notice["name"], ending.run
    kept = {key: belt.read(key) for kind in ("results", "failures") for key in belt.stored(f"{kind}/{name}/")}
    receipts = [key for key in kept if key.endswith("receipt.json")]
    assert receipts == [f"results/{name}/{run}/receipt.json"], "one receipt"
    receipt: dict[str, Any] = orjson.loads(kept.pop(receipts[0]))
    assert receipt["status"] == ending.notice["status"] == "completed"
    agree(belt, run)
    _check_files(receipt, kept)
    _check_lines(receipt, {key.rsplit("/", 1)[-1]: text.splitlines() for key, text in kept.items()}, data)
    _check_ledger(belt, ending, receipt)
    return receipt


def _check_files(receipt: dict[str, Any], kept: dict[str, bytes]) -> None:
    """Hold that every file is in the receipt as it is, and no other file is there."""
    accounts = {
        key: {"key": key, "lines": text.count(b"\n"), "bytes": len(text), "sha256": sha256(text).hexdigest()}
        for key, text in kept.items()
    }
    assert {file["key"]: file for file in receipt["files"]} == accounts


def _check_lines(receipt: dict[str, Any], files: dict[str, list[bytes]], data: bytes) -> None:
    """Hold that every line is in exactly one output, in the drop's order, and unchanged where to be sent again."""
    lines = {orjson.loads(line)["custom_id"]: line for line in data.splitlines()}
    results = [orjson.loads(line)["custom_id"] for line in files["results.jsonl"]]
    failures = [orjson.loads(line) for line in files["failures.jsonl"]]
    failed = [failure["custom_id"] for failure in failures]
    assert Counter(results + failed) == Counter(list(lines)), "every line in exactly one output"
    assert results == [custom_id for custom_id in lines if custom_id in set(results)]
    assert failed == [custom_id for custom_id in lines if custom_id in set(failed)]
    retryable = [lines[failure["custom_id"]] for failure in failures if failure["retryable"]]
    assert files.get("retry.jsonl", []) == retryable
    counts = (receipt["requests"], receipt["results"], receipt["failures"], receipt["retryable"])
    assert counts == (len(lines), len(results), len(failed), len(retryable))
    assert sum(receipt["outcomes"].values()) == len(lines)
    assert receipt["unaccounted"] == []


def _check_ledger(belt: Belt, ending: Ending, receipt: dict[str, Any]) -> None:
    """Hold that nothing was paid for twice, by the provider's own count, and the facts say how it was."""
    run, facts = ending.run, belt.facts(ending.run)
    created = [batch["id"] for batch in belt.provider.stats()["batches"]]
    assert ending.created == len(created) == len(receipt["batches"]) == 1, "one batch for the one that was planned"
    assert {name.split("/")[1] for name in facts if name.startswith("batches/")} == {"1"}
    assert "refused.json" not in facts
    assert not [name for name in facts if name.endswith("stuck.json")]
    attempts = 0
    for number, account in enumerate(receipt["batches"], 1):
        assert account["number"] == number
        assert account["id"] == created[number - 1] == belt.fact(run, f"batches/{number}/batch-1.json")["id"]
        assert orjson.loads(belt.read(f"claims/batches/{account['id']}")) == {"run": run, "batch": number}
        assert account["duplicates"] == [name for name in facts if "duplicate" in name] == []
        attempts += _check_attempts(belt, run, number, _numbers(facts, number))
        _check_splits(_numbers(facts, number))
        odd = account["foreign"] + account["repeated"] + receipt["repaired"] + receipt["unreadable"]
        assert sum(file["lines"] for file in receipt["files"] if file["key"].endswith("/aside.jsonl")) == odd
    assert ending.creates <= attempts, "a paid call without an intent"


def _numbers(facts: list[str], batch: int) -> dict[str, list[int]]:
    """Return the numbers of each kind of a batch's facts, in order."""
    found = [match.groups() for name in facts if (match := _NUMBERED.fullmatch(name))]
    numbers = {kind: list[int]() for kind in ("attempt", "refused", "absent", "split", "read", "unread")}
    for number, kind, each in sorted(found, key=lambda match: int(match[2])):
        if int(number) == batch:
            numbers[kind].append(int(each))
    return numbers


def _check_attempts(belt: Belt, run: str, batch: int, numbers: dict[str, list[int]]) -> int:
    """Count the attempts: all but the last came to nothing, each in one way, and every call was claimed."""
    attempts = numbers["attempt"]
    assert attempts == list(range(1, len(attempts) + 1)), "attempts are numbered without gap"
    assert sorted(numbers["refused"] + numbers["absent"]) == attempts[:-1]
    claimed = {key.rsplit("/", 1)[-1] for key in belt.stored(f"claims/attempts/{run}/")}
    assert claimed <= {f"{batch}-{number}" for number in attempts}
    assert {f"{batch}-{number}" for number in numbers["refused"]} <= claimed
    return len(attempts)


def _check_splits(numbers: dict[str, list[int]]) -> None:
    """Hold that splits follow one another and end in one way; the last wrote the account."""
    splits = numbers["split"]
    assert splits == list(range(1, len(splits) + 1)), "splits are numbered without gap"
    ended = numbers["read"] + numbers["unread"]
    assert len(ended) == len(set(ended))
    assert set(ended) <= set(splits[:-1])
