"""The line of a drop that a row becomes, checked as the stack checks it."""

from decimal import Decimal
from typing import Any, NamedTuple

from conveyor.domain.findings import CustomId
from conveyor.jsonl.lines import LONGEST_LINE, Line
from conveyor.provider.messages.dialect import DIALECT
from conveyor.validation.params import Rules, is_count
from conveyor.validation.rules import Request, read_request
from conveyor_cli.preparing.ids import BadId, id_of
from conveyor_cli.preparing.template import NotRendered, Template
from conveyor_cli.tables.table import Columns, Row
from conveyor_cli.tables.values import as_json, as_text, encode, plain

CACHE = {"type": "ephemeral", "ttl": "1h"}
"""A batch may take longer than the five minutes for which a prompt is cached otherwise."""
_RULES = Rules(DIALECT, default_max_tokens=0)


class BadRow(Exception):
    """A row that becomes no request. Quotes no cell of a prompt."""


class Form(NamedTuple):
    """What all requests of a table have in common."""

    columns: Columns
    prompt: Template
    system: Template | None
    model: str | None
    """None: it is in `model_column`."""
    model_column: str | None
    max_tokens: int
    """Also of rows whose `max_tokens_column` is empty."""
    max_tokens_column: str | None
    id_column: str | None
    """None: the id is the number of the row."""
    kept: Columns
    schema: dict[str, Any] | None
    content: str | None
    """The column that the prompt must use where no file is attached: what else would be sent?"""
    cache_system: bool
    """Whether the system prompt is cached."""


class Written(NamedTuple):
    """A request, and its line."""

    custom_id: CustomId
    line: bytes
    """Without a line feed."""
    request: Request
    params: dict[str, Any]


def request_of(form: Form, row: Row) -> Written:
    """Return the request of a row. Raises BadRow."""
    if row.problem:
        raise BadRow(row.problem)
    cells = dict(zip(form.columns, row.values, strict=True))
    custom_id = custom_id_of(form, row)
    params = _params(form, cells, row)
    kept = {name: as_json(cells[name]) for name in form.kept}
    line = encode({"custom_id": custom_id, "params": params, **kept})
    is_short = len(line) <= LONGEST_LINE
    found = read_request(Line(row.number, 0, len(line), line if is_short else None), _RULES)
    if isinstance(found, Request):
        return Written(custom_id, line, found, params)
    raise BadRow(found[0].message)


def custom_id_of(form: Form, row: Row) -> CustomId:
    """Return the id of a row. Raises BadRow."""
    if form.id_column is None:
        return f"row-{row.number}"
    try:
        return id_of(row.values[form.columns.index(form.id_column)])
    except BadId as error:
        raise BadRow(f'"{form.id_column}" {error}') from error


def _params(form: Form, cells: dict[str, Any], row: Row) -> dict[str, Any]:
    params = {"model": _model(form, cells), "max_tokens": _max_tokens(form, cells)}
    if form.system and (system := _rendered(form.system, cells)).strip():
        params["system"] = [{"type": "text", "text": system, "cache_control": CACHE}] if form.cache_system else system
    if form.schema is not None:
        params["output_config"] = {"format": {"type": "json_schema", "schema": form.schema}}
    if form.content and not row.attached and form.content not in form.prompt.used:
        raise BadRow(f'the prompt does not use "{form.content}", so nothing of the file would be sent')
    text = _rendered(form.prompt, cells)
    if row.attached:
        content: Any = [row.attached.block, *([{"type": "text", "text": text}] if text.strip() else [])]
    elif text.strip():
        content = text
    else:
        raise BadRow("the prompt is empty")
    return params | {"messages": [{"role": "user", "content": content}]}


def _rendered(template: Template, cells: dict[str, Any]) -> str:
    try:
        return template.render({name: plain(cells[name]) for name in template.used})
    except NotRendered as error:
        raise BadRow(str(error)) from error


def _model(form: Form, cells: dict[str, Any]) -> str:
    if form.model_column is None:
        return str(form.model)
    model = as_text(plain(cells[form.model_column]))
    if not isinstance(model, str) or not model.strip():
        raise BadRow(f'"{form.model_column}" names no model')
    return model.strip()


def _max_tokens(form: Form, cells: dict[str, Any]) -> int:
    value = plain(cells[form.max_tokens_column]) if form.max_tokens_column else ""
    if isinstance(value, str):
        value = value.strip()
        if not value:
            return form.max_tokens
        value = int(value) if value.isascii() and value.isdigit() and len(value) <= len(str(2**53)) else value
    elif isinstance(value, float | Decimal) and value == value // 1:
        value = int(value)
    if not is_count(value):
        raise BadRow(f'"{form.max_tokens_column}" is no whole number of at least 1')
    return int(value)
