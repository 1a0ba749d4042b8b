"""Dashboards are checked.

MiniStack stores any text. AWS refuses a body with an error in it: "Dashboard Body Structure and Syntax" (CloudWatch API
Reference). The checks here are those of JSON, the grid, and what each type of widget must have.
"""
# ruff: noqa: SLF001 - a patch replaces private names

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator
from ministack.services import cloudwatch
from ministack.services.cloudformation import provisioners

if TYPE_CHECKING:
    from collections.abc import Iterator

type Json = dict[str, Any]
type Answer = tuple[int, dict[str, str], bytes]

COLUMNS, MAX_HEIGHT, MAX_WIDGETS = 24, 1000, 500
DASHBOARD = provisioners._RESOURCE_HANDLERS["AWS::CloudWatch::Dashboard"]
METRIC_VIEWS = ["timeSeries", "singleValue", "bar", "pie", "gauge", "table"]
LOG_VIEWS = ["table", "timeSeries", "bar", "pie"]
TEXT = {"type": "string"}
ANNOTATED = {
    "type": "object",
    "properties": {"alarms": {"type": "array", "maxItems": 1, "items": TEXT}, "horizontal": {"type": "array"},
                   "vertical": {"type": "array"}},
    "additionalProperties": False,
}  # fmt: skip
ROW = {"type": "array", "minItems": 1, "items": {"type": ["string", "object"]}}
PROPERTIES: dict[str, Json] = {
    "metric": {
        "required": ["region"],
        "anyOf": [{"required": ["metrics"]}, {"required": ["annotations"]}],
        "properties": {
            "region": TEXT, "title": TEXT, "view": {"enum": METRIC_VIEWS}, "stacked": {"type": "boolean"},
            "stat": TEXT, "period": {"type": "integer", "minimum": 1}, "annotations": ANNOTATED,
            "metrics": {"type": "array", "minItems": 1, "maxItems": 500, "items": ROW},
        },
    },
    "text": {"required": ["markdown"], "properties": {"markdown": TEXT}},
    "log": {
        "required": ["region", "query"],
        "properties": {
            "region": TEXT, "title": TEXT, "view": {"enum": LOG_VIEWS},
            "query": {"type": "string", "pattern": r"^\s*SOURCE\s+'[^']+'(\s*\|\s*SOURCE\s+'[^']+')*\s*\|"},
        },
    },
    "alarm": {
        "required": ["alarms"],
        "properties": {"title": TEXT, "alarms": {"type": "array", "minItems": 1, "maxItems": 100, "items": TEXT}},
    },
}  # fmt: skip
WIDGET = {
    "type": "object",
    "required": ["type", "properties"],
    "properties": {
        "type": {"enum": list(PROPERTIES)},
        "x": {"type": "integer", "minimum": 0, "maximum": COLUMNS - 1},
        "y": {"type": "integer", "minimum": 0},
        "width": {"type": "integer", "minimum": 1, "maximum": COLUMNS},
        "height": {"type": "integer", "minimum": 1, "maximum": MAX_HEIGHT},
        "properties": {"type": "object"},
    },
    "dependentRequired": {"x": ["y"], "y": ["x"]},
    "allOf": [
        {"if": {"properties": {"type": {"const": kind}}}, "then": {"properties": {"properties": needed}}}
        for kind, needed in PROPERTIES.items()
    ],
}
BODY = Draft202012Validator(
    {
        "type": "object",
        "required": ["widgets"],
        "properties": {"widgets": {"type": "array", "maxItems": MAX_WIDGETS, "items": WIDGET}},
    }
)

put_dashboard = cloudwatch._put_dashboard
create, update = DASHBOARD["create"], DASHBOARD["update"]


def patch() -> None:
    """Apply the patches."""
    cloudwatch._put_dashboard = _put_dashboard
    DASHBOARD["create"], DASHBOARD["update"] = _create, _update


def problems(body: str) -> Iterator[str]:
    """Yield what AWS does not accept of a body."""
    try:
        content = json.loads(body)
    except ValueError as reason:
        yield f"The field DashboardBody must be a valid JSON object: {reason}"
        return
    for error in BODY.iter_errors(content):
        yield f"/{'/'.join(map(str, error.absolute_path))}: {error.message}"


def _put_dashboard(parameters: Json, data: Json, is_cbor: object, is_json: object = False) -> Answer:  # noqa: FBT002 - MiniStack's own
    found = list(problems(data.get("DashboardBody", ""))) if is_json else []
    if found:
        message = f"The dashboard body is invalid, there are {len(found)} validation errors: {'; '.join(found)}"
        refusal: Answer = cloudwatch._error("InvalidParameterInput", message, 400, use_json=True)
        return refusal
    answer: Answer = put_dashboard(parameters, data, is_cbor, is_json)
    return answer


def _check(properties: Json) -> None:
    if found := list(problems(properties["DashboardBody"])):
        raise ValueError(f"The dashboard body is invalid: {'; '.join(found)}")


def _create(logical_id: str, properties: Json, stack: str) -> tuple[str, Json]:
    _check(properties)
    created: tuple[str, Json] = create(logical_id, properties, stack)
    return created


def _update(physical_id: str, old: Json, new: Json, stack: str) -> tuple[str, Json]:
    _check(new)
    updated: tuple[str, Json] = update(physical_id, old, new, stack)
    return updated
