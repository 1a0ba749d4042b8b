"""Queries in the Logs Insights QL: their commands, parsed and run.

Known are fields, filter, stats, sort, dedup, limit and display: "CloudWatch Logs Insights language query syntax" (User
Guide). All else is refused, and what AWS does not document.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from local.emulation.insights.events import Row
from local.emulation.insights.expressions import Expression, Parser
from local.emulation.insights.statistics import STATISTICS
from local.emulation.insights.values import Malformed, Value, known, sort_key, text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from local.emulation.insights.statistics import Function

    type Step = Callable[[list[Row]], list[Row]]

MAX_ROWS = 10_000
"""Of a result; also the default of `limit`."""
MAX_CHARACTERS = 10_000
BY_DEFAULT = ["@timestamp", "@message"]
POINTER = "@ptr"
FOLLOWERS = {"dedup": {"limit"}, "limit": {"display"}, "display": {"limit"}}
"""The commands that may follow a command; behind others, all may."""


@dataclass
class Query:
    """A parsed query."""

    steps: list[Step] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    """The columns, in their order."""
    columns: list[str] | None = None
    """What exists after `stats`; None without it."""
    limit: int = MAX_ROWS

    def run(self, rows: Sequence[Row], limit: int = MAX_ROWS) -> list[list[dict[str, str]]]:
        """Return results as GetQueryResults has them. `rows`: events, oldest first. Raises Malformed."""
        found = list(reversed(rows))
        for step in self.steps:
            found = step(found)
        columns = self.shown or self.columns or BY_DEFAULT
        if self.columns is None:
            columns = [*(name for name in columns if name != POINTER), POINTER]
        present = [
            [(name, known(row.values.get(name))) for name in columns] for row in found[: min(self.limit, limit)]
        ]  # fmt: skip
        return [
            [{"field": name, "value": text(value)} for name, value in row if value is not None] for row in present
        ]  # fmt: skip


@dataclass(frozen=True)
class Aggregate:
    """A column of `stats`."""

    name: str
    function: Function
    of: Expression | None
    """None: the rows themselves."""

    def value(self, rows: list[Row]) -> Value:
        """Return the value of a group."""
        values = [True if self.of is None else self.of.evaluate(row) for row in rows]
        return self.function(rows, values)


def parse(query: str) -> Query:
    """Parse a query. Raises Malformed."""
    if len(query) > MAX_CHARACTERS:
        raise Malformed(f"the query has more than {MAX_CHARACTERS} characters")
    parser, parsed, allowed = Parser(query), Query(), set(COMMANDS)
    while True:
        command = parser.next.word
        if command not in COMMANDS:
            raise parser.unexpected(f"this command is not known here: {', '.join(COMMANDS)}")
        if command not in allowed:
            raise parser.unexpected("this command may not follow the ones before it")
        parser.take()
        COMMANDS[command](parser, parsed)
        allowed &= FOLLOWERS.get(command, allowed)
        if command == "stats":
            allowed -= {"stats", "fields", "dedup"}
        if parser.next.kind == "end":
            return parsed
        parser.expect("|")


def _fields(parser: Parser, query: Query) -> None:
    columns = parser.listed(lambda: _column(parser))
    query.shown += [name for name, _ in columns if name not in query.shown]

    def step(rows: list[Row]) -> list[Row]:
        calculated = [(name, column) for name, column in columns if column.field != name]
        return [
            Row(row.values | {name: column.evaluate(row) for name, column in calculated}, row.time) for row in rows
        ]  # fmt: skip

    query.steps.append(step)


def _column(parser: Parser) -> tuple[str, Expression]:
    expression = parser.expression()
    alias = parser.name() if parser.accept("as") else expression.field or expression.spelled
    return alias, expression


def _filter(parser: Parser, query: Query) -> None:
    start = parser.place
    condition = parser.expression()
    _check(parser, query, [token.text for token in parser.tokens[start : parser.place] if token.kind == "name"])
    query.steps.append(lambda rows: [row for row in rows if condition.evaluate(row)])


def _check(parser: Parser, query: Query, names: list[str]) -> None:
    """Check that names after `stats` are those of its results. Raises Malformed."""
    known = {*(query.columns or names), *COMPUTED}
    if unknown := [name for name in names if name not in known and name.lower() not in known]:
        raise parser.unexpected(f"{unknown[0]} is no result of stats")


COMPUTED = {"and", "or", "not", "in", "like", "ispresent", "isempty", "isblank", "coalesce", "concat", "strcontains"}


def _stats(parser: Parser, query: Query) -> None:
    aggregates = parser.listed(lambda: _aggregate(parser))
    groups = parser.listed(lambda: _column(parser)) if parser.accept("by") else []
    query.columns = [*(name for name, _ in groups), *(aggregate.name for aggregate in aggregates)]
    query.shown = []

    def step(rows: list[Row]) -> list[Row]:
        members: dict[tuple[Value, ...], list[Row]] = {}
        for row in rows:
            key = tuple(None if (value := of.evaluate(row)) is None else text(value) for _, of in groups)
            members.setdefault(key, []).append(row)
        return [
            Row(
                {name: value for (name, _), value in zip(groups, key, strict=True)}
                | {aggregate.name: aggregate.value(group) for aggregate in aggregates}
            )
            for key, group in members.items()
        ]

    query.steps.append(step)


def _aggregate(parser: Parser) -> Aggregate:
    start, name = parser.next.start, parser.next.word
    if name not in STATISTICS:
        raise parser.unexpected(f"this function is not known here: {', '.join(STATISTICS)}")
    parser.take()
    parser.expect("(")
    of = None
    if not (name == "count" and parser.accept("*")):
        of = parser.expression()
        if of.field == "@timestamp":
            raise parser.unexpected("how a statistic of @timestamp is shown is not known here")
    parser.expect(")")
    spelled = parser.query[start : parser.tokens[parser.place - 1].start + 1]
    return Aggregate(parser.name() if parser.accept("as") else spelled, STATISTICS[name], of)


def _sort(parser: Parser, query: Query) -> None:
    keys = parser.listed(lambda: _order(parser, query))

    def step(rows: list[Row]) -> list[Row]:
        for name, is_descending in reversed(keys):
            rows = sorted(rows, key=lambda row: sort_key(known(row.values.get(name))), reverse=is_descending)
        return rows

    query.steps.append(step)


def _order(parser: Parser, query: Query) -> tuple[str, bool]:
    name = parser.name()
    _check(parser, query, [name])
    if not parser.accept("desc"):
        parser.expect("asc")
        return name, False
    return name, True


def _dedup(parser: Parser, query: Query) -> None:
    names = parser.listed(parser.name)

    def step(rows: list[Row]) -> list[Row]:
        seen: set[tuple[Value, ...]] = set()
        kept = []
        for row in rows:
            key = tuple(row.values.get(name) for name in names)
            if None in key or key not in seen:
                kept.append(row)
            seen.add(key)
        return kept

    query.steps.append(step)


def _limit(parser: Parser, query: Query) -> None:
    token = parser.next
    if token.kind != "number" or not token.text.isdigit() or not 1 <= int(token.text) <= MAX_ROWS:
        raise parser.unexpected(f"expected a number between 1 and {MAX_ROWS}")
    query.limit = int(parser.take().text)


def _display(parser: Parser, query: Query) -> None:
    names = parser.listed(parser.name)
    _check(parser, query, names)
    query.shown = names


COMMANDS: dict[str, Callable[[Parser, Query], None]] = {
    "fields": _fields, "filter": _filter, "stats": _stats, "sort": _sort, "dedup": _dedup, "limit": _limit,
    "display": _display,
}  # fmt: skip
