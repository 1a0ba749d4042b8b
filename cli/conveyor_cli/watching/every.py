"""Following all runs of a stack: one line a run, the newest first. The line of one that has ended stays."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from rich.text import Text

from conveyor.s3.bucket import Bucket
from conveyor.spend.index_entry import IndexEntry, StartEntry, entries_by_run
from conveyor.wording.marks import Mark
from conveyor.wording.numbers import age, money
from conveyor.wording.text import counted, cut_middle
from conveyor_cli.exits import Exit
from conveyor_cli.frames.frame import LEAVES, Place
from conveyor_cli.frames.trouble import hindrance_of
from conveyor_cli.runs.facts import Facts
from conveyor_cli.runs.find import read_run
from conveyor_cli.runs.read import at_once, index_keys
from conveyor_cli.runs.reader import Reader
from conveyor_cli.runs.run import received_at
from conveyor_cli.screen.screen import Screen
from conveyor_cli.stacks.chosen import ChosenStack
from conveyor_cli.state import Group, State, ended
from conveyor_cli.trouble import Trouble
from conveyor_cli.watching.follow import USUAL, How
from conveyor_cli.watching.loop import now_in_utc, watch
from conveyor_cli.watching.views import place_of

MOST_FOLLOWED = 20
"""Runs that a look reads: the newest of those that have not ended. Each costs a listing and its new facts."""
SINCE = timedelta(days=30)
"""Age of the oldest run that is looked for."""


def follow_all(screen: Screen, stack: ChosenStack, how: How = USUAL) -> Exit:
    """Show all runs until each has ended; return 0 then, and 4 where a hold ends it. Raises Trouble as `follow`."""
    reader = AllReader(stack.bucket, now_in_utc())
    view = _FrameOfAll(screen) if screen.is_live else _LogOfAll(screen)
    ends_at_hold = how.ends_at_hold(screen)
    try:
        with view:
            seen = watch(lambda now: _Seen(view, reader.look(now), ends_at_hold), view.lost, how.every)
    except KeyboardInterrupt:
        screen.note(f"  Left. All runs go on; {screen.typed('conveyor watch --all')} returns to them.")
        return Exit.INTERRUPTED
    return Exit.DONE if seen.found.is_over else Exit.HELD


class Line(NamedTuple):
    """A run among others."""

    run: str
    name: str
    state: State
    note: str
    """What it has cost, or how old it is."""


class All(NamedTuple):
    """All runs at one moment."""

    lines: Sequence[Line]
    others: int
    """How many more have not ended, and are not read."""

    @property
    def is_over(self) -> bool:
        """Whether all have ended."""
        return not self.others and all(line.state.group is Group.ENDED for line in self.lines)

    @property
    def needing(self) -> int:
        """How many wait for a person."""
        return sum(line.state.group is Group.NEEDS_YOU for line in self.lines)


class AllReader:
    """Reads the runs that have not ended, and those that have ended since the first look."""

    def __init__(self, bucket: Bucket, begun: datetime) -> None:
        """Read nothing yet."""
        self._bucket = bucket
        self._begun = begun
        self._readers: dict[str, Reader] = {}

    def look(self, now: datetime) -> All:
        """Return how all runs stand: a listing of each project, and one of each run that has not ended."""
        entries = entries_by_run(index_keys(self._bucket, self._begun - SINCE))
        going = sorted((run for run, entry in entries.items() if isinstance(entry, StartEntry)), reverse=True)
        new = [run for run in going[:MOST_FOLLOWED] if run not in self._readers]
        for run, fact in zip(new, at_once(lambda each: read_run(self._bucket, each), new), strict=True):
            if fact:
                self._readers[run] = Reader(self._bucket, fact)
        followed = [run for run in self._readers if isinstance(entries.get(run), StartEntry)]
        facts = dict(zip(followed, at_once(lambda run: self._readers[run].look(now), followed), strict=True))
        lines = [self._line(run, facts.get(run), entries[run], now) for run in sorted(self._readers, reverse=True)]
        return All(lines, len(set(going) - set(followed)))

    def _line(self, run: str, facts: Facts | None, entry: IndexEntry | StartEntry, now: datetime) -> Line:
        name = self._readers[run].run.name
        if facts is None and isinstance(entry, IndexEntry):
            cost = money(entry.usd, is_lower_bound=entry.is_lower_bound)
            return Line(run, name, ended(entry), cost)
        if facts is None:
            raise AssertionError
        hindrance = None if facts.state.group is Group.NEEDS_YOU else hindrance_of(facts)
        state = facts.state._replace(mark=Mark.LOOK, words=hindrance.words) if hindrance else facts.state
        return Line(run, name, state, facts.state.needs or age(received_at(run), now))


def lines_of(found: All, place: Place) -> list[Text]:
    """Return the frame: a line for each run, as many as fit."""
    runs = len(found.lines) + found.others
    need = f", {counted(found.needing, 'needs', 'need')} you" if found.needing else ""
    mark = Mark.WAITS if found.needing else Mark.OK if found.is_over else Mark.UNDER_WAY
    head = [Text.assemble(place.mark(mark), " ", (f"{counted(runs, 'run')}{need}", "bold")), Text()]
    shown = found.lines[: max(place.height - 6, 1)]
    names = min(max((len(line.name) for line in shown), default=0), 24)
    notes = max((len(line.note) for line in shown), default=0)
    room = max(place.width - names - notes - 8, 10)
    rows = [
        Text.assemble(
            "  ",
            place.mark(line.state.mark),
            f" {cut_middle(place.text(line.name), names):<{names}}  ",
            f"{cut_middle(place.text(line.state.words), room):<{room}}  {line.note:>{notes}}",
        )
        for line in shown
    ]
    left = runs - len(shown)
    more = [Text(f"  and {left:,} more", style="dim")] if left else []
    return [*head, *rows, *more, Text(), Text(f"  {LEAVES}", style="dim")]


def all_as_json(line: Line) -> dict[str, Any]:
    """Return a line for programs."""
    state = line.state
    return {"run": line.run, "name": line.name, "phase": state.phase, "state": state.words, "needs": state.needs}


class _Seen(NamedTuple):
    """All runs as one look has seen them."""

    view: "_FrameOfAll | _LogOfAll"
    found: All
    ends_at_hold: bool

    def show(self, now: datetime) -> bool:
        """Show them; return whether there is nothing more to wait for."""
        self.view.show(self.found, now)
        return self.found.is_over or (self.ends_at_hold and bool(self.found.needing))


class _FrameOfAll:
    """Draws a frame in place."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._frame = screen.live()
        self._last: All | None = None

    def __enter__(self) -> None:
        self._frame.__enter__()

    def __exit__(self, *_: object) -> None:
        self._frame.__exit__(None, None, None)

    def show(self, found: All, _now: datetime) -> None:
        """Draw the runs."""
        self._last = found
        self._frame.show(lines_of(found, place_of(self._screen)))

    def lost(self, why: Trouble, since: datetime, again_at: datetime, now: datetime) -> None:
        """Put the reason in place of the first line."""
        if self._last is None:
            return
        place = place_of(self._screen)
        gone, again = int((now - since).total_seconds()), max(int((again_at - now).total_seconds()), 0)
        words = f"{why.message}, for {gone} s; trying again in {again} s. All runs go on without you."
        first = Text.assemble(place.mark(Mark.ERROR), " ", (words[: place.width - 2], "bold"))
        self._frame.show([first, *lines_of(self._last, place)[1:]])


class _LogOfAll:
    """Writes a line for each run that has changed: on stderr, or as JSON on stdout."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._told: dict[str, str] = {}
        self._is_lost = False

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, *_: object) -> None:
        """End."""

    def show(self, found: All, now: datetime) -> None:
        """Write what has changed."""
        self._is_lost = False
        for line in found.lines:
            if self._told.get(line.run) != line.state.words:
                self._told[line.run] = line.state.words
                if self._screen.look.json:
                    self._screen.json(at=now, **all_as_json(line))
                else:
                    self._screen.note(f"{now:%Y-%m-%dT%H:%M:%SZ} {line.name} {line.state.words}")

    def lost(self, why: Trouble, _since: datetime, _again_at: datetime, now: datetime) -> None:
        """Write it once."""
        if not self._is_lost and not self._screen.look.json:
            self._screen.note(f"{now:%Y-%m-%dT%H:%M:%SZ} - {why.message}; all runs go on without you")
        self._is_lost = True
