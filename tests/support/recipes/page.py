"""The blocks of a page: each is taken by a test, in its order, or the test fails."""

from __future__ import annotations

import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from conveyor.domain.drop import RUN_ID_FORM

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = Path(__file__).parents[3]
_BLOCK = re.compile(r"^```(\S*) ?(.*)\n((?:.*\n)*?)```$", re.MULTILINE)
DIFFERS = (
    (RUN_ID_FORM, "RUN"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?(Z| UTC)?"), "MOMENT"),
    (re.compile(r"\d\d [A-Z][a-z]{2} +\d\d:\d\d UTC"), "MOMENT"),
    (re.compile(r"(\d+(\.\d+)? (s|min|h|d)\b ?)+"), "TIME "),
    (re.compile(r"since \d+ [A-Z][a-z]+"), "since DAY"),
    (re.compile(r"(?<![\d.])\d{12}(?!\d)"), "ACCOUNT"),
    (re.compile(r"\$\d[\d,]*(\.\d+)?"), "AMOUNT"),
    (re.compile(r"botocore-session-\d+"), "SESSION"),
    (re.compile(r"conveyor-bucket-[0-9a-z]+"), "BUCKET"),
    (re.compile(r" +"), " "),
    (re.compile(r" $", re.MULTILINE), ""),
)
"""What is not the same each time: ids, moments, lengths of time, amounts, accounts, buckets, widths of columns."""


class Block(NamedTuple):
    """Some lines of code, or what is shown of a screen. A block may have the name of a file behind its language."""

    language: str
    file: str
    text: str


class Page:
    """A page whose blocks are taken one after the other."""

    def __init__(self, name: str) -> None:
        """Read a page of docs/recipes, by the name of its file."""
        text = (PROJECT / "docs" / "recipes" / name).read_text()
        self.left = [Block(*found.groups()) for found in _BLOCK.finditer(text)]
        assert "```" not in _BLOCK.sub("", text), "a block in another form would not be tried"

    def next(self) -> Block:
        """Take the next block."""
        return self.left.pop(0)

    def take(self, language: str) -> str:
        """Return the next block, which is in a language."""
        block = self.next()
        assert block.language == language, f"expected {language}: {block}"
        return block.text


@contextmanager
def page(name: str) -> Iterator[Page]:
    """Yield a page whose blocks must all be taken within the block."""
    found = Page(name)
    yield found
    assert found.left == []


type Differing = tuple[tuple[re.Pattern[str], str], ...]


def alike(text: str, differs: Differing = DIFFERS) -> list[str]:
    """Return the lines of a screen without what differs each time."""
    for differing, same in differs:
        text = differing.sub(same, text)
    return text.strip("\n").splitlines()
