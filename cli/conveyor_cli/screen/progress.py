"""One bar for the files that are on their way, or a line where there is no terminal."""

import time
from typing import Self

from rich.console import Console
from rich.progress import Progress as Bars
from rich.progress import ProgressColumn, Task, TaskID
from rich.text import Text

from conveyor.wording.text import counted
from conveyor_cli.files.progress import Progress
from conveyor_cli.screen.words import size, transferred

_CELLS = 24
_NAME = len("failures.jsonl")
_LOOKS = 2
"""How often it is drawn in a second."""
_FIRST_GUESS_SECONDS = 1
"""How long a transfer goes on before it is said how long it takes."""


class Transfer(Progress):
    """Shows a transfer on stderr for the length of a block, and nothing of it afterwards."""

    def __init__(self, console: Console, *, is_ascii: bool, is_shown: bool = True) -> None:
        """Show nothing yet. `is_shown`: whether anything is shown."""
        self._console = console
        self._is_shown = is_shown
        columns = (_Name(), _Cells("#-" if is_ascii else "━─"), _Figures())
        self._has_bar = is_shown and console.is_terminal and not console.is_dumb_terminal
        self._bars = Bars(
            *columns,
            console=console,
            transient=True,
            refresh_per_second=_LOOKS,
            redirect_stdout=False,
            redirect_stderr=False,
            disable=not self._has_bar,
        )
        self._task: TaskID | None = None
        self.done = self.total = 0
        """Bytes."""

    def __enter__(self) -> Self:
        """Begin the block."""
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Take the bar away."""
        self._bars.stop()

    def begins(self, files: int, total: int) -> None:
        """Start the bar."""
        self.total = total
        if not self._has_bar:
            self._say(f"  fetching {counted(files, 'file')}, {size(total)}")
        self._task = self._bars.add_task("", total=total, began=time.monotonic(), before=0)

    def resumes(self, file: str, at: int) -> None:
        """Say where it goes on."""
        self._say(f"  {file} resumed at {size(at)}")
        if self._task is not None:
            before = self._bars.tasks[self._task].fields["before"] if self._bars.tasks else 0
            self._bars.update(self._task, before=before + at)

    def advances(self, file: str, count: int) -> None:
        """Move the bar."""
        self.done += count
        if self._task is not None:
            self._bars.update(self._task, advance=count, description=file)

    def _say(self, text: str) -> None:
        if self._is_shown:
            self._console.print(Text(text))


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
