"""Why a command cannot go on, in words for a person."""

from conveyor_cli.exits import Exit


class Trouble(Exception):
    """What happened, what that means, and what to type. It has no text of a prompt, and no secret.

    `code`: for programs. `message`: one line without a full stop. `more`: sentences. `commands`: ready to paste.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *more: str,
        commands: tuple[str, ...] = (),
        exit_code: Exit = Exit.SURROUNDINGS,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.more = more
        self.commands = commands
        self.exit_code = exit_code

    def __str__(self) -> str:
        """Return all of it, for programs that call this package: a screen shows the parts."""
        return " ".join((f"{self.message}.", *self.more, *self.commands))
