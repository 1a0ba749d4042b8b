"""What happens to a drop, shown while it happens: steps ticked off on a terminal, a line each elsewhere."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Self

from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from types import TracebackType

    from rich.console import Console

    from local.stack import Message, Stack


QUIET_SECONDS = 10.0
"""Where there is no terminal, what goes on is said again after so long: nothing looks like nothing happening."""


TROUBLE_SECONDS = 1.0


class Progress:
    """The display of one drop's steps; seconds count from its making."""

    def __init__(self, console: Console) -> None:
        """Show nothing yet."""
        self._console = console
        self._start = time.monotonic()
        self._done: dict[str, tuple[float, str]] = {}
        self._now = ""
        self._said = ("", 0.0)
        self._spinner = Spinner("dots")
        self._live = Live(console=console, get_renderable=self._table, refresh_per_second=8)

    def __enter__(self) -> Self:
        """Start the live display, where there is a terminal."""
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Leave the last state of the display standing."""
        self._now = ""
        self._live.stop()

    def done(self, step: str, detail: str) -> None:
        """Tick a step off; once more is ignored."""
        if step in self._done:
            return
        seconds = self._done.setdefault(step, (time.monotonic() - self._start, detail))[0]
        if not self._console.is_terminal:
            self._line(seconds, f"{step:<11}{detail}")

    def doing(self, step: str, detail: str = "") -> None:
        """Show what goes on now; where there is no terminal, when it changes or has lasted."""
        self._now = f"{step:<11}{detail}"
        seconds = time.monotonic() - self._start
        said, at = self._said
        if detail and not self._console.is_terminal and (self._now != said or seconds - at >= QUIET_SECONDS):
            self._said = (self._now, seconds)
            self._line(seconds, f"{self._now} …")

    def tell(self, words: str) -> None:
        """Print a message that came meanwhile, above the steps."""
        self._console.print(f"\n{words}\n", markup=False, highlight=False, soft_wrap=True)

    def _line(self, seconds: float, words: str) -> None:
        self._console.print(f"{seconds:6.1f} s  {words}", markup=False, highlight=False, soft_wrap=True)

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 1))
        for step, (seconds, detail) in self._done.items():
            table.add_row(Text("✓", "green"), f"{seconds:5.1f} s", Text(f"{step:<11}{detail}", overflow="fold"))
        if self._now:
            table.add_row(self._spinner, f"{time.monotonic() - self._start:5.1f} s", Text(self._now, "dim"))
        return table


def watch(stack: Stack, key: str, version: str, seconds: float, progress: Progress) -> Message:
    """Show the steps of a drop until the message comes that it has ended. Raises TimeoutError.

    Messages before that one, about trouble or a decision that a person can take, are shown when they come.
    """
    run: str | None = None
    told = 0
    trouble = Trouble(stack)

    def look() -> Message | None:
        nonlocal run, told
        run = run or stack.run_of(key, version)
        if run is None:
            progress.doing("received")
            return None
        came = [message for message in stack.messages() if message.run == run]
        final = next((message for message in came if message.is_final), None)
        meanwhile = [message for message in came if not message.is_final]
        for message in meanwhile[told:]:
            progress.tell(f"{message.subject}\n\n{message.text}")
        told = len(meanwhile)
        _show(stack, run, progress, trouble)
        if final is not None:
            progress.done("notified", final.subject)
        return final

    return stack.wait_for(look, seconds, f"final message about {key}")


class Trouble:
    """What keeps a run from going on, asked no more than once a second."""

    def __init__(self, stack: Stack) -> None:
        """Know nothing yet."""
        self._stack = stack
        self._known = ""
        self._until = 0.0

    def __call__(self, run: str) -> str:
        """Say it in words; empty where there is none."""
        if time.monotonic() >= self._until:
            reason = self._stack.trouble(run)
            self._known = f"the run asks again by itself; last time: {reason}" if reason else ""
            self._until = time.monotonic() + TROUBLE_SECONDS
        return self._known


def _show(stack: Stack, run: str, progress: Progress, trouble: Trouble) -> None:
    """Tick off what the ledger of a run holds."""
    prefix = f"runs/{run}/"
    ledger = {key.removeprefix(prefix) for key in stack.keys(prefix)}
    progress.done("received", f"run {run}")
    if "refused.json" in ledger:
        progress.done("refused", json.loads(stack.object(f"{prefix}refused.json"))["message"])
        progress.doing("notified")
        return
    if "plan.jsonl" not in ledger:
        progress.doing("validated")
        return
    _checked, *plan = stack.lines(f"{prefix}plan.jsonl")
    progress.done("validated", f"{sum(batch['requests'] for batch in plan):,} requests")
    takes = sorted(name for name in ledger if "/batch-" in name)
    submitted = list({name.rpartition("/")[0]: name for name in takes}.values())  # of each batch the last
    if len(submitted) < len(plan):
        progress.doing("submitted", trouble(run))
        return
    progress.done("submitted", ", ".join(json.loads(stack.object(prefix + name))["id"] for name in submitted))
    if sum(name.endswith("/part.json") for name in ledger) < len(plan):
        progress.doing("waiting", trouble(run) or "for the provider; nothing of ours runs meanwhile")
        return
    progress.done("waiting", "the provider has ended")
    progress.done("split", "results and failures, in the order of the drop")
    progress.doing("notified")
