"""Following a run to its end."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from conveyor.ledger.run_facts import Run
from conveyor_cli.aws.errors import explained
from conveyor_cli.exits import Exit
from conveyor_cli.screen.screen import Screen
from conveyor_cli.stacks.chosen import ChosenStack
from conveyor_cli.state import Phase
from conveyor_cli.trouble import Trouble
from conveyor_cli.verdict import Verdict
from conveyor_cli.verdicts.markdown import write_summary
from conveyor_cli.verdicts.show import show_verdict
from conveyor_cli.watching.facts import Facts
from conveyor_cli.watching.reader import Reader
from conveyor_cli.watching.snapshot import Snapshot, snapshot_of
from conveyor_cli.watching.views import View, view_of

_TICK = 0.5
"""Seconds between two frames: a frame is drawn only if a figure has changed."""
_SHARE = 4
"""A look takes a fifth of the time at most, however large the run is."""
_LONGEST_PAUSE = 30.0
"""Seconds until AWS is asked again that did not answer."""
_PASSES = frozenset({"no-network", "aws-refused"})
"""Codes of troubles that end by themselves."""


class How(NamedTuple):
    """How a run is followed."""

    every: float = 5.0
    """Seconds between two looks, at least."""
    until_held: bool = False
    """Whether a hold ends it also in a terminal."""
    keep_waiting: bool = False
    """Whether a hold does not end it even where nobody is there to approve."""
    summary: Path | None = None
    """A file that gets the verdict as Markdown."""


USUAL = How()


def follow(screen: Screen, stack: ChosenStack, run: Run, how: How = USUAL) -> Exit:
    """Show a run until it has ended, and then how; return the exit code that says so.

    It ends earlier at a hold without a terminal, and by Ctrl-C. Raises Trouble for what does not pass by itself:
    credentials that have expired, or a missing permission. The run goes on in any case.
    """
    reader, view = Reader(stack.bucket, run), view_of(screen)
    ends_at_hold = how.until_held or not (screen.is_live or how.keep_waiting)
    try:
        with view:
            found = _Loop(reader, view, how, ends_at_hold=ends_at_hold).run()
    except KeyboardInterrupt:
        screen.note(f"  Left. The run goes on; conveyor watch {run.name} returns to it.")
        return Exit.INTERRUPTED
    if isinstance(found, Snapshot):
        return _held(screen, found)
    _tell(screen, run, found)
    if how.summary:
        write_summary(how.summary, run, found)
    return found.exit


class _Loop:
    """Looks at a run again and again."""

    def __init__(self, reader: Reader, view: View, how: How, *, ends_at_hold: bool) -> None:
        self._reader, self._view, self._how = reader, view, how
        self._ends_at_hold = ends_at_hold

    def run(self) -> Verdict | Snapshot:
        """Return how the run has ended; or the run as it stands, if it is held and that ends the watch."""
        while True:
            begun = time.monotonic()
            found = self._look()
            if isinstance(found, Verdict):
                self._view.end(found.first, _now())
                return found
            self._show(found)
            snapshot = snapshot_of(found, _now())
            if snapshot.is_held and self._ends_at_hold:
                self._view.end(snapshot.said.first, _now())
                return snapshot
            pause = 1.0 if found.unread_facts else self._how.every
            self._wait(found, max(min(pause, self._how.every), _SHARE * (time.monotonic() - begun)))

    def _show(self, facts: Facts) -> None:
        now = _now()
        self._view.show(snapshot_of(facts, now), now)

    def _wait(self, facts: Facts, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, _TICK))
            self._show(facts)

    def _look(self) -> Verdict | Facts:
        """Look once; while AWS does not answer, say so and try again."""
        since, pause = None, self._how.every
        while True:
            try:
                with explained():
                    return _look(self._reader)
            except Trouble as trouble:
                if trouble.code not in _PASSES:
                    raise
                since = since or _now()
                self._lost(trouble, since, pause)
                pause = min(2 * pause, _LONGEST_PAUSE)

    def _lost(self, trouble: Trouble, since: datetime, pause: float) -> None:
        again_at = _now() + timedelta(seconds=pause)
        while (now := _now()) < again_at:
            self._view.lost(trouble, since, again_at, now)
            time.sleep(min(_TICK, (again_at - now).total_seconds()))


def _look(reader: Reader) -> Verdict | Facts:
    """Return how a run has ended, or else what is known of it."""
    if verdict := reader.end():
        return verdict
    facts = reader.look(_now())
    by_receipt = reader.ended_by(None) if facts.state.may_have_ended else None
    return by_receipt or facts


def _held(screen: Screen, snapshot: Snapshot) -> Exit:
    """Say that a run waits for a person, and what they can type."""
    if screen.look.json:
        return Exit.HELD  # the last line says so
    said = snapshot.said
    screen.verdict(said.mark, said.first, *said.more)
    for step in said.steps:
        screen.wrapped(step.words, indent=2)
        screen.command(str(step.command))
    return Exit.HELD


def _tell(screen: Screen, run: Run, verdict: Verdict) -> None:
    if not screen.look.json:
        show_verdict(screen, verdict)
        return
    about: dict[str, Any] = {"at": _now(), "run": run.run, "name": run.name, "phase": Phase.DONE}
    screen.json(**about, needs=None, verdict=verdict.as_json)


def _now() -> datetime:
    return datetime.now(UTC)
