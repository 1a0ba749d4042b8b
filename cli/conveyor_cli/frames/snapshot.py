"""A run at one moment, as a frame shows it and as programs read it. Pure: facts and the clock in."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from conveyor.domain.schedule import BatchName
from conveyor.ledger.batch_facts import Submitted
from conveyor.wording.numbers import forecast, money, number, rounded_up, share, span
from conveyor_cli.frames.eta import eta_of
from conveyor_cli.frames.grid import Cell, GridRow, counts_of, rows_of
from conveyor_cli.frames.says import Said, elapsed, next_look, said_of
from conveyor_cli.frames.trouble import Hindrance, hindrance_of, under_way
from conveyor_cli.runs.facts import Facts
from conveyor_cli.runs.tally import Tally, sum_of
from conveyor_cli.state import Phase, is_splitting

_MUCH_CUT_OFF = 0.01
_LATE = timedelta(hours=18)


class Figure(NamedTuple):
    """A number with its label and a note. `style`: of the number, where it is not as it should be."""

    label: str
    value: str
    note: str = ""
    style: str = ""


class SentRow(NamedTuple):
    """A batch at the provider."""

    name: str
    requests: str
    state: str
    since: str
    expires: str
    id: str


class Snapshot(NamedTuple):
    """A run at one moment."""

    facts: Facts
    said: Said
    rows: list[GridRow]
    figures: list[Figure]
    sent: list[SentRow]
    """The oldest first."""
    identity: tuple[str, str, str, str]
    """Name, project, id and age."""
    total: Tally

    @property
    def is_held(self) -> bool:
        """Whether a person must act."""
        return self.facts.state.phase is Phase.HELD


def snapshot_of(facts: Facts, now: datetime) -> Snapshot:
    """Return a run as it stands."""
    total = sum_of(facts.tallies.values())
    run = facts.run
    return Snapshot(
        facts,
        said_of(facts, now),
        _rows(facts),
        _figures(facts, total, now),
        _sent(facts, now),
        (run.name, run.project, run.run, elapsed(facts, now)),
        total,
    )


def _rows(facts: Facts) -> list[GridRow]:
    """Return the grid, once anything of it was sent."""
    rows = rows_of(facts)
    return rows if any(cell is not Cell.TO_SEND for row in rows for cell in row.cells) else []


def requests_of(facts: Facts) -> int | None:
    """Return how many requests of the drop are sent in all; None before that is known."""
    if facts.plan is None:
        return None
    probe = facts.plan.drop.probe
    return sum(batch.requests for batch in facts.plan.batches) + (probe.requests if probe else 0)


def as_json(snapshot: Snapshot, now: datetime) -> dict[str, Any]:
    """Return it for programs. What is not known is None."""
    facts, total = snapshot.facts, snapshot.total
    hindrance = hindrance_of(facts)
    gate = facts.gate
    eta, out = eta_of(facts), under_way(facts).values()
    return {
        "at": facts.at,
        "run": facts.run.run,
        "name": facts.run.name,
        "phase": facts.state.phase,
        "state": facts.state.words,
        "needs": facts.state.needs,
        "next_at": now + timedelta(seconds=next_look(facts, now)),
        "batches": _batches_json(snapshot.rows, facts),
        "requests": requests_of(facts),
        "results": total.answered,
        "failures": total.failed - total.again,
        "again": total.again,
        "cut_off": total.cut_off,
        "cost_usd": total.usd if facts.plan else None,
        "forecast_usd": gate.forecast.usd if gate and gate.forecast else None,
        "approved_usd": approved_of(facts),
        "expires_at": min((fact.expires_at for fact in out), default=None),
        "eta_at": eta,
        "held": [{"code": each.code, "message": each.message} for each in gate.reasons]
        if gate and snapshot.is_held
        else None,
        "trouble": _trouble_json(hindrance),
        "unread": facts.unread_facts,
    }


def approved_of(facts: Facts) -> Decimal | None:
    """Return what a person has approved; None if nobody has, or any amount."""
    if facts.gate_end and facts.gate_end.up_to is not None:
        return facts.gate_end.up_to
    return facts.gate.up_to if facts.gate and facts.gate.approved else None


def _trouble_json(hindrance: Hindrance | None) -> dict[str, Any] | None:
    if hindrance is None:
        return None
    return {"code": hindrance.code, "message": hindrance.words, "since": hindrance.since}


_KEYS = {
    "to_send": Cell.TO_SEND, "with_provider": Cell.SENT, "splitting": Cell.SPLITTING, "round": Cell.AGAIN,
    "answered": Cell.DONE, "failed": Cell.FAILED, "unknown": Cell.UNKNOWN, "lost": Cell.LOST,
    "not_sent": Cell.NOT_SENT,
}  # fmt: skip


def _batches_json(rows: list[GridRow], facts: Facts) -> dict[str, int] | None:
    if facts.plan is None:
        return None
    counts = counts_of(rows or rows_of(facts, even_one=True))
    return {"all": sum(counts.values())} | {name: counts.get(cell, 0) for name, cell in _KEYS.items()}


def _figures(facts: Facts, total: Tally, now: datetime) -> list[Figure]:
    requests = requests_of(facts)
    if requests is None or facts.plan is None:
        return []
    figures = [Figure("requests", number(requests), _of_probe(facts))]
    if total.requests:
        known = f"{share(total.answered, requests)} of all" if not facts.unread_facts else "read so far"
        figures.append(Figure("answered", number(total.answered), known))
        figures += _failed(total)
        if total.answered:
            style = "yellow" if total.cut_off >= _MUCH_CUT_OFF * total.answered else ""
            note = f"{share(total.cut_off, total.answered)} of the answers reached max_tokens"
            figures.append(Figure("cut off", number(total.cut_off), note, style))
    figures.append(_cost(facts, total))
    return [*figures, *_oldest(facts, now)]


def _of_probe(facts: Facts) -> str:
    probe = facts.plan.drop.probe if facts.plan else None
    return f"{probe.requests:,} of them in the sample" if probe and facts.state.phase is Phase.PROBING else ""


def _failed(total: Tally) -> list[Figure]:
    for_good = total.failed - total.again
    if not total.failed:
        return []
    again = f"{total.again:,} more go again in a round" if total.again else ""
    return [Figure("failed", number(for_good), again, "red" if for_good else "")]


def _cost(facts: Facts, total: Tally) -> Figure:
    notes = []
    if facts.gate and facts.gate.forecast:
        notes.append(f"forecast {forecast(facts.gate.forecast.usd)}")
    elif facts.plan and facts.plan.drop.estimate and facts.plan.drop.estimate.at_most_usd is not None:
        notes.append(f"at most {rounded_up(facts.plan.drop.estimate.at_most_usd)}")
    if (approved := approved_of(facts)) is not None:
        notes.append(f"approved up to {rounded_up(approved)}")
    is_more = total.has_unpriced or bool(facts.unread_facts)
    return Figure("cost", money(total.usd, is_lower_bound=is_more), ", ".join(notes))


def _oldest(facts: Facts, now: datetime) -> list[Figure]:
    out = under_way(facts).values()
    if not out:
        return []
    age = now - min(fact.at for fact in out)
    left = min(fact.expires_at for fact in out) - now
    expires = f"it expires in {span(left)}" if left > timedelta() else "its time is over"
    return [Figure("oldest", span(age), f"with the provider; {expires}", "yellow" if age >= _LATE else "")]


def _sent(facts: Facts, now: datetime) -> list[SentRow]:
    plan = facts.plan
    if plan is None:
        return []

    def row(name: BatchName, fact: Submitted) -> SentRow:
        batch = facts.run_state.of_leg(name.leg).batch(name.number)
        state = "splitting" if is_splitting(batch) else "with provider"
        left = span(fact.expires_at - now) if state == "with provider" else "-"
        requests = number(plan.of_leg(name.leg).batch(name.number).requests)
        return SentRow(str(name.to_event()), requests, state, span(now - fact.at), left, fact.id)

    oldest = sorted(under_way(facts).items(), key=lambda item: item[1].at)[:8]
    return [row(name, fact) for name, fact in oldest]
