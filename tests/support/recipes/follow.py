"""A page of docs/recipes, followed from top to bottom in a shell.

A block is a file if it has a name behind its language, and is written under it. A block `sh` is typed, line by line.
The lines of a block `text` are in what the block before it has written, in this order.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from conveyor.domain.drop import RUN_ID_FORM
from tests.support.recipes.page import alike, page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.shell.terminal import Terminal

DIFFERS = (
    (RUN_ID_FORM, "RUN"),
    (re.compile(r"\b20\d\d-\d\d\b"), "MONTH"),
    (re.compile(r"\b\d+(\.\d+)? s\b"), "N s"),
    (re.compile(r" +$", re.MULTILINE), ""),
)
"""What is another one at each time: amounts are the same, since the provider's answers are."""
WATCHES = re.compile(r"^conveyor (watch|drop .*--watch)")
"""A command that ends with 1 if some requests failed."""


def follow(name: str, terminal: Terminal) -> None:
    """Do all that a page says. Raises AssertionError with the block that does something else."""
    written = ""
    with page(name) as recipe:
        while recipe.left:
            block = recipe.next()
            if block.file:
                (terminal.folder / block.file).write_text(block.text)
            elif block.language == "sh":
                written = "".join(typed(terminal, line) for line in commands(block.text))
            else:
                assert block.language == "text", f"nobody tries this: {block}"
                compare(block.text, written)


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
    left = iter(alike(written, DIFFERS))
    missing = [line for line in alike(shown, DIFFERS) if line and line not in left]
    assert not missing, f"the page shows {missing}, and this was written:\n{written}"
