"""The marks at the start of a line. Their shape says the state, and the colour repeats it."""

from enum import Enum


class Mark(Enum):
    """A mark: as UTF-8, in ASCII, and its colour of the user's theme."""

    OK = ("✓", "+", "green")
    ERROR = ("✗", "x", "red")
    LOOK = ("!", "!", "yellow")
    WAITS = ("‖", "=", "bold yellow")
    UNDER_WAY = ("►", ">", "cyan")
    SOME_FAILED = ("◆", "*", "yellow")
    UNKNOWN = ("?", "?", "bold yellow")
    NOT_SENT = ("–", "-", "dim")  # noqa: RUF001 - an en dash

    def __init__(self, utf8: str, in_ascii: str, style: str) -> None:
        self.utf8 = utf8
        self.in_ascii = in_ascii
        self.style = style
