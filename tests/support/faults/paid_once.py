"""Checks of a history with one batch: its outputs, that it was paid once, and that the ledger shows it."""

import re
from typing import Any

import orjson

from tests.support import promises
from tests.support.belt import Belt
from tests.support.faults.history import Ending

_NUMBERED = re.compile(r"batches/(\d+)/(attempt|refused|absent|split|read|unread)-(\d+)\.json")


def check(belt: Belt, ending: Ending, data: bytes) -> dict[str, Any]:
    """Check outputs, payment and ledger, and return the receipt."""
    receipt = promises.check(belt, ending.run, ending.notice, data)
    name = receipt["name"]
    for key in [*belt.stored(f"results/{name}/"), *belt.stored(f"failures/{name}/")]:
        assert f"/{ending.run}/" in key, "a file of another run"
    assert all("segments" not in file for file in receipt["files"]), "the output of a single batch is not joined"
    _check_ledger(belt, ending, receipt)
    return receipt


def _check_ledger(belt: Belt, ending: Ending, receipt: dict[str, Any]) -> None:
    """Check that nothing was paid twice, by the provider's own count, and that the ledger agrees."""
    run, facts = ending.run, belt.facts(ending.run)
    created = [batch["id"] for batch in belt.provider.stats()["batches"]]
    assert ending.created == len(created) == len(receipt["batches"]) == 1, "not exactly one batch was created"
    assert {name.split("/")[1] for name in facts if name.startswith("batches/")} == {"1"}
    assert "refused.json" not in facts
    assert not [name for name in facts if name.endswith("stuck.json")]
    attempts = 0
    for number, account in enumerate(receipt["batches"], 1):
        assert account["number"] == number
        assert account["id"] == created[number - 1] == belt.fact(run, f"batches/{number}/batch-1.json")["id"]
        assert orjson.loads(belt.read(f"claims/batches/{account['id']}")) == {
            "run": run,
            "batch": number,
            "project": "default",
        }
        assert account["duplicates"] == [name for name in facts if "duplicate" in name] == []
        attempts += _check_attempts(belt, run, number, _numbers(facts, number))
        _check_splits(_numbers(facts, number))
        odd = account["foreign"] + account["repeated"] + receipt["repaired"] + receipt["unreadable"]
        assert sum(file["lines"] for file in receipt["files"] if file["key"].endswith("/aside.jsonl")) == odd
    assert ending.creates <= attempts, "a create call without a recorded attempt"


def _numbers(facts: list[str], batch: int) -> dict[str, list[int]]:
    """Return the sorted numbers of a batch's facts, by kind."""
    matches = [match.groups() for name in facts if (match := _NUMBERED.fullmatch(name))]
    numbers = {kind: list[int]() for kind in ("attempt", "refused", "absent", "split", "read", "unread")}
    for number, kind, attempt in sorted(matches, key=lambda match: int(match[2])):
        if int(number) == batch:
            numbers[kind].append(int(attempt))
    return numbers


def _check_attempts(belt: Belt, run: str, batch: int, numbers: dict[str, list[int]]) -> int:
    """Count the attempts. All but the last must be refused or absent, and every call must be claimed."""
    attempts = numbers["attempt"]
    assert attempts == list(range(1, len(attempts) + 1)), "attempt numbers have a gap"
    assert sorted(numbers["refused"] + numbers["absent"]) == attempts[:-1]
    claimed = {key.rsplit("/", 1)[-1] for key in belt.stored(f"claims/attempts/{run}/")}
    assert claimed <= {f"{batch}-{number}" for number in attempts}
    assert {f"{batch}-{number}" for number in numbers["refused"]} <= claimed
    return len(attempts)


def _check_splits(numbers: dict[str, list[int]]) -> None:
    """Check that split numbers have no gap, and that each split but the last ended at most once without an account."""
    splits = numbers["split"]
    assert splits == list(range(1, len(splits) + 1)), "split numbers have a gap"
    ended = numbers["read"] + numbers["unread"]
    assert len(ended) == len(set(ended))
    assert set(ended) <= set(splits[:-1])
