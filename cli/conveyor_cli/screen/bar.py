"""What every bar of bytes on their way looks like, and the bar of one file that is read or sent."""

import time
from threading import Lock
from typing import Self

from rich.console import Console
from rich.progress import Progress, ProgressColumn, Task, TaskID
from rich.text import Text

from conveyor.wording.numbers import size, transferred

_CELLS = 24
_NAME = len("failures.jsonl")
_LOOKS = 2
"""How often it is drawn in a second."""
_FIRST_GUESS_SECONDS = 1
"""How long a transfer goes on before it is said how long it takes."""
_FROM_SECONDS = 0.5
"""What takes less is not shown: a line that comes and goes at once is noise."""
_WORTH_A_LINE = 100_000_000
"""Bytes from which a line says, without a terminal, what takes so long."""


class Bars(Progress):
    """Bars of bytes, which are gone afterwards. There are none without a terminal."""

    def __init__(self, console: Console, *, is_ascii: bool, is_shown: bool) -> None:
        """Show nothing yet. `is_shown`: whether anything is shown."""
        self.can_show = is_shown and console.is_terminal and not console.is_dumb_terminal
        super().__init__(
            _Name(),
            _Cells("#-" if is_ascii else "━─"),
            _Figures(),
            console=console,
            transient=True,
            refresh_per_second=_LOOKS,
            redirect_stdout=False,
            redirect_stderr=False,
            disable=not self.can_show,
        )

    def begin(self, name: str, total: int, before: float = 0) -> TaskID:
        """Add a bar. `before`: seconds for which it goes on already."""
        return self.add_task(name, total=total, began=time.monotonic() - before, before=0)


class Bar:
    """Adds up bytes, of several threads, and shows their sum. To be used in a `with`."""

    def __init__(self, console: Console, label: str, total: int, *, is_ascii: bool, is_shown: bool) -> None:
        """`total`: of bytes, once; what is read a second time begins at the left again."""
        self._console = console
        self._label = label
        self._total = max(total, 1)
        self._is_told = is_shown and not console.is_terminal and total >= _WORTH_A_LINE
        self._bars = Bars(console, is_ascii=is_ascii, is_shown=is_shown)
        self._task: TaskID | None = None
        self._began = time.monotonic()
        self._lock = Lock()
        self.done = 0

    def __enter__(self) -> Self:
        """Begin to measure. In a terminal nothing is shown yet."""
        self._began = time.monotonic()
        if self._is_told:
            self._console.print(Text(f"{self._label} {size(self._total)}"))
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the bar."""
        self._bars.stop()

    @property
    def seconds(self) -> float:
        """How long it has taken."""
        return time.monotonic() - self._began

    def tell(self, count: int) -> None:
        """Add bytes."""
        with self._lock:
            self.done += count
            if self._task is None and self._bars.can_show and self.seconds >= _FROM_SECONDS:
                self._bars.start()
                self._task = self._bars.begin(self._label, self._total, self.seconds)
            if self._task is not None:
                again = (self.done - 1) % self._total + 1 if self.done > 0 else 0
                self._bars.update(self._task, completed=again)


class _Name(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"  {task.description:<{_NAME}}")


class _Cells(ProgressColumn):
    def __init__(self, cells: str) -> None:
        super().__init__()
        self._full, self._empty = cells[0], cells[1]

    def render(self, task: Task) -> Text:
        full = int(_CELLS * task.completed / task.total) if task.total else _CELLS
        return Text.assemble((self._full * full, "cyan"), (self._empty * (_CELLS - full), "dim"))


class _Figures(ProgressColumn):
    def render(self, task: Task) -> Text:
        total = int(task.total or 0)
        figures = f"{task.percentage:>3.0f}%  {transferred(int(task.completed), total)}"
        seconds = time.monotonic() - task.fields["began"]
        new = task.completed - task.fields["before"]
        if new > 0 and not task.finished and seconds > _FIRST_GUESS_SECONDS:
            figures += f", {max(round((total - task.completed) * seconds / new), 1)} s to go"
        return Text(figures)
