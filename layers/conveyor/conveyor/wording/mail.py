"""The text of a message: what happened, what it cost, what to do, figures, one link, and whose it is.

Plain text, because SNS sends nothing else. Only commands are indented by four spaces, each alone on its line.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from conveyor.wording.text import paragraph, sentence

WITHOUT = "Without the conveyor command:"
"""Heads the commands for a reader who has AWS CLI only."""
SIGNATURE = "-- "
"""Mail programs fold what follows."""
_INDENT = "    "


class Step(NamedTuple):
    """Something to do, and how."""

    words: str
    command: str | None = None


class Link(NamedTuple):
    """The one link of a message."""

    label: str
    url: str | None
    """Of the AWS console; None where there is none."""
    place: str = ""
    """What stands there instead."""
    command: str = ""
    """What shows it then."""


class Mail(NamedTuple):
    """The parts of a message, in their order. All but the first two are lines."""

    first: str
    """What happened, without its last full stop."""
    second: str = ""
    steps: Sequence[Step] = ()
    notes: Sequence[str] = ()
    figures: Sequence[str] = ()
    link: Link | None = None
    without: Sequence[str] = ()
    """What AWS CLI does instead of the steps' commands."""


class Sender(NamedTuple):
    """Whose message it is."""

    run: str
    project: str
    stack: str = ""


def text_of(mail: Mail, sender: Sender) -> str:
    """Return the text of a message."""
    parts = [
        paragraph(sentence(mail.first), mail.second),
        *[[line] if line.startswith(_INDENT) else paragraph(line) for line in _lines_of(mail.steps)],
        list(mail.notes),
        list(mail.figures),
        _link(mail.link),
        [WITHOUT, "", *mail.without] if mail.without else [],
        [SIGNATURE, _identity(sender)],
    ]
    return "\n\n".join(_stripped(part) for part in parts if part)


def command(line: str) -> str:
    """Return a command as it stands in a message."""
    return f"{_INDENT}{line}"


def how_to(words: str, *commands: str) -> list[str]:
    """Return lines that introduce commands, and these."""
    return [*paragraph(words), "", *map(command, commands), ""]


def block(*parts: Iterable[str]) -> list[str]:
    """Return parts with an empty line between each two; empty ones are left out."""
    kept = [_stripped(part) for part in parts]
    return "\n\n".join(part for part in kept if part).splitlines()


def _stripped(lines: Iterable[str]) -> str:
    return "\n".join(lines).strip("\n")


def _lines_of(steps: Iterable[Step]) -> list[str]:
    lines = []
    for step in steps:
        lines.append(step.words if step.words.endswith((".", ":")) else f"{step.words}{':' if step.command else '.'}")
        lines += [command(step.command)] if step.command else []
    return lines


def _link(link: Link | None) -> list[str]:
    if link is None or not (link.url or link.place):
        return []
    if link.url or not link.command:
        return [f"{link.label}:", link.url or link.place]
    return [f"{link.label}:", link.place, "", command(link.command)]


def _identity(sender: Sender) -> str:
    of = f"Project {sender.project}, run {sender.run}"
    return f"{of}, stack {sender.stack}" if sender.stack else of
