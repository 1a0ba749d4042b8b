"""The receipt of a run with rounds counts texts of failures once, and shows failures that were not answered later."""

from typing import Any

import orjson
import pytest

from tests.support.belt import Belt, drop_of
from tests.support.gates import stop
from tests.support.probes import PROBED
from tests.support.promises import agree, check
from tests.support.settings import STACK_SETTINGS

POLLS = {"POLL_MIN_SECONDS": "600", "POLL_MAX_SECONDS": "900"}
DATA = drop_of(9)
BUSY = "errored:overloaded_error"


@pytest.fixture(params=["messages", "files"])
def stack_settings(request: pytest.FixtureRequest) -> dict[str, str]:
    """Return the settings of a stack of each dialect, with rounds."""
    return STACK_SETTINGS | POLLS | {"BATCH_API": request.param, "RETRY_ROUNDS": "2"}


def counts(receipt: dict[str, Any]) -> dict[str, tuple[int, list[int], list[list[int]]]]:
    """Return failures, counts of texts, and the lines of examples, by type."""
    return {
        name: (
            kind["failures"],
            list(kind["words"].values()),
            [[each["line"] for each in examples] for examples in kind["examples"].values()],
        )
        for name, kind in receipt["errors"].items()
    }


def of_batch(batch: dict[str, Any]) -> tuple[int, int, int]:
    """Return how many requests of a batch were answered, failed, and were sent again."""
    return batch["results"], batch["failures"], batch["sent_again"]


def finish(belt: Belt, data: bytes, *legs: dict[str, str], **metadata: str) -> tuple[str, dict[str, Any]]:
    """Finish a run; `legs`: how requests end, by their place in the batch, at first and in each round."""
    belt.provider.configure(outcomes=legs[0], every={})
    run, end, number = belt.upload(data, metadata=metadata), None, 1
    while end is None:
        if belt.facts(run, f"round-{number}.json"):
            belt.provider.configure(outcomes=legs[number], every={})
            number += 1
        end = belt.advance(run)
    return run, end


def test_what_failed_in_each_round_counts_once_and_what_was_answered_is_no_example(belt: Belt) -> None:
    """Lines 2 and 4 fail three times, 5 and 7 at first, and 9 for good."""
    first = {"2": BUSY, "4": BUSY, "5": BUSY, "7": "expired", "9": "errored:invalid_request_error"}
    run, end = finish(belt, DATA, first, {"1": BUSY, "2": BUSY}, {"1": BUSY, "2": "errored:api_error"})
    receipt = check(belt, run, end, DATA)
    assert counts(receipt) == {
        "api_error": (1, [1], [[4]]),
        "invalid_request_error": (1, [1], [[9]]),
        "overloaded_error": (1, [1], [[2]]),
    }
    (batch,) = receipt["batches"]
    assert of_batch(batch) == (4, 1, 4)
    assert [of_batch(each["batches"][0]) for each in receipt["rounds"]] == [(2, 0, 2), (0, 2, 0)]
    assert belt.fact(run, "batches/1/merged.json")["sent_again"] == {"1": 4, "round-1/1": 2}


def test_lines_of_the_probe_that_were_sent_again_are_counted_with_its_batch(belt: Belt) -> None:
    """The range that they belong to was sent without them."""
    data = drop_of(60)
    run, end = finish(
        belt, data, {"2": BUSY, "3": BUSY, "7": "errored:invalid_request_error"}, {"1": BUSY}, {}, **PROBED
    )
    receipt = check(belt, run, end, data)
    (first,), (rest,) = receipt["probe"]["batches"], receipt["batches"]
    assert (of_batch(first), of_batch(rest)) == ((47, 1, 2), (7, 1, 2))
    assert receipt["planned_batches"] == 1
    assert sum(of_batch(each["batches"][0])[2] for each in receipt["rounds"]) == 1
    (examples,) = receipt["errors"]["invalid_request_error"]["examples"].values()
    assert (len(examples), list(receipt["errors"])) == (2, ["invalid_request_error"])


@pytest.mark.parametrize("ordered", [True, False])
def test_texts_stay_where_a_round_was_not_sent(belt: Belt, monkeypatch: pytest.MonkeyPatch, *, ordered: bool) -> None:
    """The outcomes of the first time are those that count, also if results were written as they came."""
    monkeypatch.setenv("CONVEYOR_SPOOL_BYTES", "9500000000" if ordered else "1")
    belt.clients.__dict__.pop("environment", None)
    belt.provider.configure(outcomes={"2": BUSY, "4": BUSY, "9": "errored:invalid_request_error"})
    run = belt.upload(DATA)
    while not belt.facts(run, "round"):
        belt.advance(run)
    stop(belt, run)
    belt.finish(run)
    receipt = agree(belt, run)
    assert counts(receipt) == {"overloaded_error": (2, [2], [[2, 4]]), "invalid_request_error": (1, [1], [[9]])}
    assert of_batch(receipt["batches"][0]) == (6, 3, 0)


def test_texts_of_an_earlier_version_are_no_more_than_failures(belt: Belt) -> None:
    """It did not tell apart what a round sends again."""
    belt.provider.configure(outcomes={"2": BUSY, "4": BUSY, "5": BUSY})
    run = belt.upload(DATA)
    while not belt.facts(run, "round"):
        belt.advance(run)
    (key,) = (key for key in belt.stored("content/") if key.endswith("/errors.json"))
    text = next(iter(orjson.loads(belt.read(key))["again"]["overloaded_error"]["words"]))
    belt.s3.put_object(Bucket=belt.bucket, Key=key, Body=orjson.dumps({"overloaded_error": {text: 3}}))
    belt.provider.configure(outcomes={"1": BUSY}, every={})
    for _ in range(2):
        belt.finish(run)
    assert counts(agree(belt, run)) == {"overloaded_error": (1, [1], [[2]])}
