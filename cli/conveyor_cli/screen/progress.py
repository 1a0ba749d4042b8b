"""One bar for the files that are on their way, or a line where there is no terminal."""

from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.text import Text

from conveyor.wording.numbers import size
from conveyor.wording.text import counted
from conveyor_cli.files.progress import Progress
from conveyor_cli.screen.bar import Bars

if TYPE_CHECKING:
    from rich.progress import TaskID


class Transfer(Progress):
    """Shows a transfer on stderr for the length of a block, and nothing of it afterwards."""

    def __init__(self, console: Console, *, is_ascii: bool, is_shown: bool = True) -> None:
        """Show nothing yet. `is_shown`: whether anything is shown."""
        self._console = console
        self._is_shown = is_shown
        self._bars = Bars(console, is_ascii=is_ascii, is_shown=is_shown)
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
        if not self._bars.can_show:
            self._say(f"  fetching {counted(files, 'file')}, {size(total)}")
        self._task = self._bars.begin("", total)

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
