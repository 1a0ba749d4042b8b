"""The messages about a run that waits for an approval: what it may cost, why it waits, and what opens the gate."""

from datetime import datetime, timedelta

import msgspec

from conveyor.domain import keys
from conveyor.domain.status import Status
from conveyor.gates.approval import is_about_money, words_that_open
from conveyor.gates.gate import Held
from conveyor.gates.probe_message import (
    ABOVE_THE_FORECAST,
    OF_THE_APPROVED,
    OF_THE_FORECAST,
    Shown,
    before_the_probe,
    cost_figures,
    cost_words,
    error_texts,
    is_above_forecast,
    probe_rows,
    unanswered,
    what_it_showed,
)
from conveyor.ledger.gate_facts import Gate, ReasonCode
from conveyor.ledger.run_facts import Run
from conveyor.money.estimate import Estimate
from conveyor.wording import commands
from conveyor.wording.bounds import at_most, model_rows
from conveyor.wording.notice import Notice
from conveyor.wording.text import counted, exact_dollars, paragraph, sentence, subject, table

AGAIN_AFTER = timedelta(hours=24)
"""After the first message."""
LAST_CALL = timedelta(hours=6)
"""Before the run is declined."""
_MINUTE = "%Y-%m-%d %H:%M"
_OF_THE_REST = (
    "This amount is what was paid so far, or may have been, and the most that the rest can cost. What was sent counts "
    "with its real cost once that is known."
)
_AT_MOST = (
    "This amount is the most that these requests can cost: each byte of text counts as a token, and each answer is as "
    "long as its max_tokens allows. Most runs cost far less."
)
_ON_A_DAY_OF_ITS_OWN = (
    "A batch that may cost more than the project may spend in a day is then sent on a day on which nothing else of the "
    "project counts. It waits for such a day by itself, and other runs of the project wait while it leaves no room. "
    "If usd_per_day is raised far enough, it is sent as soon as it fits, but needs this approval all the same."
)
_NOT_ONCE_REPAIRED = (
    "A right file alone does not open this gate: the run keeps the project, limits and prices that it has now. To have "
    "the right file apply, repair it, stop the run, and drop the same again: the message of the stopped run has the "
    "command."
)


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


def is_last_call(gate: Gate, now: datetime) -> bool:
    """Return whether no other message comes before a gate ends by itself."""
    return gate.until is not None and gate.until - LAST_CALL <= now


def waiting_notice(run: Run, held: Held, *, shown: Shown | None = None, is_last: bool = False) -> Notice:
    """Say that a run waits, what it costs, why it waits, and which command opens its gate.

    `shown`: what its probe has shown, once any was sent. `is_last`: whether no other message comes before the end.
    """
    gate, drop, requests = held.gate, held.plan.drop, sum(batch.requests for batch in held.plan.batches)
    requests += drop.probe.requests if drop.probe else 0
    is_sent = bool(held.sent)
    awaited = f"until {keys.BUDGETS} can be read" if gate.opens_once_repaired else "for your approval"
    lines = [
        *_problem(held),
        *paragraph(
            f"{run.drop.key} waits {awaited}. It has {counted(requests, 'request')}, and "
            f"{cost_words(gate, drop)}{' in all' if is_sent else ''}.",
            *_what_was_sent(held, requests, shown),
        ),
        "",
        *_why(gate),
        "",
        *table(
            [
                ("Requests", f"{requests:,}"),
                *probe_rows(gate, drop, shown),
                ("At most", _at_most(held)),
                *model_rows(drop.estimate, gate.forecast),
                ("Project", run.project),
                ("Until", f"{gate.until:{_MINUTE}} UTC" if gate.until else "no end"),
                ("Run", run.run),
            ]
        ),
        "",
        *error_texts(run.drop.bucket, shown),
        *unanswered(gate),
        *(_how_to_repair(run) if gate.opens_once_repaired else []),
        *_how_to_approve(run, held),
        f"To stop the run now{', and keep the results so far' if is_sent else ''}, type:",
        "",
        f"  {commands.stop(run.drop.bucket, run.run, run.project)}",
        "",
        *paragraph(
            _what_follows(gate, is_sent=is_sent), *(["This is the last message before that."] if is_last else [])
        ),
    ]
    title = subject(Status.WAITING, run.name, f"{counted(requests, 'request')}, {cost_figures(gate, drop)}")
    return Notice(run.run, run.name, Status.WAITING, title, "\n".join(lines), run.project)


def _problem(held: Held) -> list[str]:
    return [*paragraph(f"Your approval opens nothing. {sentence(held.problem)}"), ""] if held.problem else []


def _what_was_sent(held: Held, requests: int, shown: Shown | None) -> list[str]:
    if not held.sent:
        return ["Nothing was sent, and nothing was charged."]
    rest = f"Nothing more is sent until {'then' if held.gate.opens_once_repaired else 'you approve it'}."
    if shown and held.sent == shown.sent:
        return [what_it_showed(shown), rest]
    were = "was" if held.sent == 1 else "were"
    sent = f"{held.sent:,} of {counted(requests, 'request')} {were} sent before: what was sent goes on, and is charged."
    return [sent, rest]


def _why(gate: Gate) -> list[str]:
    """Return the reasons: one on the line of its question, more in a list."""
    if len(gate.reasons) == 1:
        return paragraph(f"Why it waits: {sentence(gate.reasons[0].message)}")
    return ["Why it waits:", "", *[line for each in gate.reasons for line in paragraph(f"- {sentence(each.message)}")]]


def _how_to_approve(run: Run, held: Held) -> list[str]:
    """Return the command that opens the gate, and what that allows."""
    key = keys.approval(run.run, held.number, run.project)
    return [
        *paragraph(_what_it_allows(held.gate)),
        "",
        f"  {commands.approve(run.drop.bucket, key, words_that_open(held.gate))}",
        "",
        *_of_the_amount(held),
    ]


def _how_to_repair(run: Run) -> list[str]:
    """Return the commands that repair the limits."""
    bucket = run.drop.bucket
    return [
        *paragraph(
            "The run goes on by itself once the file is right.",
            "These commands get the file, and write it once it is edited:",
        ),
        "",
        f"  {commands.fetch_limits(bucket)}",
        f"  {commands.put_limits(bucket)}",
        "",
    ]


def _what_it_allows(gate: Gate) -> str:
    """Introduce the command that opens the gate."""
    models = ", with these models," if gate.has(ReasonCode.MODEL) else ""
    if gate.has(ReasonCode.UNANSWERED) and not is_about_money(gate):
        return "To send the rest without waiting for the probe, type:"
    if gate.opens_once_repaired:
        return "To let this run go on while the file is wrong, without a limit for the day, type:"
    if not is_about_money(gate):
        return "To let it go on, type:"
    if gate.need_usd is None:
        return f"To let it run{models} whatever it costs, type:"
    amount = exact_dollars(gate.need_usd)
    return f"To let it run{models} and cost up to {amount} in all, type this. You may name a larger amount."


def _of_the_amount(held: Held) -> list[str]:
    """Say how the amount is made up that an approval allows, and what it lets go."""
    gate, probe = held.gate, held.plan.drop.probe
    if gate.opens_once_repaired:
        return []
    if gate.forecast:
        text = ABOVE_THE_FORECAST if is_above_forecast(gate) else OF_THE_FORECAST
        text += f" {OF_THE_APPROVED}" if is_about_money(gate) else ""
    elif probe and held.plan.batches and not gate.after_probe:
        text = before_the_probe(probe, is_sent=bool(held.sent), is_about_money=is_about_money(gate))
    elif gate.need_usd is None:
        text = ""
    else:
        includes_paid = gate.has(ReasonCode.OVER_APPROVED) or (gate.has(ReasonCode.DAY) and held.sent)
        text = _OF_THE_REST if includes_paid else _AT_MOST
    texts = [
        text,
        _ON_A_DAY_OF_ITS_OWN if gate.has(ReasonCode.DAY) else "",
        _NOT_ONCE_REPAIRED if gate.has(ReasonCode.CONFIG) else "",
    ]
    return [line for each in texts if each for line in (*paragraph(each), "")]


def _what_follows(gate: Gate, *, is_sent: bool) -> str:
    what = "a right file, or an approval," if gate.opens_once_repaired else "an approval"
    when = f"Without {what} by {gate.until:{_MINUTE}} UTC" if gate.until else f"Without {what}"
    kept = " What was sent before is delivered as usual." if is_sent else ""
    return f"{when} the run is declined: nothing {'more ' if is_sent else ''}is sent.{kept}"


def _at_most(held: Held) -> str:
    """Return the most that the run can cost: at the gate, or as estimated where the gate asks for something else."""
    gate, drop = held.gate, held.plan.drop
    if drop.probe or gate.need_usd is None:
        return _no_bound(drop.estimate)
    return exact_dollars(gate.need_usd)


def _no_bound(estimate: Estimate | None) -> str:
    return "no bound" if estimate is None else at_most(estimate)
