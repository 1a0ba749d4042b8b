"""How a run is shown while it is followed: as a frame, as lines of a log, or as JSON."""

from datetime import datetime, timedelta
from typing import Any, Protocol

from rich.text import Text

from conveyor.wording.marks import Mark
from conveyor_cli.frames.frame import Place, frame_of
from conveyor_cli.frames.snapshot import Snapshot, as_json
from conveyor_cli.screen.screen import Screen
from conveyor_cli.trouble import Trouble
from conveyor_cli.watching.events import Event, line_of, new_events

_SAY_AGAIN = timedelta(minutes=10)
"""A log without a change gets a line after that."""


class View(Protocol):
    """Shows a run."""

    def __enter__(self) -> Any:  # noqa: ANN401 - nobody asks
        """Begin."""

    def __exit__(self, *_: object) -> None:
        """End. What is shown stays."""

    def show(self, snapshot: Snapshot, now: datetime) -> None:
        """Show a run as it stands, if that has changed."""

    def lost(self, why: Trouble, since: datetime, again_at: datetime, now: datetime) -> None:
        """Show that nothing new is known."""

    def end(self, words: str, now: datetime) -> None:
        """Make room for the verdict. `words`: how the run has ended; empty if it has not."""


def view_of(screen: Screen, name: str) -> View:
    """Return how a screen shows the run of a name."""
    if screen.look.json:
        return JsonView(screen)
    return FrameView(screen) if screen.is_live else LogView(screen, name)


def place_of(screen: Screen) -> Place:
    """Return what a frame must fit into."""
    return Place(screen.frame_width, screen.height, screen.text, screen.mark, screen.has_ascii_marks, screen.typed)


class FrameView:
    """Draws a frame in place."""

    def __init__(self, screen: Screen) -> None:
        """Draw nothing yet."""
        self._screen = screen
        self._frame = screen.live()
        self._last: Snapshot | None = None

    def __enter__(self) -> None:
        """Begin to draw."""
        self._frame.__enter__()

    def __exit__(self, *_: object) -> None:
        """Leave the last frame where it is."""
        self._frame.__exit__(None, None, None)

    def show(self, snapshot: Snapshot, now: datetime) -> None:  # noqa: ARG002 - it is in the snapshot
        """Draw the run."""
        self._last = snapshot
        self._frame.show(frame_of(snapshot, place_of(self._screen)))

    def lost(self, why: Trouble, since: datetime, again_at: datetime, now: datetime) -> None:
        """Put the reason in place of the first lines; all else stays, dimmed."""
        if self._last is None:
            self._frame.show([Text.assemble(self._screen.mark(Mark.ERROR), f" {why.message}; it is asked again")])
            return
        gone = int((now - since).total_seconds())
        again = max(int((again_at - now).total_seconds()), 0)
        known = self._last.facts
        lines = (
            f"{why.message}, for {gone} s; the run goes on without you",
            f"Trying again in {again} s. Last known, {known.at:%H:%M:%S} UTC: {known.state.words}.",
        )
        self._frame.show(frame_of(self._last, place_of(self._screen), lost=lines))

    def end(self, words: str, now: datetime) -> None:  # noqa: ARG002 - the verdict says it
        """Take the frame away: the verdict stands in its place."""
        self._frame.clear()


class LogView:
    """Writes a line on stderr for whatever has changed."""

    def __init__(self, screen: Screen, name: str) -> None:
        """Write nothing yet."""
        self._screen = screen
        self._told: list[Event] = []
        self._name = name
        self._said_at: datetime | None = None
        self._is_lost = False

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, *_: object) -> None:
        """End."""

    def show(self, snapshot: Snapshot, now: datetime) -> None:
        """Write what is new; if nothing was for some minutes, the last line once more."""
        self._is_lost = False
        events = new_events(snapshot, self._told)
        is_silent = self._said_at is not None and now - self._said_at >= _SAY_AGAIN
        for event in events:
            self._write(event, now)
            self._write_more(event)
        for event in self._told[-1:] if is_silent and not events else ():
            self._write(event, now)
        self._told += events

    def lost(self, why: Trouble, since: datetime, again_at: datetime, now: datetime) -> None:  # noqa: ARG002
        """Write it once."""
        if not self._is_lost:
            self._write(Event(why.code, f"{why.message}; the run goes on without you"), now)
        self._is_lost = True

    def end(self, words: str, now: datetime) -> None:
        """Write how it ended."""
        if words:
            self._write(Event("ended", words), now)

    def _write(self, event: Event, now: datetime) -> None:
        self._screen.note(line_of(event, self._name, now))
        self._said_at = now

    def _write_more(self, event: Event) -> None:
        """Write what follows and what a person can do, once: later it has other figures."""
        for sentence in event.more:
            self._screen.note(f"  {sentence}")
        for step in event.steps:
            self._screen.note(f"  {step.words}")
            if step.command:
                self._screen.note(f"    {self._screen.typed(step.command)}")


class JsonView:
    """Writes an object on stdout for each change."""

    def __init__(self, screen: Screen) -> None:
        """Write nothing yet."""
        self._screen = screen
        self._told: dict[str, Any] = {}

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, *_: object) -> None:
        """End."""

    def show(self, snapshot: Snapshot, now: datetime) -> None:
        """Write the run, unless nothing but the clock has changed."""
        content = as_json(snapshot, now)
        counted = {name: value for name, value in content.items() if name not in {"at", "next_at", "eta_at"}}
        if counted != self._told:
            self._told = counted
            self._screen.json(**content)

    def lost(self, why: Trouble, since: datetime, again_at: datetime, now: datetime) -> None:
        """Write nothing: nothing of the run has changed."""

    def end(self, words: str, now: datetime) -> None:
        """Write nothing: the verdict follows."""
