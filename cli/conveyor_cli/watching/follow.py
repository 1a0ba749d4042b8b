"""Following a run to its end, or all runs."""

from datetime import datetime
from pathlib import Path
from shlex import quote
from typing import Any, NamedTuple

from conveyor.ledger.run_facts import Run
from conveyor_cli.exits import Exit
from conveyor_cli.frames.snapshot import Snapshot, snapshot_of
from conveyor_cli.runs.facts import Facts
from conveyor_cli.runs.reader import Reader
from conveyor_cli.screen.screen import Screen
from conveyor_cli.stacks.chosen import ChosenStack
from conveyor_cli.state import Phase
from conveyor_cli.verdict import EndOfRun
from conveyor_cli.verdicts.markdown import write_summary
from conveyor_cli.verdicts.show import show_verdict
from conveyor_cli.watching.loop import now_in_utc, watch
from conveyor_cli.watching.views import View, view_of


class How(NamedTuple):
    """How runs are followed."""

    every: float = 5.0
    """Seconds between two looks, at least."""
    until_held: bool = False
    """Whether a hold ends it also in a terminal."""
    keep_waiting: bool = False
    """Whether a hold does not end it even where nobody is there to approve."""
    summary: Path | None = None
    """A file that gets the verdict as Markdown."""
    called: str | None = None
    """What commands that are shown call the run; by default its name."""

    def ends_at_hold(self, screen: Screen) -> bool:
        """Return whether there is nobody who would approve, or nobody who wants to wait for that."""
        return self.until_held or not (screen.is_live or self.keep_waiting)


USUAL = How()


def follow(screen: Screen, stack: ChosenStack, run: Run, how: How = USUAL) -> Exit:
    """Show a run until it has ended, and then how; return the exit code that says so.

    It ends earlier at a hold without a terminal, and by Ctrl-C. Raises Trouble for what does not pass by itself:
    credentials that have expired, or a missing permission. The run goes on in any case.
    """
    reader, view = Reader(stack.bucket, run, how.called), view_of(screen, run.name)
    ends_at_hold = how.ends_at_hold(screen)
    try:
        with view:
            seen = watch(lambda now: _look(reader, now, view, ends_at_hold=ends_at_hold), view.lost, how.every)
    except KeyboardInterrupt:
        again = screen.typed(f"conveyor watch {quote(how.called or run.name)}")
        screen.note(f"  Left. The run goes on; {again} returns to it.")
        return Exit.INTERRUPTED
    if seen.verdict is None:
        return _held(screen, snapshot_of(seen.facts, now_in_utc()) if seen.facts else None)
    _tell(screen, run, seen.verdict)
    if how.summary:
        write_summary(how.summary, run, seen.verdict, screen.typed)
    return seen.verdict.exit


class _Seen(NamedTuple):
    """A run as one look has seen it."""

    view: View
    facts: Facts | None = None
    verdict: EndOfRun | None = None
    """How it has ended, if it has."""
    is_held: bool = False

    def show(self, now: datetime) -> bool:
        """Show it; return whether there is nothing more to wait for."""
        if self.verdict:
            self.view.end(self.verdict.first, now)
            return True
        if self.facts is None:
            return False
        snapshot = snapshot_of(self.facts, now)
        self.view.show(snapshot, now)
        if self.is_held:
            self.view.end("", now)
        return self.is_held


def _look(reader: Reader, now: datetime, view: View, *, ends_at_hold: bool) -> _Seen:
    """Return how a run has ended, or else what is known of it."""
    if verdict := reader.end():
        return _Seen(view, verdict=verdict)
    facts = reader.look(now)
    by_receipt = reader.ended_by(None) if facts.state.may_have_ended else None
    return _Seen(view, facts, by_receipt, is_held=ends_at_hold and reader.is_held(facts))


def _held(screen: Screen, snapshot: Snapshot | None) -> Exit:
    """Say that a run waits for a person, and what they can type."""
    if snapshot and not screen.look.json:  # the last object says so
        said = snapshot.said
        screen.verdict(said.mark, said.first, *said.more)
        screen.line()
        for step in said.steps:
            screen.wrapped(step.words, indent=2)
            screen.command(str(step.command))
    return Exit.HELD


def _tell(screen: Screen, run: Run, verdict: EndOfRun) -> None:
    if not screen.look.json:
        show_verdict(screen, verdict)
        return
    about: dict[str, Any] = {"at": now_in_utc(), "run": run.run, "name": run.name, "phase": Phase.DONE}
    screen.json(**about, needs=None, verdict=verdict.as_json)
