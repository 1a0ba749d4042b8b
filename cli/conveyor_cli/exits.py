"""The exit codes of the command: the one table."""

from enum import IntEnum


class Exit(IntEnum):
    """How a command ended. The codes between 2 and 8, and 1, are kept for how a run ends."""

    DONE = 0
    USAGE = 2
    SURROUNDINGS = 8
    INTERRUPTED = 130


EXITS = {
    Exit.DONE: "the command did what it says",
    Exit.USAGE: "wrong usage; nothing was changed",
    Exit.SURROUNDINGS: "the surroundings: credentials, rights, stack, network",
    Exit.INTERRUPTED: "interrupted by Ctrl-C; runs go on",
}
"""Every code, with the words of the help and of docs/command.md."""
