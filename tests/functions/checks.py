"""A drop's outputs and receipt, held against its lines."""

from collections import Counter
from hashlib import sha256
from io import BytesIO
from typing import Any

import orjson

from tests.functions.belt import Belt


def check(belt: Belt, run: str, notice: dict[str, Any], data: bytes) -> dict[str, Any]:
    """Hold a completed run's files against its drop and its receipt, and return the receipt."""
    receipt = belt.receipt(run)
    assert (notice["run"], notice["status"], receipt["status"]) == (run, "completed", "completed")
    name = receipt["name"]
    asked = [orjson.loads(line)["custom_id"] for line in data.splitlines()]
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


def _ids(belt: Belt, key: str) -> list[str]:
    return [orjson.loads(line)["custom_id"] for line in belt.read(key).splitlines()]


def _check_file(file: dict[str, Any], content: bytes) -> None:
    """Hold a file against its account, stretch by stretch where it was joined."""
    assert (file["lines"], file["bytes"]) == (content.count(b"\n"), len(content))
    rest = BytesIO(content)
    for stretch in file.get("stretches", [file]):
        assert sha256(rest.read(stretch["bytes"])).hexdigest() == stretch["sha256"]
    assert not rest.read(), "no byte is without a checksum"
