"""Expressions of a query: parsed into functions of a row.

A comparison with a field that a line lacks is not true. What `!=` and `not` make of it is not documented, so a query
that depends on it is refused: `ispresent(field) and field != "…"` does not.
"""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from local.emulation.insights.events import SYSTEM, Row
from local.emulation.insights.tokens import Token, tokens
from local.emulation.insights.values import Malformed, Value, calculated, compare, known, number, text

if TYPE_CHECKING:
    from collections.abc import Callable

    type Evaluate = Callable[[Row], Value]

COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "%": operator.mod,
}  # fmt: skip
SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
KEYWORDS = {"as", "by", "and", "or", "not", "in", "like", "asc", "desc"}
CASELESS = "(?i)"


@dataclass(frozen=True)
class Expression:
    """An expression, and how it is spelled, which names its column."""

    spelled: str
    evaluate: Evaluate
    field: str = ""
    """The name, if it is only a field."""


class Parser:
    """What is left of a query."""

    def __init__(self, query: str) -> None:
        """Split the query. Raises Malformed."""
        self.query, self.tokens, self.place = query, tokens(query), 0

    @property
    def next(self) -> Token:
        """The next word."""
        return self.tokens[self.place]

    def take(self) -> Token:
        """Return the next word, and go on."""
        token = self.next
        self.place += token.kind != "end"
        return token

    def accept(self, *words: str) -> bool:
        """Go on if these words come next; return whether they do."""
        coming = [token.word for token in self.tokens[self.place : self.place + len(words)]]
        found = coming == list(words)
        self.place += len(words) * found
        return found

    def expect(self, word: str) -> None:
        """Go on behind a word. Raises Malformed if another comes next."""
        if not self.accept(word):
            raise self.unexpected(f"expected {word}")

    def unexpected(self, why: str) -> Malformed:
        """Return the error about the next word."""
        token = self.next
        shown = token.text or "the end of the query"
        return Malformed(f"unexpected symbol found {shown}: {why}", token.start, token.start + len(token.text))

    def listed[T](self, parse: Callable[[], T]) -> list[T]:
        """Parse one or more, with commas between them."""
        found = [parse()]
        while self.accept(","):
            found.append(parse())
        return found

    def name(self) -> str:
        """Take the name of a field. Raises Malformed."""
        token = self.next
        if token.kind == "quoted":
            self.take()
            return token.text.strip("`")
        if token.kind != "name" or token.word in KEYWORDS:
            raise self.unexpected("expected the name of a field")
        if token.text.startswith("@") and token.text not in SYSTEM and not token.text.startswith("@@"):
            raise self.unexpected("this field is not known here")
        return self.take().text

    def expression(self) -> Expression:
        """Parse an expression. Raises Malformed."""
        start, first = self.next.start, self.next
        evaluate = self._or()
        last = self.tokens[self.place - 1]
        is_field = last is first and first.kind in {"name", "quoted"}
        spelled = self.query[start : last.start + len(last.text)]
        return Expression(spelled, evaluate, spelled.strip("`") if is_field else "")

    def _or(self) -> Evaluate:
        parts = [self._and()]
        while self.accept("or"):
            parts.append(self._and())
        return parts[0] if len(parts) == 1 else lambda row: _any(row, parts)

    def _and(self) -> Evaluate:
        parts = [self._not()]
        while self.accept("and"):
            parts.append(self._not())
        return parts[0] if len(parts) == 1 else lambda row: _all(row, parts)

    def _not(self) -> Evaluate:
        start = self.next.start
        if not self.accept("not"):
            return self._comparison()
        return _negated(self._not(), start)

    def _comparison(self) -> Evaluate:
        left, start, word = self._sum(), self.next.start, self.next.word
        if word in COMPARISONS:
            self.take()
            right = self._sum()
            equal = _compared(left, right, COMPARISONS["=" if word == "!=" else word])
            return _negated(equal, start) if word == "!=" else equal
        is_negated = self.accept("not")
        if self.accept("like") or self.accept("=~"):
            found = _matched(left, self._pattern())
        elif self.accept("in"):
            self.expect("[")
            choices = self.listed(self._sum)
            self.expect("]")
            found = _chosen(left, choices)
        elif is_negated:
            raise self.unexpected("expected like or in")
        else:
            return left
        return _negated(found, start) if is_negated else found

    def _pattern(self) -> re.Pattern[str]:
        token = self.take()
        if token.kind == "text":
            return re.compile(re.escape(_unquoted(token)))
        if token.kind != "regex":
            raise Malformed(f"unexpected symbol found {token.text}: expected a text or /regex/", token.start)
        source = token.text[1:-1].replace("\\/", "/")
        try:
            return re.compile(source.replace(CASELESS, ""), re.IGNORECASE if CASELESS in source else 0)
        except re.error as error:
            raise Malformed(f"invalid regular expression {token.text}: {error}", token.start) from error

    def _sum(self) -> Evaluate:
        return self._chain(self._product, "+", "-")

    def _product(self) -> Evaluate:
        return self._chain(self._factor, "*", "/", "%")

    def _chain(self, part: Callable[[], Evaluate], *signs: str) -> Evaluate:
        value = part()
        while (sign := self.next.word) in signs:
            self.take()
            value = _calculation(ARITHMETIC[sign], value, part())
        return value

    def _factor(self) -> Evaluate:
        if self.accept("("):
            inner = self._or()
            self.expect(")")
            return inner
        if self.accept("-"):
            return _calculation(operator.sub, lambda _: 0, self._factor())
        token = self.next
        if token.kind == "text":
            return _constant(_unquoted(self.take()))
        if token.kind == "number":
            return _constant(float(self.take().text))
        if token.kind == "name" and self.tokens[self.place + 1].word == "(":
            return self._function()
        name = self.name()
        return lambda row: known(row.values.get(name))

    def _function(self) -> Evaluate:
        name = self.next.word
        if name == "bin":
            self.place += 2
            period = self.take()
            if period.kind != "period":
                raise Malformed(f"unexpected symbol found {period.text}: expected a period", period.start)
            self.expect(")")
            return _bin(period.text)
        if name not in FUNCTIONS:
            raise self.unexpected("this function is not known here")
        least, most, function = FUNCTIONS[name]
        start = self.next.start
        self.place += 2
        parts = self.listed(self._or)
        self.expect(")")
        if not least <= len(parts) <= most:
            raise Malformed(f"wrong number of arguments of {name}", start)
        return lambda row: function(*(part(row) for part in parts))


def _unquoted(token: Token) -> str:
    return re.sub(r"\\(.)", r"\1", token.text[1:-1])


def _constant(value: Value) -> Evaluate:
    return lambda _: value


def _any(row: Row, parts: list[Evaluate]) -> Value:
    result: Value = False
    for part in parts:
        value = part(row)
        if value:
            return True
        result = None if value is None else result
    return result


def _all(row: Row, parts: list[Evaluate]) -> Value:
    """Return the first value that is not true, so that `ispresent(a) and a != …` does not look at the second."""
    for part in parts:
        value = part(row)
        if not value:
            return value
    return True


def _negated(part: Evaluate, start: int) -> Evaluate:
    def evaluate(row: Row) -> Value:
        value = part(row)
        if value is None:
            raise Malformed(
                "the result of != and not is not documented where a line lacks the field; "
                "write: ispresent(field) and …, or: not ispresent(field) or …", start
            )  # fmt: skip
        return not value

    return evaluate


def _compared(left: Evaluate, right: Evaluate, holds: Callable[[int, int], bool]) -> Evaluate:
    def evaluate(row: Row) -> Value:
        values = left(row), right(row)
        return None if None in values else holds(compare(*values), 0)

    return evaluate


def _matched(left: Evaluate, pattern: re.Pattern[str]) -> Evaluate:
    def evaluate(row: Row) -> Value:
        value = left(row)
        return None if value is None else pattern.search(text(value)) is not None

    return evaluate


def _chosen(left: Evaluate, choices: list[Evaluate]) -> Evaluate:
    def evaluate(row: Row) -> Value:
        value = left(row)
        return None if value is None else any(compare(value, choice(row)) == 0 for choice in choices)

    return evaluate


def _calculation(calculate: Callable[[float, float], float], left: Evaluate, right: Evaluate) -> Evaluate:
    def evaluate(row: Row) -> Value:
        first, second = number(left(row)), number(right(row))
        if first is None or second is None:
            return None
        try:
            return calculated(calculate(first, second))
        except ZeroDivisionError:
            return None

    return evaluate


def _bin(period: str) -> Evaluate:
    amount, unit = re.fullmatch(r"(\d+)(\w+)", period).groups()  # type: ignore[union-attr]
    milliseconds = round(int(amount) * SECONDS[unit] * 1000)
    return lambda row: timestamp(row.time // milliseconds * milliseconds)


def timestamp(milliseconds: int) -> str:
    """Return a time as `@timestamp` shows it, in UTC."""
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{milliseconds % 1000:03}"


def _rounded(value: Value) -> Value:
    as_number = number(value)
    return None if as_number is None else float(as_number // 1)


MANY = 100
FUNCTIONS: dict[str, tuple[int, int, Callable[..., Value]]] = {
    "ispresent": (1, 1, lambda value: value is not None),
    "isempty": (1, 1, lambda value: value is None or not text(value)),
    "isblank": (1, 1, lambda value: value is None or not text(value).strip()),
    "coalesce": (1, MANY, lambda *values: next((value for value in values if value is not None), None)),
    "concat": (1, MANY, lambda *values: "".join(text(value) for value in values if value is not None)),
    "strcontains": (2, 2, lambda value, part: None if value is None else int(text(part) in text(value))),
    "floor": (1, 1, _rounded),
}
"""The least and the largest number of arguments, and the function."""
