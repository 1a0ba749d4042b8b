"""Log events with the fields that Logs Insights discovers: "Supported logs and discovered fields" (User Guide)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.emulation.insights.values import Value

MAX_FIELDS = 200
"""That are discovered in one event."""
SYSTEM = ("@timestamp", "@message", "@logStream", "@log", "@ptr", "@ingestionTime")

decoder = json.JSONDecoder()


@dataclass
class Row:
    """An event, or a result of `stats`."""

    values: dict[str, Value]
    time: int = 0
    """In milliseconds since 1970."""


def row(system: dict[str, Value], time: int) -> Row:
    """Return an event with its system fields and those that are discovered in its message."""
    found = islice(_fields(str(system["@message"])), MAX_FIELDS)
    return Row(dict(found) | system, time)


def _fields(message: str) -> Iterator[tuple[str, Value]]:
    """Yield the fields of the first JSON object in a message."""
    start = message.find("{")
    if start < 0:
        return
    try:
        content, _ = decoder.raw_decode(message, start)
    except ValueError:
        return
    for name, value in content.items():
        yield from _flattened(f"@{name}" if name.startswith("@") else name, value)


def _flattened(name: str, value: object) -> Iterator[tuple[str, Value]]:
    """Yield a value, and those in it under dotted names."""
    if isinstance(value, dict | list):
        parts = value.items() if isinstance(value, dict) else enumerate(value)
        for key, part in parts:
            yield from _flattened(f"{name}.{key}", part)
    elif isinstance(value, str | int | float):
        yield name, value
