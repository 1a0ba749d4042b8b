"""The exit codes of the command: the one table."""

from enum import IntEnum

from conveyor.domain.status import Status


class Exit(IntEnum):
    """How a command ended, or the run that it followed."""

    DONE = 0
    SOME_FAILED = 1
    USAGE = 2
    NO_RESULTS = 3
    HELD = 4
    STOPPED = 5
    STUCK = 6
    UNBALANCED = 7
    SURROUNDINGS = 8
    INTERRUPTED = 130


EXITS = {
    Exit.DONE: "the command did what it says; of a run: every request was answered",
    Exit.SOME_FAILED: "the run has ended, and some requests failed",
    Exit.USAGE: "wrong usage; nothing was changed",
    Exit.NO_RESULTS: "refused, or no request was answered: there are no results",
    Exit.HELD: "the run waits for a person",
    Exit.STOPPED: "the run was stopped or declined",
    Exit.STUCK: "the results of a batch cannot be had",
    Exit.UNBALANCED: "the counts of the run do not add up: send nothing again",
    Exit.SURROUNDINGS: "the surroundings: credentials, rights, stack, network, disk, checksum",
    Exit.INTERRUPTED: "interrupted by Ctrl-C or a signal; runs go on",
}
"""Every code, with the words of the help and of docs/command.md."""

_OF_STATUS = {
    Status.COMPLETED: Exit.DONE,
    Status.ESTIMATED: Exit.DONE,
    Status.REFUSED: Exit.NO_RESULTS,
    Status.FAILED: Exit.NO_RESULTS,
    Status.STOPPED: Exit.STOPPED,
    Status.DECLINED: Exit.STOPPED,
    Status.STUCK: Exit.STUCK,
    Status.UNBALANCED: Exit.UNBALANCED,
}


def exit_of(status: Status, failures: int) -> Exit:
    """Return the code that says how a run has ended."""
    return Exit.SOME_FAILED if status is Status.COMPLETED and failures else _OF_STATUS[status]
