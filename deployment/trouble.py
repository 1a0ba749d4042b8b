"""What ends a deployment: said to the person, without a traceback."""

from __future__ import annotations

FAILED, MISUSED = 1, 2
"""Exit codes: AWS or the deployment failed, or the person said no; something that was given is missing or wrong."""


class Trouble(Exception):
    """What happened, what else there is to know, and the commands to type, each on a line of its own."""

    def __init__(self, happened: str, *more: str, commands: tuple[str, ...] = (), code: int = FAILED) -> None:
        """Take one sentence, further ones, and commands."""
        super().__init__(happened)
        self.lines = (happened, *more)
        self.commands = commands
        self.code = code


def misused(happened: str, *more: str, commands: tuple[str, ...] = ()) -> Trouble:
    """Return the Trouble of something that was given and is missing or wrong."""
    return Trouble(happened, *more, commands=commands, code=MISUSED)
