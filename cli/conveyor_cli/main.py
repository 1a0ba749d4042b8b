"""The command `conveyor`: its commands, and how each of them ends."""

import errno
import os
import signal
import sys
import tempfile
import traceback
from contextlib import suppress
from importlib import import_module
from typing import NoReturn, TextIO

import click

from conveyor import __version__
from conveyor_cli.exits import EXITS, Exit
from conveyor_cli.screen.screen import Screen
from conveyor_cli.screen.terminal import Look
from conveyor_cli.trouble import Trouble

_COMMANDS = (
    "approve",
    "completion",
    "decide",
    "doctor",
    "drop",
    "erase",
    "fetch",
    "pause",
    "prepare",
    "report",
    "runs",
    "stop",
    "table",
    "use",
    "watch",
)
"""In alphabetical order. Each is the function of this name in the module of this name in `commands/`, or below it."""
_DECISIONS = frozenset({"approve", "decide", "erase", "pause", "stop"})
"""Those in `commands/decisions/`."""
_EPILOG = "\b\nExit codes:\n" + "\n".join(f"{code:>5}  {means}" for code, means in EXITS.items())

_UNWRITABLE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG})
"""Errors of a disk to which the output is redirected: those of files have become a Trouble before."""


class Commands(click.Group):
    """The commands. Their modules are loaded when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's
        """Return all names."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's
        """Load the command of this name; None if no command has it."""
        if cmd_name not in _COMMANDS:
            return None
        folder = "commands.decisions" if cmd_name in _DECISIONS else "commands"
        command: click.Command = getattr(import_module(f"conveyor_cli.{folder}.{cmd_name}"), cmd_name)
        return command


@click.group(cls=Commands, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="conveyor", message="%(prog)s %(version)s")
def cli() -> None:
    """Drop files into a stack of Conveyor, and watch and approve their runs."""


def main() -> NoReturn:
    """Run the command as it was typed, and exit."""
    _open_streams()
    for name in ("SIGTERM", "SIGHUP"):  # Windows has no SIGHUP
        number = getattr(signal, name, None)
        if number and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _interrupt)
    sys.exit(run(sys.argv[1:]))


def _open_streams() -> None:
    """Let nothing read from or be written to streams that the caller has closed."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123 - until the end


def _interrupt(*_: object) -> NoReturn:
    """End as by Ctrl-C: an upload under way is aborted, and what was fetched stays."""
    raise KeyboardInterrupt


def run(arguments: list[str]) -> Exit:
    """Run a command and return its exit code. Writes no traceback."""
    screen = Screen(Look.of(arguments))
    try:
        ended = cli.main(arguments, "conveyor", standalone_mode=False, obj=screen)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return Exit.USAGE
    except click.Abort:
        return Exit.INTERRUPTED
    except SystemExit:
        _discard(sys.stdout, sys.stderr)  # nobody reads the output any more: click and rich end so
        return Exit.SURROUNDINGS
    except Exception as error:  # noqa: BLE001 - a person gets words, whatever it is
        trouble = _trouble_of(error, is_debug=screen.look.debug)
        screen.trouble(trouble)
        return trouble.exit_code
    return ended if isinstance(ended, Exit) else Exit.DONE


def _discard(*streams: TextIO) -> None:
    """Let nothing fail that is still to be flushed."""
    for stream in streams:
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _trouble_of(error: Exception, *, is_debug: bool) -> Trouble:
    """Return in words why a command cannot go on."""
    match error:
        case Trouble():
            return error
        case click.ClickException():
            return _wrong_usage(error)
        case OSError(errno=number) if number in _UNWRITABLE:
            _discard(sys.stdout)
            return Trouble("output", f"The output cannot be written ({os.strerror(number).lower()})")
        case _:
            return _defect(error, is_told=is_debug)


def _wrong_usage(error: click.ClickException) -> Trouble:
    """Return what is wrong with the arguments."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    path = context.command_path if context else "conveyor"
    text = error.format_message().rstrip(".")
    return Trouble("usage", text, "Nothing was changed.", commands=(f"{path} --help",), exit_code=Exit.USAGE)


def _defect(error: Exception, *, is_told: bool) -> Trouble:
    """Return that the command itself is wrong. The text of the error may quote content, so it is left out."""
    what = f"The command has a defect ({type(error).__name__})"
    if not is_told:
        return Trouble("defect", what, "Runs go on without it. Add --debug, and its traceback is written to a file.")
    with tempfile.NamedTemporaryFile("w", prefix="conveyor-", suffix=".txt", delete=False) as file:
        traceback.print_exception(error, file=file)
    return Trouble("defect", what, f"Runs go on without it. Its traceback is in {file.name}.")
