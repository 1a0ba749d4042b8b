"""What has changed, as plain lines for a log. Pure."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from conveyor.wording.numbers import money, rounded_up
from conveyor_cli.frames.says import latest_round, legs_done
from conveyor_cli.frames.snapshot import Snapshot, requests_of
from conveyor_cli.frames.trouble import hindrance_of
from conveyor_cli.state import Phase


class Event(NamedTuple):
    """Something that is so by now."""

    name: str
    words: str


def events_of(snapshot: Snapshot) -> list[Event]:
    """Return all that can be said of a run by now, in the order in which it came."""
    return [*_plan(snapshot), *_progress(snapshot), *_hindrances(snapshot)]


def new_events(snapshot: Snapshot, told: Iterable[Event]) -> list[Event]:
    """Return what was not told before."""
    before = set(told)
    return [each for each in events_of(snapshot) if each not in before]


def line_of(event: Event, name: str, at: datetime) -> str:
    """Return the line of a log: the moment in UTC, the run, what it is about, and words."""
    return f"{at:%Y-%m-%dT%H:%M:%SZ} {name} {event.name} {event.words}".rstrip()


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
        words = f"{money(forecast.usd)} ({money(forecast.low_usd)} to {rounded_up(forecast.high_usd)})"
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
        lines = f"{fact.requests:,} lines go again" if fact else "lines go again"
        return [Event(f"round {number}:", f"{lines}; {done.done:,} of {done.batches:,} batches ended")]
    if phase is Phase.HELD and facts.gate:
        return [Event("held", "; ".join(reason.message for reason in facts.gate.reasons))]
    return [Event("is", facts.state.words)]


def _hindrances(snapshot: Snapshot) -> list[Event]:
    hindrance = hindrance_of(snapshot.facts)
    return [Event("trouble", hindrance.words)] if hindrance else []
