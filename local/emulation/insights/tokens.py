"""The words of a query in the Logs Insights QL."""

from __future__ import annotations

import re
from dataclasses import dataclass

from local.emulation.insights.values import Malformed

PATTERN = re.compile(
    r"""(?P<space>\s+|\#[^\n]*)
    |(?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
    |(?P<quoted>`[^`]+`)
    |(?P<period>\d+(?:ms|[smhdw])\b)
    |(?P<number>\d+(?:\.\d+)?(?![\w.]))
    |(?P<name>[A-Za-z_@][\w@.]*)
    |(?P<sign>!=|<=|>=|=~|[=<>()\[\],|+\-*/%])""",
    re.VERBOSE | re.ASCII,
)
REGEX = re.compile(r"/(?:\\.|[^/\\\n])+/")


@dataclass(frozen=True)
class Token:
    """A word of a query."""

    kind: str
    """text, regex, quoted (a field in backticks), period, number, name, sign, or end."""
    text: str
    start: int

    @property
    def word(self) -> str:
        """A keyword or a sign, in lower case; empty for others."""
        return self.text.lower() if self.kind in {"name", "sign"} else ""


def tokens(query: str) -> list[Token]:
    """Split a query. Raises Malformed."""
    found: list[Token] = []
    place = 0
    while place < len(query):
        after_like = bool(found) and found[-1].word in {"like", "=~"}
        regex = REGEX.match(query, place) if after_like else None
        match = regex or PATTERN.match(query, place)
        if match is None:
            raise Malformed(f"unexpected symbol found {query[place]}", place, place + 1)
        kind = "regex" if regex else str(match.lastgroup)
        if kind != "space":
            found.append(Token(kind, match[0], place))
        place = match.end()
    return [*found, Token("end", "", len(query))]
