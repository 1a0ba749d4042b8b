"""The JSON bodies of messages, against the schema that is shipped with the documents."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from jsonschema_rs import Draft202012Validator

SCHEMA = Path(__file__).parents[2] / "docs" / "schemas" / "message.schema.json"


@cache
def _validator() -> Draft202012Validator:
    schema = json.loads(SCHEMA.read_text())
    _close(schema)
    return Draft202012Validator(schema)


def _close(schema: Any) -> None:
    """Allow no further fields here: a field that the schema does not name is not documented."""
    if isinstance(schema, dict):
        if "properties" in schema:
            schema["additionalProperties"] = False
        for each in schema.values():
            _close(each)
    elif isinstance(schema, list):
        for each in schema:
            _close(each)


def check_body(notice: dict[str, Any]) -> None:
    """Check the body of a message, as the state machine gets it from a function."""
    body = orjson.loads(orjson.dumps(notice["data"]))
    _validator().validate(body)
    assert body["id"].startswith(f"{notice['run']}/{body['event']}")
    assert {name: body[name] for name in ("run", "name", "project", "status", "subject")} == {
        name: notice[name] for name in ("run", "name", "project", "status", "subject")
    }
