"""How far a long table is read, as a line that is redrawn. A short one shows nothing."""

from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, Protocol, Self

from rich.text import Text

from conveyor.wording.text import counted

if TYPE_CHECKING:
    from conveyor_cli.screen.live import LiveFrame

_FROM_SECONDS = 1.0
_BETWEEN_SECONDS = 0.5


class Shows(Protocol):
    """What can show a line in place: the screen."""

    @property
    def is_live(self) -> bool:
        """Whether it can."""
        ...

    def live(self) -> "LiveFrame":
        """Return the frame of the line."""
        ...


class Counting:
    """Counts rows, and shows their number on stderr for the length of a block."""

    def __init__(self, screen: Shows, clock: Callable[[], float] = monotonic) -> None:
        """Show nothing yet."""
        self._screen = screen
        self._clock = clock
        self._began = self._drawn = clock()
        self._frame: LiveFrame | None = None

    def __enter__(self) -> Self:
        """Begin to count."""
        return self

    def __exit__(self, *_: object) -> None:
        """Take the line away."""
        if self._frame:
            self._frame.clear()
            self._frame.__exit__(None, None, None)

    def tell(self, rows: int) -> None:
        """Show that so many rows are read."""
        now = self._clock()
        seconds = now - self._began
        if seconds < _FROM_SECONDS or now - self._drawn < _BETWEEN_SECONDS or not self._screen.is_live:
            return
        self._drawn = now
        if self._frame is None:
            self._frame = self._screen.live().__enter__()
        self._frame.show([Text(f"  Preparing   {counted(rows, 'row')}, {seconds:,.0f} s")])
