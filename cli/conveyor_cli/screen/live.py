"""A frame that is drawn in place, in the scrollback: the last one stays."""

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text


class LiveFrame:
    """A frame that changes."""

    def __init__(self, console: Console) -> None:
        """Draw nothing yet."""
        self._live = Live(console=console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False)
        self._shown: list[Text] | None = None

    def show(self, lines: Sequence[Text]) -> None:
        """Draw the frame, if it differs from the one that is shown."""
        if list(lines) != self._shown:
            self._shown = list(lines)
            frame = Text("\n").join(lines)
            frame.no_wrap, frame.overflow = True, "crop"
            self._live.update(frame, refresh=True)

    def clear(self) -> None:
        """Take the frame away, so that something else can stand in its place."""
        self._live.transient = True

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """Leave the last frame where it is, unless it was cleared."""
        self._live.stop()
