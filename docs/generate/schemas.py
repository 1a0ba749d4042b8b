"""`docs/schemas/`: JSON Schemas of what Conveyor writes for programs: receipts, reports, and lines of files."""

import json
import re
from collections.abc import Collection, Iterator
from typing import Any

import msgspec

from conveyor.domain.outcome import Outcome
from conveyor.page.data import Report
from conveyor.receipt.receipt import Receipt
from docs.generate.template import PROJECT

type Schema = dict[str, Any]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TABLES = {"Receipt": "# The receipt", "BatchAccount": "Of each batch:"}
"""By definition: the text before the table of `docs/receipt.md` that explains its fields."""
_CUSTOM_ID = {
    "type": ["string", "integer", "null"],
    "description": "Your id, as you wrote it; null if it is unknown.",
}
_KEPT = "Other keys are those of your line, as you wrote them."


def receipt() -> str:
    """Return the schema of `receipt.json`. Later versions add fields, and earlier ones may lack some."""
    schema = _with_numbers(msgspec.json.schema(Receipt))
    for name, heading in _TABLES.items():
        fields = schema["$defs"][name]["properties"]
        for field, text in _explained(heading):
            fields[field]["description"] = text
    return _page({"$schema": _DIALECT, "title": "receipt.json"} | schema)


def report() -> str:
    """Return the schema of what `conveyor report --json` prints. Later versions add fields."""
    return _page({"$schema": _DIALECT, "title": "conveyor report --json"} | msgspec.json.schema(Report))


def result() -> str:
    """Return the schema of a line of `results.jsonl`."""
    properties = {
        "custom_id": _CUSTOM_ID,
        "line": {"type": "integer", "minimum": 1, "description": "The line of the drop, if its id is unknown."},
        "response": {"type": "object", "description": "The provider's answer, as it came."},
        "error": {"type": "null"},
    }
    return _page(_line("results.jsonl", f"A request that was answered. {_KEPT}", properties, optional={"line"}))


def failure() -> str:
    """Return the schema of a line of `failures.jsonl`."""
    error = {
        "type": "object",
        "description": "Why: the provider's error, or the outcome or the code of a fault if it gave none.",
        "properties": {"type": {"type": "string"}, "message": {"type": "string"}},
        "required": ["type", "message"],
    }
    properties = {
        "custom_id": _CUSTOM_ID,
        "response": {"type": "null"},
        "error": error,
        "line": {
            "type": ["integer", "null"],
            "minimum": 1,
            "description": "The line of the drop; null if it is unknown.",
        },
        "outcome": {"enum": [outcome.value for outcome in Outcome if outcome is not Outcome.SUCCEEDED]},
        "retryable": {"type": "boolean", "description": "Whether the line is in retry.jsonl."},
    }
    return _page(_line("failures.jsonl", f"A request that was not answered. {_KEPT}", properties))


def _line(file: str, text: str, properties: Schema, optional: Collection[str] = ()) -> Schema:
    return {
        "$schema": _DIALECT,
        "title": f"A line of {file}",
        "description": text,
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
    }


def _with_numbers(schema: Any) -> Any:  # noqa: ANN401  # JSON has no narrower type
    """Return a schema in which amounts of money are numbers, as they are written."""
    if isinstance(schema, dict):
        if schema.get("format") == "decimal":
            return {"type": "number"}
        return {name: _with_numbers(value) for name, value in schema.items()}
    return [_with_numbers(value) for value in schema] if isinstance(schema, list) else schema


def _explained(heading: str) -> Iterator[tuple[str, str]]:
    """Yield the fields that a table of the page explains, each with its text and without links."""
    _, _, page = (PROJECT / "docs" / "receipt.md").read_text().partition(heading)
    table = page.partition("\n## ")[0].partition("\n\nOf each")[0]
    for fields, text in re.findall(r"^\| (`.*?) \| (.*) \|$", table, re.MULTILINE):
        for field in re.findall("`([a-z_]+)`", fields):
            yield field, re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", text)


def _page(schema: Schema) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
