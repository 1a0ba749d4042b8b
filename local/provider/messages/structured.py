"""Answers in the form of a JSON Schema, where a request asks for one: made up, and different for each request."""

from __future__ import annotations

import json
from typing import Any

_DEEPEST = 16


def structured_answer(output_config: object, digest: str, sentence: str) -> str:
    """Return a JSON value of the schema in `output_config.format`; empty if there is none. Never raises.

    `digest`: hexadecimal; it decides between the values of an `enum`. `sentence`: stands for every text.
    """
    form = output_config.get("format") if isinstance(output_config, dict) else None
    if not isinstance(form, dict) or form.get("type") != "json_schema":
        return ""
    return json.dumps(_value(form.get("schema"), int(digest, 16), sentence, 0), ensure_ascii=False)


def _value(schema: object, number: int, sentence: str, depth: int) -> Any:  # noqa: ANN401
    if not isinstance(schema, dict) or depth > _DEEPEST:
        return None
    fields, choices, type_ = schema.get("properties"), schema.get("enum"), schema.get("type")
    if "const" in schema:
        choices = [schema["const"]]
    if isinstance(choices, list) and choices:
        return choices[number % len(choices)]
    if type_ == "object":
        named = fields.items() if isinstance(fields, dict) else ()
        return {name: _value(each, number, sentence, depth + 1) for name, each in named}
    if type_ == "array":
        return [_value(schema.get("items"), number, sentence, depth + 1)]
    plain = {"string": sentence, "integer": number % 100, "number": number % 100, "boolean": number % 2 == 1}
    return plain.get(type_) if isinstance(type_, str) else None
