"""Prompts as Jinja templates: the columns of a row by name, and `row["any name"]`. The only module that knows Jinja.

A template is rendered in Jinja's sandbox, reads no other file, and fails where it names what is not there.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, UndefinedError, meta, nodes
from jinja2.exceptions import SecurityError
from jinja2.sandbox import SandboxedEnvironment

from conveyor_cli.exits import Exit
from conveyor_cli.tables.header import listed
from conveyor_cli.tables.source import UTF8, decoded, readable
from conveyor_cli.tables.table import Columns
from conveyor_cli.tables.values import as_text
from conveyor_cli.trouble import Trouble

_ROW = "row"
_OTHER_FILES = (nodes.Include, nodes.Extends, nodes.Import, nodes.FromImport)
_COMPILED = "<template>"
"""What Jinja names as the file of its own code."""
_FAILURES = (
    TemplateError, ArithmeticError, LookupError, ValueError, AttributeError, RecursionError, MemoryError,
)  # fmt: skip
"""What a template may raise that is not worded for a person."""
_NOT_THERE = re.compile(r"(.* has no (?:element|attribute)) (.*)", re.DOTALL)
_HALF = r'"\ud83d" is half of a character: write the character itself'


class NotRendered(Exception):
    """A row cannot be put into a template. Quotes no cell."""


class Template:
    """A prompt, and the columns that it uses."""

    def __init__(self, path: Path, columns: Columns, table: str) -> None:
        """Read a file. Raises Trouble if it is no template, or names a column that the table does not have."""
        self._name = path.name
        environment = SandboxedEnvironment(undefined=StrictUndefined, finalize=_shown, autoescape=False)
        environment.globals.pop("lipsum")
        self._text = _read(path)
        try:
            tree = environment.parse(self._text)
            self._template = environment.from_string(self._text)
        except TemplateSyntaxError as error:
            raise self._wrong(error.lineno, error.message or "it cannot be read") from error
        if other := next(filter(None, map(tree.find, _OTHER_FILES)), None):
            raise self._wrong(other.lineno, "a prompt is one file: include, import and extends are not read")
        self.used = self._columns(tree, columns, table, frozenset(environment.globals))
        """The columns it uses, in the order of the table."""

    def render(self, values: Mapping[str, Any]) -> str:
        """Return the prompt of a row. `values`: of the columns that are used. Raises NotRendered."""
        try:
            prompt = self._template.render({_ROW: values, **values})
        except (UndefinedError, SecurityError, TypeError) as error:
            raise NotRendered(f"{self._name}, {_line_of(error)}: {self._said(str(error))}") from error
        except _FAILURES as error:
            raise NotRendered(f"{self._name}, {_line_of(error)}: {type(error).__name__}") from error
        try:
            prompt.encode()
        except UnicodeEncodeError as error:
            raise NotRendered(f"{self._name}: {_HALF}") from error
        return prompt

    def _said(self, message: str) -> str:
        """Return the words of an error. What is not there is named if the template says it: else it is a cell."""
        found = _NOT_THERE.fullmatch(message)
        return found[1] if found and found[2].strip("'\"") not in self._text else message

    def _columns(self, tree: nodes.Template, columns: Columns, table: str, known: frozenset[str]) -> Columns:
        """Return the columns that a template names. Raises Trouble for a name that is none."""
        names = {name for name in meta.find_undeclared_variables(tree) if name in columns or name not in known}
        if _ROW in names and _ROW not in columns:
            names.remove(_ROW)
            by_name: list[nodes.Getitem | nodes.Getattr] = [
                *tree.find_all(nodes.Getitem),
                *tree.find_all(nodes.Getattr),
            ]
            named = [_named(each) for each in by_name if _is_row(each.node)]
            if None in named or len(named) < _uses(tree):
                return columns
            names.update(filter(None, named))
        if missing := sorted(names - {*columns}):
            raise self._missing(missing, columns, table)
        return tuple(name for name in columns if name in names)

    def _missing(self, missing: list[str], columns: Columns, table: str) -> Trouble:
        what = ", ".join(f'"{name}"' for name in missing)
        message = f"{self._name} uses {what}; {table} has: {listed(columns)}"
        return Trouble("column-missing", message, exit_code=Exit.USAGE)

    def _wrong(self, line: int, message: str) -> Trouble:
        return Trouble(
            "template", f"{self._name}, line {line:,}: {message}", "Nothing was written.", exit_code=Exit.USAGE
        )


def _read(path: Path) -> str:
    with readable(path.name), decoded(path, UTF8):
        return path.read_text(encoding=UTF8)


def _shown(value: Any) -> Any:  # noqa: ANN401 - what a template may compute
    """Return what a prompt shows. The name of a method of Python is a mistake: its column is `row["items"]`."""
    if callable(value) and not isinstance(value, StrictUndefined):
        raise UndefinedError('this is a function, not a column: write row["name"]')
    return as_text(value)


def _is_row(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Name) and node.name == _ROW


def _uses(tree: nodes.Template) -> int:
    """Count where a template speaks of the row."""
    return sum(map(_is_row, tree.find_all(nodes.Name)))


def _named(node: nodes.Getitem | nodes.Getattr) -> str | None:
    """Return the name of a column in `row.name` or `row["name"]`; None for a method, and for what is computed."""
    if isinstance(node, nodes.Getattr):
        return None if hasattr(dict, node.attr) else node.attr
    return node.arg.value if isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str) else None


def _line_of(error: BaseException) -> str:
    """Return the line of the template where an error was raised."""
    found, place = 0, error.__traceback__
    while place:
        if place.tb_frame.f_code.co_filename == _COMPILED:
            found = place.tb_lineno
        place = place.tb_next
    return f"line {found:,}" if found else "somewhere"
