"""Asking a person before something is changed."""

import click

from conveyor_cli.exits import Exit
from conveyor_cli.screen.screen import Screen
from conveyor_cli.trouble import Trouble


def show(screen: Screen, rows: list[tuple[str, str, str]]) -> None:
    """Show figures: a label, a number, and what is said about it."""
    labels, numbers = (max(len(row[at]) for row in rows) for at in (0, 1))
    screen.line()
    for label, figure, note in rows:
        screen.line(f"  {label:<{labels}}  {figure:>{numbers}}  {note}".rstrip())
    screen.line()


def ask(screen: Screen, word: str, what: str, *, is_said: bool) -> None:
    """Ask for a word, which a stray key does not give. Raises Trouble for any other answer.

    `what`: completes "Type <word> to …". `is_said`: whether `--yes` was given. Without a terminal, or with
    `--json`, nobody is asked.
    """
    if is_said:
        return
    if not screen.asks:
        message = f"{word} needs a terminal, or --yes"
        raise Trouble("no-terminal", message, "Nothing was changed.", exit_code=Exit.USAGE)
    answer = click.prompt(f"Type {word} to {what}", default="", show_default=False, err=True)
    if answer.strip().lower() != word:
        raise Trouble("not-confirmed", "Nothing was changed", exit_code=Exit.USAGE)
