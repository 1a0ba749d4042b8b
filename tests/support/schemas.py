"""The JSON Schemas that users get, and what the tests check by them."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import orjson
from jsonschema_rs import Draft202012Validator

from conveyor.page.data import report_of
from conveyor.receipt.receipt import Receipt

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"
_OF_LINES = {"results.jsonl": "result", "failures.jsonl": "failure"}


@cache
def validator(name: str) -> Draft202012Validator:
    """Return what validates documents by a schema, such as `receipt`."""
    return Draft202012Validator(schema_of(name))


@cache
def schema_of(name: str) -> dict[str, Any]:
    """Return a schema that is shipped with the documents."""
    schema: dict[str, Any] = json.loads((SCHEMAS / f"{name}.schema.json").read_text())
    return schema


def check_receipt(receipt: dict[str, Any], *, is_of_today: bool = True) -> None:
    """Check that a receipt keeps its schema, and has no field that the schema does not explain.

    `is_of_today`: no earlier release has written it, which may lack fields that were added since.
    """
    validator("receipt").validate(receipt)
    explained = schema_of("receipt")["$defs"]["Receipt"]["properties"].keys()
    assert receipt.keys() == explained if is_of_today else receipt.keys() <= explained


def check_report(receipt: Receipt) -> None:
    """Check that what a page shows keeps its schema."""
    validator("report").validate(orjson.loads(msgspec.json.encode(report_of(receipt))))


def check_lines(key: str, content: bytes) -> None:
    """Check that each line of a file of results or failures keeps its schema."""
    if name := _OF_LINES.get(key.rpartition("/")[2]):
        for line in content.splitlines():
            validator(name).validate(orjson.loads(line))
