"""The messages about a run that waits for an approval: what it may cost, why it waits, and what opens the gate."""

from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from conveyor.domain import keys
from conveyor.domain.plan import Plan
from conveyor.domain.status import Status
from conveyor.gates.approval import words_that_open
from conveyor.gates.gate import Held
from conveyor.ledger.gate_facts import Gate
from conveyor.ledger.run_facts import Run
from conveyor.money.estimate import Estimate
from conveyor.wording import commands
from conveyor.wording.bounds import at_most
from conveyor.wording.notice import Notice
from conveyor.wording.text import counted, exact_dollars, paragraph, sentence, subject, table

AGAIN_AFTER = timedelta(hours=24)
"""After the first message."""
LAST_CALL = timedelta(hours=6)
"""Before the run is declined."""
_MINUTE = "%Y-%m-%d %H:%M"
_MOST_MODELS = 5
_LONGEST_MODEL = 60


class Told(msgspec.Struct):
    """What messages have said about a gate. The state machine's state carries it."""

    number: int
    """Of the gate."""
    times: int = 0
    """How many messages were due by now: after the first, some only repeat it."""
    problem: str | None = None
    """The last approval that opened nothing, and why."""


def told_now(number: int, gate: Gate, problem: str | None, before: Told | None, now: datetime) -> Told:
    """Return what has been said once the message that is due now, if one is, has been sent."""
    same = before if before and before.number == number else None
    problem = problem or (same.problem if same else None)
    return Told(number, max(_due_by(gate, now), same.times if same else 0), problem)


def _due_by(gate: Gate, now: datetime) -> int:
    """Return how many messages are due: at once, a day later, and some hours before the end."""
    moments = [gate.at, gate.at + AGAIN_AFTER]
    if gate.until:
        last = gate.until - LAST_CALL
        moments = [gate.at, *(moment for moment in (gate.at + AGAIN_AFTER,) if moment < last), last]
    return 1 + sum(moment <= now for moment in moments[1:] if moment > gate.at)


def waiting_notice(run: Run, held: Held) -> Notice:
    """Say that a run waits, why, what it may cost, and which command opens its gate."""
    gate, requests = held.gate, sum(batch.requests for batch in held.plan.batches)
    most = exact_dollars(gate.need_usd) if gate.need_usd is not None else None
    key = keys.approval(run.run, held.number, run.project)
    lines = [
        *_problem(held),
        *paragraph(f"The run of {run.drop.key} waits for your approval. Nothing more is paid until you give it. Why:"),
        "",
        *[line for reason in gate.reasons for line in paragraph(f"- {sentence(reason.message)}")],
        "",
        *table(
            [
                ("Requests", f"{requests:,}"),
                ("At most", most or _no_bound(held.plan.drop.estimate)),
                *_by_model(held.plan),
                ("Project", run.project),
                ("Until", f"{gate.until:{_MINUTE}} UTC" if gate.until else "no end"),
                ("Run", run.run),
            ]
        ),
        "",
        *paragraph(_what_it_allows(most)),
        "",
        f"  {commands.approve(run.drop.bucket, key, words_that_open(gate))}",
        "",
        *paragraph(_what_follows(gate, held.plan)),
        "To stop the run now, and keep the results so far:",
        "",
        f"  {commands.stop(run.drop.bucket, run.run, run.project)}",
    ]
    figures = f"{counted(requests, 'request')}, {f'up to {most}' if most else 'no bound on the cost'}"
    title = subject(Status.WAITING, run.name, figures)
    return Notice(run.run, run.name, Status.WAITING, title, "\n".join(lines), run.project)


def _problem(held: Held) -> list[str]:
    return [*paragraph(f"Your approval opens nothing. {sentence(held.problem)}"), ""] if held.problem else []


def _what_it_allows(most: str | None) -> str:
    if most is None:
        return "To let it pay on, whatever it costs, type:"
    return f"To let it pay on, up to {most} in all, type (you may name a larger amount):"


def _what_follows(gate: Gate, plan: Plan) -> str:
    when = f"Without an approval by {gate.until:{_MINUTE}} UTC" if gate.until else "Without an approval"
    what = "nothing more of it is sent" if len(plan.batches) > 1 else "nothing of it is sent"
    return f"{when} the run is declined, and {what}. What was sent before is delivered as usual."


def _by_model(plan: Plan) -> list[tuple[str, str]]:
    """Return a row for each model, the dearest first."""
    estimate = plan.drop.estimate
    if estimate is None:
        return []
    rows = sorted(estimate.models.items(), key=lambda row: (-(row[1].at_most_usd or Decimal("Infinity")), row[0]))
    named = [
        (
            "Model",
            f"{model[:_LONGEST_MODEL]}: {counted(each.requests, 'request')}, "
            + (f"at most {exact_dollars(each.at_most_usd)}" if each.at_most_usd is not None else "no bound"),
        )
        for model, each in rows[:_MOST_MODELS]
    ]
    more = len(rows) - _MOST_MODELS
    return named + ([("Model", f"and {counted(more, 'more model')}, in the receipt")] if more > 0 else [])


def _no_bound(estimate: Estimate | None) -> str:
    return "no bound" if estimate is None else at_most(estimate)
