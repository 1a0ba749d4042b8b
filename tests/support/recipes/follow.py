"""A page of docs/recipes, followed from top to bottom in a shell.

A block is a file if it has a name behind its language, and is written under it. A block `sh` is typed, line by line.
The lines of a block `text` are in what the block before it has written, in this order.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.shell.terminal import Terminal

FOLDER = Path(__file__).parents[3] / "docs" / "recipes"
BLOCK = re.compile(r"^```(\w+)(?: ([\w./-]+))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
DIFFERENT = (
    (re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{12}"), "RUN"),
    (re.compile(r"\b20\d\d-\d\d\b"), "MONTH"),
    (re.compile(r"\d+(\.\d+)? s\b"), "N s"),
)
"""What is another one at each time."""
WATCHES = re.compile(r"^conveyor (watch|drop .*--watch)")
"""A command that ends with 1 if some requests failed."""


class Block(NamedTuple):
    """A block of code of a page."""

    language: str
    file: str
    code: str


def blocks(page: str) -> list[Block]:
    """Return the blocks of a page, by the name of its file."""
    text = (FOLDER / page).read_text()
    found = [Block(*match.groups(default="")) for match in BLOCK.finditer(text)]
    assert 2 * len(found) == text.count("```"), "a block in another form would not be tried"
    return found


def follow(page: str, terminal: Terminal) -> None:
    """Do all that a page says. Raises AssertionError with the block that does something else."""
    written = ""
    for block in blocks(page):
        if block.file:
            (terminal.folder / block.file).write_text(block.code)
        elif block.language == "sh":
            written = "".join(typed(terminal, line) for line in commands(block.code))
        else:
            assert block.language == "text", f"nobody tries this: {block}"
            compare(block.code, written)


def commands(code: str) -> Iterator[str]:
    """Yield the commands of a block: those that go on behind a backslash as one."""
    yield from (line for line in code.replace("\\\n", "").splitlines() if line and not line.startswith("#"))


def typed(terminal: Terminal, command: str) -> str:
    """Type a command; return what it wrote."""
    done = terminal.type(command)
    most = 1 if WATCHES.match(command) else 0
    assert done.exit <= most, f"{command}\nended with {done.exit}:\n{done.out.decode()}\n{done.error}"
    return done.out.decode()


def compare(shown: str, written: str) -> None:
    """Compare what a page shows with what was written."""
    left = iter(neutral(written).splitlines())
    missing = [line for line in neutral(shown).splitlines() if line and line not in left]
    assert not missing, f"the page shows {missing}, and this was written:\n{written}"


def neutral(text: str) -> str:
    """Return a text without what differs at each time."""
    for pattern, name in DIFFERENT:
        text = pattern.sub(name, text)
    return "\n".join(line.rstrip() for line in text.splitlines())
