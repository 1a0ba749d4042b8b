"""The schemas of what Conveyor writes are schemas, explain every field, and refuse what is wrong."""

import json
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from conveyor.domain.outcome import Error, Outcome, failure
from conveyor.split.outputs import Output
from tests.support.receipts import EVERY
from tests.support.schemas import SCHEMAS, check_receipt, schema_of, validator

RESULT = {"custom_id": "a", "response": {"id": "msg_1"}, "error": None}
FAILURE = {
    "custom_id": 7,
    "response": None,
    "error": {"type": "api_error", "message": "Busy"},
    "line": 3,
    "outcome": "errored",
    "retryable": True,
}


@pytest.mark.parametrize("path", sorted(SCHEMAS.glob("*.json")), ids=lambda path: path.name)
def test_each_schema_is_one(path: Any) -> None:
    """An editor or a program can read it."""
    Draft202012Validator.check_schema(json.loads(path.read_text()))


def test_every_field_of_the_receipt_is_explained_in_its_schema() -> None:
    """In the words of the page."""
    definitions = schema_of("receipt")["$defs"]
    for name in ("Receipt", "BatchAccount"):
        assert all(field["description"] for field in definitions[name]["properties"].values())


@pytest.mark.parametrize("name", EVERY)
def test_each_receipt_keeps_its_schema(name: str) -> None:
    """Whatever its status; amounts are numbers."""
    data = msgspec.json.Encoder(decimal_format="number").encode(EVERY[name])
    check_receipt(json.loads(data))


def test_a_receipt_with_a_field_of_another_type_does_not() -> None:
    """Amounts of money are no texts."""
    receipt = json.loads(msgspec.json.Encoder(decimal_format="number").encode(EVERY["some failed"]))
    every: list[dict[str, Any]] = [{"cost_usd": "1.5"}, {"results": None}, {"status": "done"}, {"batches": [{}]}]
    for wrong in every:
        assert not validator("receipt").is_valid(receipt | wrong)
    del receipt["outcomes"]
    assert not validator("receipt").is_valid(receipt)


@pytest.mark.parametrize(
    ("name", "line", "wrong"),
    [
        ("result", RESULT, [{"response": None}, {"error": {}}, {"custom_id": 1.5}, {"line": 0}]),
        (
            "failure",
            FAILURE,
            [{"response": {}}, {"error": None}, {"error": {"type": "a"}}, {"outcome": "succeeded"}, {"retryable": 1}],
        ),
    ],
    ids=["result", "failure"],
)
def test_a_line_of_output_keeps_its_schema_with_other_keys_beside_ours(
    name: str, line: dict[str, Any], wrong: list[dict[str, Any]]
) -> None:
    """Kept keys are the user's; ours have their types."""
    schema = validator(name)
    assert schema.is_valid(line)
    assert schema.is_valid(line | {"custom_id": None, "price": "12", "tags": [None]})
    assert [each for each in wrong if schema.is_valid(line | each)] == []
    needed = line.keys() - {"line"} if name == "result" else line.keys()
    assert [key for key in needed if schema.is_valid({each: line[each] for each in line if each != key})] == []


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome is not Outcome.SUCCEEDED])
def test_a_failure_with_each_outcome_keeps_the_schema(outcome: Outcome) -> None:
    """With and without a line."""
    for line in (None, 4):
        written = Output.of(failure(outcome, Error("api_error", "Busy")), line).line(b"null")
        validator("failure").validate(json.loads(written))
