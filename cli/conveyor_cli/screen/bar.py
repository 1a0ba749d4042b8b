"""A bar that shows how far bytes are read or sent. It is redrawn in a terminal; elsewhere it is one line."""

from threading import Lock
from time import monotonic
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

_CELLS = 34
_FROM_SECONDS = 0.5
"""What takes less is not shown: a line that comes and goes at once is noise."""
_TIMES_A_SECOND = 4
_WORTH_A_LINE = 100_000_000
"""Bytes from which a line says, without a terminal, what takes so long."""
_UNITS = (("GB", 10**9), ("MB", 10**6), ("kB", 10**3))
_FULL_UTF8, _FULL_ASCII, _REST_UTF8, _REST_ASCII = "━", "#", "─", "-"


class Bar:
    """Adds up bytes, of several threads, and shows their sum. To be used in a `with`."""

    def __init__(self, console: Console, label: str, total: int, *, is_ascii: bool, is_shown: bool) -> None:
        """`total`: of bytes, once; what is read a second time begins at the left again."""
        self._console = console
        self._label = label
        self._total = max(total, 1)
        self._is_ascii = is_ascii
        self._is_shown = is_shown
        self._began = monotonic()
        self._lock = Lock()
        self._drawn = 0.0  # the second of the last redraw
        self.done = 0
        self._live = Live(console=console, auto_refresh=False, transient=True, get_renderable=self._line)

    def __enter__(self) -> Self:
        """Begin to measure. In a terminal nothing is shown yet."""
        self._began = monotonic()
        if self._is_shown and not self._console.is_terminal and self._total >= _WORTH_A_LINE:
            self._console.print(Text(f"{self._label} {megabytes(self._total)}"))
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the bar."""
        if self._live.is_started:
            self._live.stop()

    @property
    def seconds(self) -> float:
        """How long it has taken."""
        return monotonic() - self._began

    def tell(self, count: int) -> None:
        """Add bytes."""
        with self._lock:
            self.done += count
            self._draw()

    def _draw(self) -> None:
        if not self._is_shown or not self._console.is_terminal or self.seconds < _FROM_SECONDS:
            return
        if not self._live.is_started:
            self._live.start()
        if self.seconds - self._drawn >= 1 / _TIMES_A_SECOND:
            self._drawn = self.seconds
            self._live.refresh()

    def _line(self) -> Text:
        again = (self.done - 1) % self._total + 1 if self.done > 0 else 0  # of what is read a second time
        return drawn(self._label, again, self._total, self.seconds, is_ascii=self._is_ascii)


def drawn(label: str, done: int, total: int, seconds: float, *, is_ascii: bool = False) -> Text:
    """Return the line of a bar: how far it is after so many seconds, and how long the rest takes at that speed."""
    share = done / total
    full, left = int(share * _CELLS), seconds * (1 - share) / share if share else 0.0
    cell, rest = (_FULL_ASCII, _REST_ASCII) if is_ascii else (_FULL_UTF8, _REST_UTF8)
    unit, size = next(((unit, size) for unit, size in _UNITS if total >= size), _UNITS[-1])
    return Text.assemble(
        f"  {label:<12}",
        (cell * full, "cyan"),
        (rest * (_CELLS - full), "dim"),
        f" {share:4.0%}  {done / size:,.0f} of {total / size:,.0f} {unit}, {left:,.0f} s to go",
        no_wrap=True,
        overflow="crop",
    )


def megabytes(count: int) -> str:
    """Return a size, in a unit in which it is short."""
    for unit, size in _UNITS:
        if count >= size:
            return f"{count / size:,.0f} {unit}" if count >= 100 * size else f"{count / size:,.1f} {unit}"
    return f"{count:,} bytes"
