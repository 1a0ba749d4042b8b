"""The first lines of a frame: where a run stands, and what comes next and when. Pure."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from conveyor.domain import keys
from conveyor.domain.schedule import wait_seconds
from conveyor.gates.approval import APPROVE, NO_LIMIT, UP_TO, words_that_open
from conveyor.gates.probe_message import cost_words
from conveyor.ledger.gate_facts import Gate
from conveyor.wording.bounds import model_rows
from conveyor.wording.mail import Step
from conveyor.wording.marks import Mark
from conveyor.wording.numbers import money, rounded_up, span
from conveyor.wording.text import counted, duration, sentence
from conveyor_cli.frames.eta import eta_of
from conveyor_cli.frames.trouble import hindrance_of
from conveyor_cli.runs.facts import Facts
from conveyor_cli.runs.tally import sum_of
from conveyor_cli.state import Phase, Progress, progress_of

PLANNED_NEXT = "its batches are being planned"
"""Of a round that has no batches yet."""


class Said(NamedTuple):
    """What a frame says first."""

    mark: Mark
    first: str
    more: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()


def said_of(facts: Facts, now: datetime) -> Said:
    """Return the first lines. Trouble comes before progress, but a gate before both: it needs a person."""
    if facts.state.phase is Phase.HELD and facts.gate:
        return _held(facts, facts.gate, now)
    said = _SAYS[facts.state.phase](facts, now)
    hindrance = hindrance_of(facts)
    if hindrance is None:
        return said
    return Said(Mark.LOOK, hindrance.told(now), (*hindrance.more, sentence(said.first)), hindrance.steps)


def next_look(facts: Facts, now: datetime) -> int:
    """Return after how many seconds the stack looks at a run at the latest."""
    settings = facts.run.settings
    since = now - facts.run.drop.last_modified
    return wait_seconds(since, settings.poll_min_seconds, settings.poll_max_seconds)


def legs_done(facts: Facts, leg: str) -> Progress:
    """Return how far the batches of a leg are."""
    if facts.plan is None or leg not in facts.plan.legs:
        return Progress(0, 0, 0, 0)
    return progress_of(facts.plan.of_leg(leg).batches, facts.run_state.of_leg(leg))


def latest_round(facts: Facts) -> int:
    """Return the number of the latest round; 0 before the first."""
    return max(facts.run_state.rounds, default=0)


def _asked(facts: Facts, now: datetime) -> str:
    return f"The provider is asked every {span(timedelta(seconds=next_look(facts, now)))}."


def _received(_facts: Facts, _now: datetime) -> Said:
    return Said(Mark.UNDER_WAY, "Received", ("Its lines are checked next, within a minute.",))


def _validating(facts: Facts, now: datetime) -> Said:
    lasts = f", for {span(now - facts.validation.at)}" if facts.validation else ""
    more = "Then it is known how many requests there are, and what they may cost."
    return Said(Mark.UNDER_WAY, f"Its lines are being checked{lasts}", (more,))


def _refused(facts: Facts, _now: datetime) -> Said:
    why = f": {facts.refusal.message}" if facts.refusal else ""
    return Said(Mark.ERROR, f"Refused{why}", ("Its receipt is written next.",))


def _to_send(facts: Facts, now: datetime) -> Said:
    since = _waiting_since(facts)
    more = "It is sent once the provider's queue has room, and no other run goes first."
    return Said(Mark.UNDER_WAY, f"Waiting to be sent{f', for {span(now - since)}' if since else ''}", (more,))


def _waiting_since(facts: Facts) -> datetime | None:
    """Return since when the next batch could have been sent: since the gate opened, or since the last one was split."""
    opened = facts.gate_end or facts.gate
    moments = [opened.at if opened else None, sum_of(facts.tallies.values()).at]
    return max((moment for moment in moments if moment), default=None)


def _probing(facts: Facts, now: datetime) -> Said:
    probe = facts.plan.drop.probe if facts.plan else None
    lines = counted(probe.requests, "line") if probe else "lines"
    sent = [fact.at for name, fact in facts.sent.items() if name.leg == keys.PROBE]
    out = f"It is out for {span(now - min(sent))}. " if sent else ""
    first = f"A sample of {lines} is with the provider"
    return Said(Mark.UNDER_WAY, first, (f"{out}The rest follows its answer. {_asked(facts, now)}",))


def _room(facts: Facts, now: datetime) -> Said:
    if facts.refused is None:
        return _to_send(facts, now)
    retry = facts.refused.last.retry_at
    when = f"in {span(retry - now)}" if retry > now else "at the next look"
    first = f"Waiting for room at the provider, for {span(now - facts.refused.since)}"
    return Said(Mark.UNDER_WAY, first, (f"Asked again {when}; runs take turns batch by batch.",))


def _budget(facts: Facts, now: datetime) -> Said:
    full = facts.full_day
    if full is None:
        return Said(Mark.UNDER_WAY, "Waiting for budget")
    first = f"Waiting for budget: {money(full.taken_usd)} of {money(full.ceiling_usd)} a day is taken by {full.log}"
    ends = f"the day ends in {span(full.until - now)}" if full.until > now else "the day has ended"
    return Said(
        Mark.UNDER_WAY,
        first,
        (f"The next batch may cost {rounded_up(full.need_usd)}; {ends}.", "Then it goes on by itself."),
    )


def _looking(facts: Facts, now: datetime) -> Said:
    return Said(Mark.UNKNOWN, "Looking for a batch at the provider", (_asked(facts, now),))


def _batches(facts: Facts, now: datetime) -> Said:
    done = legs_done(facts, "")
    if done.batches == 1:
        first = "Its batch is with the provider"
    else:
        out = done.under_way - done.splitting
        first = f"{out:,} of {done.batches:,} batches {'is' if out == 1 else 'are'} with the provider"
    return Said(Mark.UNDER_WAY, first, (f"{_asked(facts, now)} {_to_go(facts, done, now)}",))


def _to_go(facts: Facts, done: Progress, now: datetime) -> str:
    eta = eta_of(facts)
    if eta is None:
        return "No batch has ended yet."
    ended = counted(done.done, "batch that has ended", "batches that have ended")
    return f"About {span(eta - now)} to go, by the {ended}."


def _splitting(facts: Facts, _now: datetime) -> Said:
    done = legs_done(facts, "")
    of = f", {done.done:,} of {done.batches:,} batches done" if done.batches > 1 else ""
    return Said(Mark.UNDER_WAY, f"Writing results{of}", ("What was sent has ended at the provider.",))


def _round(facts: Facts, now: datetime) -> Said:
    number = latest_round(facts)
    fact = facts.rounds.get(number)
    lines = counted(fact.requests, "failed line is", "failed lines are") if fact else "failed lines are"
    done = legs_done(facts, keys.round_leg(number))
    if fact and fact.not_before > now:
        return Said(Mark.UNDER_WAY, f"Round {number}: {lines} sent again in {span(fact.not_before - now)}")
    is_last = number >= facts.run.settings.retry_rounds
    last = " This is the last round." if is_last else ""
    ended = f"{done.done:,} of {counted(done.batches, 'batch', 'batches')} ended" if done.batches else PLANNED_NEXT
    more = f"{ended[0].upper()}{ended[1:]}. {_asked(facts, now)}{last}"
    return Said(Mark.UNDER_WAY, f"Round {number}: {lines} sent again", (more,))


def _ending(facts: Facts, now: datetime) -> Said:
    why = f": {facts.refusal.message}" if facts.refusal else ""
    return Said(Mark.UNDER_WAY, f"Ending{why}", (f"What was sent comes to its end. {_asked(facts, now)}",))


def _writing(_facts: Facts, _now: datetime) -> Said:
    return Said(Mark.UNDER_WAY, "Writing the files", ("All batches have ended. Done in about a minute.",))


_SAYS: dict[Phase, Callable[[Facts, datetime], Said]] = {
    Phase.RECEIVED: _received,
    Phase.VALIDATING: _validating,
    Phase.REFUSED: _refused,
    Phase.TO_SEND: _to_send,
    Phase.PROBING: _probing,
    Phase.ROOM: _room,
    Phase.FAILING: _to_send,
    Phase.BUDGET: _budget,
    Phase.LOOKING: _looking,
    Phase.BATCHES: _batches,
    Phase.SPLITTING: _splitting,
    Phase.ROUND: _round,
    Phase.ENDING: _ending,
    Phase.WRITING: _writing,
}


def _held(facts: Facts, gate: Gate, now: datetime) -> Said:
    """Say why a run waits for a person, and how to let it go on: with the price, so that nobody approves it unseen."""
    first, *others = [reason.message for reason in gate.reasons] or ["it waits for an approval"]
    until = f" Declined by itself in {span(gate.until - now)}." if gate.until else ""
    waits = _REPAIRED if gate.opens_once_repaired else _APPROVED
    cost = sentence(f"It {cost_words(gate, facts.plan.drop)}") if facts.plan else ""
    more = (*(sentence(f"Also: {each}") for each in others), f"{waits}{until}", cost, *_models(facts, gate))
    name = facts.typed_name
    spent = sum_of(facts.tallies.values())
    kept = f"Keep the {counted(spent.answered, 'answer')} and end the run" if spent.answered else "End the run"
    return Said(
        Mark.WAITS,
        f"Held: {first}",
        tuple(filter(None, more)),
        (Step("Let it go on", f"conveyor approve {name}{_option(gate)}"), Step(kept, f"conveyor stop {name}")),
    )


def _models(facts: Facts, gate: Gate) -> list[str]:
    """Return a line for each model, if there are several: one may be what makes a run dear."""
    rows = model_rows(facts.plan.drop.estimate, gate.forecast) if facts.plan else []
    return [text for _, text in rows] if len(rows) > 1 else []


_REPAIRED = "It goes on by itself once config/budgets.json is right."
_APPROVED = "Nothing more is sent until you approve."


def _option(gate: Gate) -> str:
    """Return the option of `conveyor approve` that stands for the words that open a gate."""
    match words_that_open(gate).split():
        case [word, amount, *_] if word == UP_TO:
            return f" --up-to {amount}"
        case [word, *_] if word == NO_LIMIT:
            return " --no-limit"
        case [word, *_] if word == APPROVE:
            return ""
    raise AssertionError


def elapsed(facts: Facts, now: datetime) -> str:
    """Return how old a run is."""
    return duration(now - facts.run.drop.last_modified)
