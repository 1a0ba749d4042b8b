"""The JSON Schema of messages, from the struct that is written: each field with the words of its docstring."""

import ast
import inspect
import json
from collections.abc import Iterator
from textwrap import dedent
from typing import Any

import msgspec

from conveyor.wording.message import Message

type Json = dict[str, Any]

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def page() -> str:
    """Return the schema of the JSON body of messages, and of the detail of events."""
    return _text(schema_of(Message, "The JSON body of a message of Conveyor, and the detail of its event."))


def schema_of(struct: type[msgspec.Struct], title: str) -> Json:
    """Return the schema of a struct with those that it holds. Further fields are allowed: later versions add some."""
    (schema,), parts = msgspec.json.schema_components([struct], ref_template="#/$defs/{name}")
    top = parts.pop(struct.__name__)
    known = {each.__name__: each for each in _structs(struct)}
    for name, part in {struct.__name__: top, **parts}.items():
        _describe(part, known.get(name))
    del schema
    return {"$schema": _DRAFT, **top, "title": title, "$defs": dict(sorted(parts.items()))}


def _structs(struct: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    """Return a struct, and the structs of its module that others may name."""
    module = inspect.getmodule(struct)
    yield from (each for each in vars(module).values() if inspect.isclass(each) and issubclass(each, msgspec.Struct))


def _describe(part: Json, struct: type[msgspec.Struct] | None) -> None:
    """Say that every field is written, and give it the words of its docstring."""
    if struct is None:
        return
    part["required"] = list(part["properties"])
    words = dict(_docstrings(struct))
    for name, field in part["properties"].items():
        field.pop("default", None)
        if name in words:
            field["description"] = words[name]


def _docstrings(struct: type[msgspec.Struct]) -> Iterator[tuple[str, str]]:
    """Return the string behind each field of a struct, on one line."""
    (node,) = ast.parse(dedent(inspect.getsource(struct))).body
    if not isinstance(node, ast.ClassDef):
        return
    for field, behind in zip(node.body, node.body[1:], strict=False):
        match field, behind:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(words))):
                yield name, " ".join(words.split())


def _text(schema: Json) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
