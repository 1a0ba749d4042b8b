"""The receipt shows three failures of each text: with line, id, and the provider's words."""

from base64 import b64encode
from typing import Any

import orjson
import pytest

from tests.support.belt import Belt, drop_of, request
from tests.support.promises import agree
from tests.support.settings import STACK_SETTINGS


@pytest.fixture(params=["messages", "files"])
def stack_settings(request: pytest.FixtureRequest) -> dict[str, str]:
    """Return the settings of a stack of each dialect; a batch has four requests."""
    return STACK_SETTINGS | {"BATCH_API": request.param, "MAX_REQUESTS_PER_BATCH": "4"}


def examples(receipt: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """Return the examples of all texts."""
    return [found for kind in receipt["errors"].values() for found in kind["examples"].values()]


@pytest.mark.parametrize("ordered", [True, False])
def test_the_examples_of_a_text_are_its_first_failure_its_last_and_one_between(
    belt: Belt, monkeypatch: pytest.MonkeyPatch, *, ordered: bool
) -> None:
    """Of the whole drop, which has three batches; whether results are sorted on the disk, or written as they come."""
    monkeypatch.setenv("CONVEYOR_SPOOL_BYTES", "9500000000" if ordered else "1")
    belt.clients.__dict__.pop("environment", None)
    outcomes = {"2": "errored:api_error", "3": "errored:api_error"}
    shuffled = {"call": "results", "do": {"kind": "spoil", "shuffle": 3}, "times": None}
    belt.provider.configure(outcomes=outcomes, faults=[shuffled])
    run = belt.upload(b"\n" + drop_of(12))
    belt.finish(run)
    receipt = agree(belt, run)
    (((first, between, last)),) = examples(receipt)
    assert [each["line"] for each in (first, last)] == [3, 12]
    assert between["line"] in {4, 7, 8, 11}
    assert [each["custom_id"] for each in (first, between, last)] == ["r-2", f"r-{between['line'] - 1}", "r-11"]
    assert [(each["results"], each["failures"]) for each in receipt["batches"]] == [(2, 2)] * 3


def test_an_example_has_the_numbers_that_its_text_has_not(belt: Belt) -> None:
    """Which field of which message it was."""
    if belt.clients.settings.batch_api == "files":
        error: dict[str, Any] = {"error": {"code": "invalid_value", "message": "messages.7: too long (31 tokens)"}}
    else:
        words = {"type": "invalid_value", "message": "messages.7: too long (31 tokens)"}
        error = {"result": {"type": "errored", "error": {"type": "error", "error": words}}}
    line = b64encode(orjson.dumps({"custom_id": "<wire id>"} | error)).decode()
    belt.provider.fail("results", {"kind": "spoil", "lines": {"1": line}}, times=None)
    run = belt.upload(drop_of(2))
    belt.finish(run)
    (((example,)),) = examples(agree(belt, run))
    assert example == {"line": 1, "custom_id": "r-1", "words": "messages.7: too long (31 tokens)"}


def test_lines_that_were_left_out_are_examples_with_their_id_as_far_as_it_could_be_read(belt: Belt) -> None:
    """Their text is ours. An id that is a number stands as a text."""
    bad = orjson.dumps({"custom_id": 7, "params": {"model": "m", "max_tokens": -1, "messages": []}})
    run = belt.upload(b"\n".join([request("a"), b"{nonsense", bad, request("b")]), metadata={"on-invalid": "skip"})
    belt.finish(run)
    found = examples(agree(belt, run))
    assert sorted((each["line"], each["custom_id"]) for ((each),) in found) == [(2, ""), (3, "7")]
    assert agree(belt, run)["batches"][0]["failures"] == 0


def test_failures_of_a_drop_that_is_gone_are_examples_without_an_id(belt: Belt) -> None:
    """The line is known from the id under which the request was sent."""
    belt.provider.configure(outcomes={"2": "errored:api_error"})
    run = belt.upload(drop_of(3))
    while belt.poll(run)["next"] != "split":
        belt.submit({"run": run})
    belt.s3.delete_object(Bucket=belt.bucket, Key="inbox/three.jsonl", VersionId=version(belt))
    belt.finish(run)
    (((example,)),) = examples(agree(belt, run))
    assert (example["line"], example["custom_id"]) == (2, "")


def version(belt: Belt) -> str:
    """Return the version of the drop."""
    found: str = belt.s3.head_object(Bucket=belt.bucket, Key="inbox/three.jsonl")["VersionId"]
    return found


def test_the_receipt_has_the_settings_of_the_run_and_what_the_drop_has_set(belt: Belt) -> None:
    """Under the names of the template."""
    run = belt.upload(drop_of(2), metadata={"max-invalid-percent": "7", "mtime": "1"})
    belt.finish(run)
    settings = {each["name"]: (each["value"], each["metadata"]) for each in agree(belt, run)["settings"]}
    assert settings["Tuning=max-invalid-percent"] == ("7", "max-invalid-percent")
    assert settings["Tuning=max-requests-per-batch"] == ("4", "")
    assert settings["HoldAboveUsd"] == ("0", "")
