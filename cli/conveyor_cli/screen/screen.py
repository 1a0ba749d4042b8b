"""The screen: results on stdout, everything else on stderr, as text or as JSON."""

import json
import os
import re
import sys
import textwrap
from shlex import quote, split
from typing import TYPE_CHECKING, Any, TextIO

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from conveyor.wording.marks import Mark
from conveyor.wording.visible import visible
from conveyor_cli.screen.bar import Bar
from conveyor_cli.screen.terminal import Look, has_narrow_marks, is_coloured, is_utf8
from conveyor_cli.trouble import Trouble

if TYPE_CHECKING:
    from conveyor_cli.screen.live import LiveFrame
    from conveyor_cli.screen.progress import Transfer

VERSION = 1
"""Of the form of JSON output: it changes when a key is removed."""
WIDE = 120
"""Columns from which a screen shows more."""
_LABEL = len("Estimated   ")
"""Columns of the name of a step."""
_WIDEST_STEP = 80
_OF_NO_STACK = ("conveyor use", "conveyor completion", "conveyor --help")
_ASK = ("conveyor approve ", "conveyor pause ", "conveyor stop ", "conveyor decide ")
"""Commands that ask before they change anything; `decide`, if it has a decision."""
_DECISIONS = frozenset({"--adopt", "--submit-again"})
_YES = "--yes"
_OF_AWS = re.compile(r"(?:^|\| )aws ")
"""In a command of AWS CLI, also one that reads from a pipe."""
_ENDLESS = 10_000
"""Columns of what is no terminal: nothing is cut there."""


class Screen:
    """Where a command writes."""

    def __init__(self, look: Look) -> None:
        """Find out what the terminal can show."""
        self.look = look
        self.chosen: tuple[str, ...] = ()
        """The options that chose the stack for once: commands that are shown repeat them."""
        self.shell_file = ""
        """What a shell sources to use the local stack, as it is typed; empty if the command is about another stack."""
        self.is_ascii = look.ascii or not is_utf8(os.environ, sys.stdout.encoding)
        self._has_utf8_marks = not self.is_ascii and has_narrow_marks(os.environ)
        self.is_terminal = sys.stdout.isatty()
        self._out = _console(sys.stdout, look)
        self._err = _console(sys.stderr, look)
        self._tables = _console(sys.stdout, look, _ENDLESS)  # rich would cut numbers to make a table fit

    @property
    def asks(self) -> bool:
        """Whether there is somebody to ask, who sees what it is about: nothing of that is shown as JSON."""
        return not self.look.json and sys.stdin.isatty() and sys.stderr.isatty()

    @property
    def width(self) -> int:
        """Columns."""
        return self._out.width

    @property
    def frame_width(self) -> int:
        """Columns of the terminal that shows a frame."""
        return self._err.width

    @property
    def has_ascii_marks(self) -> bool:
        """Whether marks are of ASCII."""
        return not self._has_utf8_marks

    @property
    def height(self) -> int:
        """Rows of the terminal that shows a frame."""
        return self._err.height

    @property
    def is_live(self) -> bool:
        """Whether a frame can be drawn in place: on stderr, since results alone go to stdout."""
        return self._err.is_terminal and not self._err.is_dumb_terminal and not self.look.json

    def live(self) -> "LiveFrame":
        """Return a frame that is drawn in place."""
        from conveyor_cli.screen.live import LiveFrame  # noqa: PLC0415 - most commands draw no frame

        return LiveFrame(self._err)

    def text(self, text: str) -> str:
        """Return a text of somebody else as it can be shown."""
        return visible(text, ascii_only=self.is_ascii)

    def mark(self, mark: Mark) -> Text:
        """Return a mark."""
        return Text(mark.utf8 if self._has_utf8_marks else mark.in_ascii, style=mark.style)

    def json(self, **content: Any) -> None:  # noqa: ANN401 - any JSON
        """Write one JSON object as a line of stdout: money as text, times as RFC 3339 in UTC."""
        sys.stdout.write(_json(content))
        sys.stdout.flush()

    def verdict(self, mark: Mark, text: str, *more: str) -> None:
        """Write a state, and what follows from it."""
        self._say(self._out, mark, text, more)

    def caution(self, text: str, *more: str) -> None:
        """Write on stderr what a person should know; nothing where JSON is asked for, which has it in `notes`."""
        if not self.look.json:
            self._say(self._err, Mark.LOOK, text, more)

    def step(self, label: str, text: str, seconds: float | None = None) -> None:
        """Write a step that is done, and how long it took."""
        done = Text.assemble(self.mark(Mark.OK), " ", (f"{label:<{_LABEL}}", "bold"), self.text(text))
        took = "" if seconds is None else f"{seconds:,.1f} s"
        gap = min(self.width, _WIDEST_STEP) - done.cell_len - len(took) if self.is_terminal else 2
        self._out.print(done.append(" " * max(gap, 2) + took, "dim") if took else done)

    def bar(self, label: str, total: int) -> Bar:
        """Return a bar for bytes that are read or sent. Without a terminal it is one line."""
        return Bar(self._err, label, total, is_ascii=not self._has_utf8_marks, is_shown=not self.look.json)

    def line(self, text: str = "", style: str = "") -> None:
        """Write a line."""
        self._out.print(Text(self.text(text), style=style))

    def marked(self, mark: Mark, text: str, indent: int = 0) -> None:
        """Write a line that begins with a mark."""
        self._out.print(Text.assemble(" " * indent, self.mark(mark), " ", self.text(text)))

    def wrapped(self, text: str, indent: int = 0) -> None:
        """Write a text in lines of the width of the terminal."""
        for line in self._wrapped(self._out, text):
            self._out.print(Text(f"{' ' * indent}{line}"))

    def typed(self, command: str) -> str:
        """Return a command as it is typed to be about the same stack; one that asks, with `--yes` where nobody is."""
        if self.shell_file and _OF_AWS.search(command):
            return f". {self.shell_file} && {command}"
        if not command.startswith("conveyor ") or command.startswith(_OF_NO_STACK):
            return command
        yes = [_YES] if not self.asks and _would_ask(command) else []
        return " ".join((command, *yes, *map(quote, self.chosen)))

    def command(self, command: str) -> None:
        """Write a command, alone on its line, ready to paste."""
        self._command(self._out, command)

    def table(self, table: Table) -> None:
        """Write a table, each column as wide as its content."""
        self._tables.print(table, soft_wrap=False)

    def note(self, text: str) -> None:
        """Write on stderr what is beside the result; nothing where JSON is asked for."""
        if not self.look.json:
            self._err.print(Text(self.text(text)))

    def transfer(self) -> "Transfer":
        """Return what shows files on their way, on stderr."""
        from conveyor_cli.screen.progress import Transfer  # noqa: PLC0415 - most commands need no bar

        return Transfer(self._err, is_ascii=self.is_ascii or not self._has_utf8_marks, is_shown=not self.look.json)

    def trouble(self, trouble: Trouble) -> None:
        """Write on stderr why the command cannot go on."""
        if self.look.json:
            text = " ".join((f"{trouble.message}.", *trouble.more))
            error = {"code": trouble.code, "message": text, "type": next(map(self.typed, trouble.commands), None)}
            sys.stderr.write(_json({"error": error}))
            return
        self._say(self._err, Mark.ERROR, trouble.message, trouble.more)
        for command in trouble.commands:
            self._command(self._err, command)

    def _say(self, console: Console, mark: Mark, text: str, more: tuple[str, ...]) -> None:
        first, *rest = self._wrapped(console, text)
        console.print(Text.assemble(self.mark(mark), " ", (first, "bold")))
        for line in rest:
            console.print(Text(f"  {line}", style="bold"))
        for sentence in more:
            for line in self._wrapped(console, sentence):
                console.print(Text(f"  {line}"))

    def _command(self, console: Console, command: str) -> None:
        console.print(Text(f"    {self.text(self.typed(command))}", style="cyan"))

    def _wrapped(self, console: Console, text: str) -> list[str]:
        """Return the lines of a text: one, if nobody looks at it."""
        shown = self.text(text)
        if not console.is_terminal:
            return [shown]
        return textwrap.wrap(shown, console.width - 2, break_long_words=False, break_on_hyphens=False) or [""]


def _would_ask(command: str) -> bool:
    """Tell whether a command asks a person before it changes anything."""
    if not command.startswith(_ASK):
        return False
    _, name, *words = split(command)
    return _YES not in words and (name != "decide" or not _DECISIONS.isdisjoint(words))


def _console(stream: TextIO, look: Look, width: int | None = None) -> Console:
    is_terminal = stream.isatty()
    coloured = is_coloured(look.colour, os.environ, is_terminal=is_terminal)
    return Console(
        file=stream,
        force_terminal=is_terminal,
        color_system="standard" if coloured else None,
        no_color=False,  # the environment was looked at before
        width=width if is_terminal else _ENDLESS,
        soft_wrap=True,
        highlight=False,
        markup=False,
        emoji=False,
    )


def _json(content: dict[str, Any]) -> str:
    return json.dumps({"v": VERSION, **msgspec.to_builtins(content)}) + "\n"
