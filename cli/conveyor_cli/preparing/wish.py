"""What a person asks `conveyor prepare` for, and how that becomes a file."""

from codecs import BOM_UTF8
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from conveyor.domain.drop import stem
from conveyor_cli.exits import Exit
from conveyor_cli.preparing.kept import choose
from conveyor_cli.preparing.prepare import Preparation, Prepared
from conveyor_cli.preparing.request import Form
from conveyor_cli.preparing.template import Template
from conveyor_cli.tables.header import listed
from conveyor_cli.tables.opening import open_table
from conveyor_cli.tables.source import readable
from conveyor_cli.tables.table import Note, Reading, Table
from conveyor_cli.tables.values import decode_object, encode
from conveyor_cli.trouble import Trouble

_NOTHING = "Nothing was written."
_SUFFIX = ".jsonl"


class Wish(NamedTuple):
    """The arguments of the command."""

    file: Path
    template: Path
    system: Path | None = None
    cache_system: bool = False
    model: str | None = None
    model_column: str | None = None
    max_tokens: int = 1024
    max_tokens_column: str | None = None
    id_column: str | None = None
    keep: str | None = None
    schema: Path | None = None
    sheet: str | None = None
    separator: str | None = None
    encoding: str | None = None
    skip_empty: tuple[str, ...] = ()
    limit: int | None = None
    output: Path | None = None
    force: bool = False


class Made(NamedTuple):
    """What was written, and of what."""

    prepared: Prepared
    form: Form
    table: str
    notes: list[Note]


def make(wish: Wish, tell: Callable[[int], None]) -> Made:
    """Write the requests that are asked for. Raises Trouble, and writes nothing, if that is not possible.

    `tell`: takes how many rows are read, again and again.
    """
    _check_model(wish)
    if wish.cache_system and wish.system is None:
        raise _misuse("--cache-system needs --system: that prompt is cached")
    schema = _schema(wish.schema) if wish.schema else None
    file = _output(wish)
    with closing(_open(wish)) as table:
        form, notes = _form(wish, table, schema)
        preparation = Preparation(form, skip_empty=wish.skip_empty, limit=wish.limit)
        prepared = preparation.write(table, lambda: _open(wish), file, tell)
    return Made(prepared, form, table.name, [*prepared.notes, *notes])


def _open(wish: Wish) -> Table:
    besides = tuple(filter(None, (wish.template, wish.system, wish.schema, _output_of(wish))))
    return open_table(wish.file, Reading(wish.sheet, wish.separator, wish.encoding, besides))


def _form(wish: Wish, table: Table, schema: dict[str, Any] | None) -> tuple[Form, list[Note]]:
    prompt = Template(wish.template, table.columns, table.name)
    system = Template(wish.system, table.columns, table.name) if wish.system else None
    named = {"--id": wish.id_column, "--model-column": wish.model_column, "--max-tokens-column": wish.max_tokens_column}
    for option, column in [*named.items(), *(("--skip-empty", each) for each in wish.skip_empty)]:
        if column is not None and column not in table.columns:
            raise _misuse(f'{option} names "{column}"; {table.name} has: {listed(table.columns)}')
    id_column = wish.id_column or (table.id_column if table.id_column in table.columns else None)
    in_prompts = {*prompt.used, *(system.used if system else ())}
    if binary := sorted(in_prompts & table.binary):
        message = f'"{binary[0]}" of {table.name} has bytes, which are no text'
        raise Trouble("binary", message, f"{_NOTHING} Write them as files into a folder.", exit_code=Exit.USAGE)
    used = frozenset(filter(None, (*in_prompts, wish.model_column, wish.max_tokens_column)))
    kept = choose(table, used, id_column, wish.keep)
    notes = kept.notes
    if not prompt.used and table.content is None:
        words = f"{wish.template.name} uses no column: all requests ask the same. A column is written {{{{ name }}}}."
        notes = [Note("no-column", words), *notes]
    if wish.cache_system and system and system.used:
        words = (
            f"{listed(system.used)} differs by row: a system prompt is only read from the cache where it is the same."
        )
        notes = [Note("cache-differs", words), *notes]
    return Form(
        table.columns,
        prompt,
        system,
        wish.model,
        wish.model_column,
        wish.max_tokens,
        wish.max_tokens_column,
        id_column,
        kept.columns,
        schema,
        table.content,
        wish.cache_system,
    ), notes


def _check_model(wish: Wish) -> None:
    if (wish.model is None) == (wish.model_column is None):
        raise _misuse("Either --model or --model-column says which model answers")


def _schema(path: Path) -> dict[str, Any]:
    """Read the schema of answers: a JSON Schema whose type is named. The rest is the provider's to check."""
    with readable(path.name):
        schema = decode_object(path.read_bytes().removeprefix(BOM_UTF8))
    if schema is None or not isinstance(schema.get("type"), str):
        raise _misuse(f'{path.name} is no JSON Schema: it must be a JSON object with a "type"')
    if not isinstance(schema.get("properties", {}), dict):
        raise _misuse(f'{path.name} is no JSON Schema: its "properties" must be a JSON object')
    try:
        encode(schema)
    except TypeError:
        raise _misuse(f"{path.name} is nested too deeply for a schema") from None
    return schema


def _output(wish: Wish) -> Path:
    """Return the file to write. Raises Trouble if it exists, or would be the table itself."""
    file = _output_of(wish)
    if str(file) == "-":
        raise _misuse("-o - is not supported: all rows are checked before there is a file")
    if file.is_dir():
        raise _misuse(f"{file} is a folder: name a file")
    if file.exists() and not file.is_file():
        raise _misuse(f"{file} is no file: name one")
    for given, what in (
        (wish.file, "table"),
        (wish.template, "prompt"),
        (wish.system, "prompt"),
        (wish.schema, "schema"),
    ):
        if given and file.exists() and given.exists() and file.samefile(given):
            raise _misuse(f"{file} is the {what} itself: name another file with -o")
    if file.exists() and not wish.force:
        more = f"{_NOTHING} Name another file with -o, or add --force."
        raise Trouble("file-exists", f"{file} exists already", more, exit_code=Exit.USAGE)
    return file


def _output_of(wish: Wish) -> Path:
    return wish.output or _named_after(wish.file)


def _named_after(table: Path) -> Path:
    """Return the name of a file of requests here, after that of the table."""
    name = table.resolve().name
    short = stem(name)
    return Path(f"{short}-requests{_SUFFIX}" if name.lower() == f"{short}{_SUFFIX}".lower() else f"{short}{_SUFFIX}")


def _misuse(message: str) -> Trouble:
    return Trouble("usage", message, _NOTHING, exit_code=Exit.USAGE)
