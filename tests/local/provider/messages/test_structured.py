"""The simulated provider answers in the form of a JSON Schema, so that a table of labels can be tried without a key."""

import json
from typing import Any

import pytest
from jsonschema import validate

from local.provider.messages.structured import structured_answer

SCHEMA = {
    "type": "object",
    "properties": {
        "label": {"type": "string", "enum": ["login", "billing", "bug"]},
        "wish": {"type": "string"},
        "urgent": {"type": "boolean"},
        "score": {"type": "number"},
        "tags": {"type": "array", "items": {"type": "object", "properties": {"v": {"const": 1}}, "required": ["v"]}},
    },
    "required": ["label", "wish", "urgent", "score", "tags"],
}


def asked(schema: Any) -> dict[str, Any]:
    """Ask for a schema."""
    return {"format": {"type": "json_schema", "schema": schema}}


def test_an_answer_has_the_form_of_the_schema() -> None:
    """Each field is there, with a value that is allowed; labels differ."""
    answers = [json.loads(structured_answer(asked(SCHEMA), f"{number:022x}", "so")) for number in range(9)]
    for answer in answers:
        validate(answer, SCHEMA)
    assert {answer["label"] for answer in answers} == {"login", "billing", "bug"}


@pytest.mark.parametrize("config", [None, 7, {}, {"format": None}, {"format": {"type": "text"}}])
def test_without_a_schema_it_is_a_sentence(config: object) -> None:
    """As ever."""
    assert not structured_answer(config, "00", "so")


@pytest.mark.parametrize(
    "schema", [None, 7, [], {"type": ["string", "null"]}, {"enum": []}, {"type": "object", "properties": 7}]
)
def test_a_strange_schema_breaks_nothing(schema: object) -> None:
    """The provider refuses many; here they get some JSON."""
    assert structured_answer(asked(schema), "00", "so") in {"null", "{}"}
