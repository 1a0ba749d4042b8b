"""The terminal: plain lines, questions with a default, and a prompt that shows nothing of what is typed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable

INDENT = "    "


class Screen:
    """What is printed, and what is asked. Without a terminal nothing is asked."""

    def __init__(self) -> None:
        """See whether somebody can answer."""
        self.has_terminal = sys.stdin.isatty() and sys.stdout.isatty()

    def line(self, text: str = "") -> None:
        """Print a line."""
        click.echo(text)

    def commands(self, *commands: str) -> None:
        """Print commands, each on an indented line of its own, with an empty line around them."""
        for text in ("", *(f"{INDENT}{command}" for command in commands), ""):
            self.line(text)

    def ask(self, question: str, default: str, fault: Callable[[str], str | None]) -> str:
        """Ask until the answer has no fault. Enter takes the default."""
        while True:
            answer: str = click.prompt(question, default=default, show_default=bool(default)).strip()
            said = fault(answer)
            if said is None:
                return answer
            self.line(f"{INDENT}{said}")

    def hidden(self, question: str, fault: Callable[[str], str | None]) -> str:
        """Ask for something that must not be seen, until it has no fault; the fault does not quote it either."""
        while True:
            answer: str = click.prompt(question, default="", hide_input=True, show_default=False).strip()
            said = fault(answer)
            if said is None:
                return answer
            self.line(f"{INDENT}{said}")

    def confirm(self, question: str) -> bool:
        """Ask for a yes; Enter is a no."""
        return click.confirm(question, default=False)
