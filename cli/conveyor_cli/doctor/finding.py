"""What a check has found: a state, one line, and what to type."""

from collections.abc import Iterable
from enum import StrEnum
from shlex import quote
from typing import NamedTuple

from conveyor.wording.marks import Mark


class State(StrEnum):
    """How a check ended."""

    OK = "ok"
    FAILED = "failed"
    UNSEEN = "not-allowed"
    """It could not be made, since a permission is lacking: nobody knows whether all is well."""
    UNASKED = "not-asked"
    """It costs money, or sends messages to people: it is made only if an option asks for it."""

    @property
    def mark(self) -> Mark:
        """The mark of a line."""
        return {State.OK: Mark.OK, State.FAILED: Mark.ERROR}.get(self, Mark.NOT_SENT)


class Finding(NamedTuple):
    """What a check has found."""

    state: State
    message: str
    """One line without a full stop."""
    more: tuple[str, ...] = ()
    """Sentences."""
    commands: tuple[str, ...] = ()
    """Ready to paste."""


class Fault(NamedTuple):
    """One of the things that a check found wrong, and the command that puts it in order."""

    words: str
    command: str = ""


def ok(message: str) -> Finding:
    """Return that all is well."""
    return Finding(State.OK, message)


def failed(message: str, *more: str, commands: Iterable[str] = ()) -> Finding:
    """Return what is wrong."""
    return Finding(State.FAILED, message, more, tuple(commands))


def unasked(message: str) -> Finding:
    """Return that something was not tried, and with which option it is."""
    return Finding(State.UNASKED, message)


def judged(faults: Iterable[Fault], well: str, *more: str) -> Finding:
    """Return all faults as one finding; `well` says what was looked at if there are none."""
    found = tuple(faults)
    if not found:
        return ok(well)
    commands = dict.fromkeys(fault.command for fault in found if fault.command)
    return failed("; ".join(fault.words for fault in found), *more, commands=commands)


def aws(region: str, call: str, **options: str | int) -> str:
    """Return a command of AWS CLI. `call`: the service and the operation; an option is named as a variable is."""
    words = [f"aws {call}", "--region", region]
    for name, value in options.items():
        words += [f"--{name.replace('_', '-')}", quote(str(value))]
    return " ".join(words)
