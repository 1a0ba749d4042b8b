"""What has changed, as plain lines for a log. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from conveyor.wording.bounds import interval_of
from conveyor.wording.mail import Step
from conveyor.wording.numbers import money, rounded_up
from conveyor.wording.text import counted
from conveyor_cli.frames.says import PLANNED_NEXT, latest_round, legs_done
from conveyor_cli.frames.snapshot import Snapshot, requests_of
from conveyor_cli.frames.trouble import hindrance_of
from conveyor_cli.state import Phase

_TROUBLE = "trouble"
_MOMENT = "%Y-%m-%dT%H:%M:%SZ"


class Event(NamedTuple):
    """Something that is so by now."""

    name: str
    words: str
    of: str = ""
    """The trouble in the ledger that it is about."""
    more: tuple[str, ...] = ()
    """What follows, in sentences: they may name the time that is left, so they make no other event."""
    steps: tuple[Step, ...] = ()
    """What a person can do."""

    @property
    def is_so(self) -> tuple[str, str, str]:
        """What makes it another event than one before."""
        return self.name, self.words, self.of


def events_of(snapshot: Snapshot) -> list[Event]:
    """Return all that can be said of a run by now, in the order in which it came."""
    return [*_plan(snapshot), *_progress(snapshot), *_hindrances(snapshot)]


def new_events(snapshot: Snapshot, told: Sequence[Event]) -> list[Event]:
    """Return what was not told before: also that trouble is over which was told."""
    before = {each.is_so for each in told}
    return [each for each in (*_over(snapshot, told), *events_of(snapshot)) if each.is_so not in before]


def line_of(event: Event, name: str, at: datetime) -> str:
    """Return the line of a log: the moment in UTC, the run, what it is about, and words."""
    return f"{at:{_MOMENT}} {name} {event.name} {event.words}".rstrip()


def _plan(snapshot: Snapshot) -> list[Event]:
    facts = snapshot.facts
    requests = requests_of(facts)
    if facts.plan is None or requests is None:
        return [Event(facts.state.phase, "")]
    estimate = facts.plan.drop.estimate
    most = estimate.at_most_usd if estimate else None
    bound = f", at most {rounded_up(most)}" if most is not None else ", no bound on the cost" if estimate else ""
    events = [Event("validated", f"{requests:,} requests{bound}")]
    if forecast := facts.gate.forecast if facts.gate else None:
        words = f"{money(forecast.usd)} ({' to '.join(interval_of(forecast))})"
        events.append(Event("forecast", words))
    return events


def _progress(snapshot: Snapshot) -> list[Event]:
    facts, total = snapshot.facts, snapshot.total
    phase = facts.state.phase
    if phase in {Phase.RECEIVED, Phase.VALIDATING}:
        return []
    if phase is Phase.BATCHES:
        done = legs_done(facts, "")
        counts = f"{done.under_way:,} under way, {done.done:,} ended, {done.batches:,} in all"
        answered = f"{total.answered:,} answered, {money(total.usd)}" if done.done else "no batch has ended yet"
        return [Event(phase, f"{counts}; {answered}")]
    if phase is Phase.ROUND:
        number = latest_round(facts)
        done, fact = legs_done(facts, f"round-{number}"), facts.rounds.get(number)
        lines = counted(fact.requests, "line goes", "lines go") + " again" if fact else "lines go again"
        ended = f"{done.done:,} of {counted(done.batches, 'batch', 'batches')} ended" if done.batches else PLANNED_NEXT
        return [Event(f"round {number}:", f"{lines}; {ended}")]
    if phase is Phase.HELD and facts.gate:
        return [Event("held", "; ".join(reason.message for reason in facts.gate.reasons))]
    return [Event("is", facts.state.words)]


def _hindrances(snapshot: Snapshot) -> list[Event]:
    hindrance = hindrance_of(snapshot.facts)
    if hindrance is None:
        return []
    word = "at" if hindrance.is_past else "since"
    moment = f", {word} {hindrance.since:{_MOMENT}}" if hindrance.since else ""
    return [Event(_TROUBLE, f"{hindrance.words}{moment}", hindrance.of, hindrance.more, hindrance.steps)]


def _over(snapshot: Snapshot, told: Sequence[Event]) -> list[Event]:
    """Return which trouble is over of that which was told; other events say themselves what follows them."""
    lasting = snapshot.facts.run_state.open_troubles
    troubles = [each for each in told if each.name == _TROUBLE and each.of]
    return [Event("over:", each.words, each.of) for each in troubles if each.of not in lasting]
