"""The progress of a run: a live list of steps on a terminal, and a line for each step elsewhere."""

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

    from local.stack.messages import Message
    from local.stack.stack import Stack


REPEAT_SECONDS = 10.0
"""Without a terminal, the current step is printed again after this time, so that the demo does not look stuck."""
TROUBLE_SECONDS = 1.0
"""Time between two look-ups of what keeps a run from continuing."""


class Progress:
    """The display of one drop's steps; seconds count from its creation."""

    def __init__(self, console: Console) -> None:
        """Start with no steps."""
        self._console = console
        self._start = time.monotonic()
        self._done: dict[str, tuple[float, str]] = {}
        self._current = ""
        self._printed = ("", 0.0)
        self._spinner = Spinner("dots")
        self._live = Live(console=console, get_renderable=self._table, refresh_per_second=8)

    def __enter__(self) -> Self:
        """Start the live display, if there is a terminal."""
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop the live display, which keeps its last state."""
        self._current = ""
        self._live.stop()

    def done(self, step: str, detail: str) -> None:
        """Mark a step as done; a second call does nothing."""
        if step in self._done:
            return
        seconds = self._done.setdefault(step, (time.monotonic() - self._start, detail))[0]
        if not self._console.is_terminal:
            self._line(seconds, f"{step:<11}{detail}")

    def doing(self, step: str, detail: str = "") -> None:
        """Show the current step; without a terminal, only if it is new or has lasted."""
        self._current = f"{step:<11}{detail}"
        seconds = time.monotonic() - self._start
        printed, printed_at = self._printed
        is_due = self._current != printed or seconds - printed_at >= REPEAT_SECONDS
        if detail and not self._console.is_terminal and is_due:
            self._printed = (self._current, seconds)
            self._line(seconds, f"{self._current} …")

    def show_message(self, text: str) -> None:
        """Print a message about a run that continues, above the steps."""
        self._console.print(f"\n{text}\n", markup=False, highlight=False, soft_wrap=True)

    def _line(self, seconds: float, text: str) -> None:
        self._console.print(f"{seconds:6.1f} s  {text}", markup=False, highlight=False, soft_wrap=True)

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 1))
        for step, (seconds, detail) in self._done.items():
            table.add_row(Text("✓", "green"), f"{seconds:5.1f} s", Text(f"{step:<11}{detail}", overflow="fold"))
        if self._current:
            table.add_row(self._spinner, f"{time.monotonic() - self._start:5.1f} s", Text(self._current, "dim"))
        return table


def watch(stack: Stack, key: str, version: str, seconds: float, progress: Progress) -> Message:
    """Show the steps of a drop until its final message, which is returned. Raises TimeoutError.

    Earlier messages, about trouble or about a decision for a person, are shown when they arrive.
    """
    run: str | None = None
    shown = 0
    trouble = Trouble(stack)

    def show_progress() -> Message | None:
        nonlocal run, shown
        run = run or stack.run_of(key, version)
        if run is None:
            progress.doing("received")
            return None
        messages = [message for message in stack.messages() if message.run == run]
        final = next((message for message in messages if message.is_final), None)
        others = [message for message in messages if not message.is_final]
        for message in others[shown:]:
            progress.show_message(f"{message.subject}\n\n{message.text}")
        shown = len(others)
        _show(stack, run, progress, trouble)
        if final is not None:
            progress.done("notified", final.subject)
        return final

    return stack.wait_for(show_progress, seconds, f"final message about {key}")


class Trouble:
    """What keeps a run from continuing, looked up at most once a second."""

    def __init__(self, stack: Stack) -> None:
        """Prepare; nothing is looked up yet."""
        self._stack = stack
        self._text = ""
        self._valid_until = 0.0

    def __call__(self, run: str) -> str:
        """Return it as a text; empty if nothing does."""
        if time.monotonic() >= self._valid_until:
            reason = self._stack.trouble(run)
            self._text = f"the run retries by itself; last error: {reason}" if reason else ""
            self._valid_until = time.monotonic() + TROUBLE_SECONDS
        return self._text


def _show(stack: Stack, run: str, progress: Progress, trouble: Trouble) -> None:
    """Show the steps that the ledger of a run proves."""
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
    drop, *batches = stack.lines(f"{prefix}plan.jsonl")
    plan = [*(drop.get("probe") or {"batches": []})["batches"], *batches]
    progress.done("validated", f"{sum(batch['requests'] for batch in plan):,} requests")
    planned = {name for name in ledger if not name.startswith("round-")}
    batch_facts = sorted(name for name in planned if "/batch-" in name)
    submitted = list({name.rpartition("/")[0]: name for name in batch_facts}.values())  # the last of each batch
    if len(submitted) < sum(batch["requests"] > 0 for batch in plan):
        progress.doing("submitted", trouble(run))
        return
    progress.done("submitted", ", ".join(json.loads(stack.object(prefix + name))["id"] for name in submitted))
    if sum(name.endswith("/part.json") for name in planned) < len(plan):
        progress.doing("waiting", trouble(run) or "for the provider; no function runs meanwhile")
        return
    progress.done("waiting", "the provider has ended")
    progress.done("split", "results and failures, in the order of the drop")
    for name in sorted(name for name in ledger - planned if "/" not in name):
        requests = json.loads(stack.object(prefix + name))["requests"]
        progress.done(name.removesuffix(".json"), f"{requests:,} requests that failed are sent again")
    progress.doing("notified")
