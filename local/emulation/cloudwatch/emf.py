"""Metrics in logs: a line in the embedded metric format (EMF) is recorded as values of its metrics.

MiniStack only stores such lines. The rules are those of "Specification: Embedded metric format" (CloudWatch User
Guide). A document that breaks one gives no metric at all, and is counted by EMFValidationErrors.
"""
# ruff: noqa: SLF001 - a patch uses private names

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator
from ministack.services import cloudwatch

from local.emulation.cloudwatch import alarms

if TYPE_CHECKING:
    from collections.abc import Iterator

type Json = dict[str, Any]

MAX_BYTES = 1_048_576
MAX_DIMENSION_CHARACTERS = 1024
MAX_VALUES = 100
SIZES = ("", "Kilo", "Mega", "Giga", "Tera")
AMOUNTS = [f"{size}{unit}".capitalize() for size in SIZES for unit in ("bytes", "bits")]
UNITS = ["Seconds", "Microseconds", "Milliseconds", "Percent", "Count", "None", "Count/Second"]
UNITS += [*AMOUNTS, *(f"{amount}/Second" for amount in AMOUNTS)]
NAME = {"type": "string", "minLength": 1, "maxLength": 255}
METRIC = {
    "type": "object",
    "required": ["Name"],
    "properties": {"Name": NAME, "Unit": {"enum": UNITS}, "StorageResolution": {"enum": [1, 60]}},
}
DIRECTIVE = {
    "type": "object",
    "required": ["Namespace", "Dimensions", "Metrics"],
    "properties": {
        "Namespace": NAME,
        "Dimensions": {"type": "array", "minItems": 1, "items": {"type": "array", "maxItems": 30, "items": NAME}},
        "Metrics": {"type": "array", "maxItems": 100, "items": METRIC},
    },
}
METADATA = Draft202012Validator(
    {
        "type": "object",
        "required": ["Timestamp", "CloudWatchMetrics"],
        "properties": {
            "Timestamp": {"type": "integer"},
            "CloudWatchMetrics": {"type": "array", "items": DIRECTIVE},
        },
    }
)


class InvalidDocument(Exception):
    """A document breaks a rule of the format."""


def record(group: str, lines: list[str]) -> None:
    """Record the metrics in lines of a log group."""
    for line in lines:
        document = _document(line)
        if document is None:
            continue
        try:
            values = list(_values(document, len(line.encode())))
        except InvalidDocument:
            cloudwatch.record_metric("AWS/Logs", "EMFValidationErrors", 1, "Count", {"LogGroupName": group})
            continue
        at = document["_aws"]["Timestamp"] / 1000
        for namespace, metric, dimensions, listed in values:
            unit = metric.get("Unit", "None")
            cloudwatch._store_datum(namespace, metric["Name"], dimensions, at, unit, None, listed, None, None)
            alarms.evaluate(namespace, metric["Name"])


def _document(line: str) -> Json | None:
    """Return the document of a line, before which Lambda may have put a time and a request; None if it has none."""
    try:
        document = json.loads(line[max(line.find("{"), 0) :], parse_constant=_refuse)
    except ValueError:
        return None
    return document if isinstance(document, dict) and "_aws" in document else None


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is not JSON")


def _values(document: Json, size: int) -> Iterator[tuple[str, Json, dict[str, str], list[float]]]:
    """Yield the namespace, metric, dimensions and values of each metric. Raises InvalidDocument."""
    if size > MAX_BYTES or not METADATA.is_valid(document["_aws"]):
        raise InvalidDocument
    for directive in document["_aws"]["CloudWatchMetrics"]:
        for names in directive["Dimensions"]:
            dimensions = {name: _dimension(document.get(name)) for name in names}
            for metric in directive["Metrics"]:
                yield directive["Namespace"], metric, dimensions, _numbers(document.get(metric["Name"]))


def _dimension(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_DIMENSION_CHARACTERS:
        raise InvalidDocument
    return value


def _numbers(value: object) -> list[float]:
    numbers: list[Any] = value if isinstance(value, list) else [value]
    if len(numbers) > MAX_VALUES or not all(type(number) in {int, float} for number in numbers):
        raise InvalidDocument
    return numbers
