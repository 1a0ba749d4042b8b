"""The messages about a run that waits for an approval: what it may cost, why it waits, and what opens the gate."""

from datetime import datetime, timedelta
from typing import Any

import msgspec

from conveyor.domain import keys
from conveyor.domain.status import Status
from conveyor.gates.approval import amount_of, is_about_money, words_that_open
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
from conveyor.wording.mail import Link, Mail, Step, block, how_to
from conveyor.wording.message import Costs, Event, Hold, HoldReason, Needs, numbered, usd_text
from conveyor.wording.notice import Kind, Notice, Sent, notice
from conveyor.wording.text import counted, exact_dollars, paragraph, sentence, table

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
    "project counts: today, or else on the next day, which is reserved for it. Other runs of the project wait while it "
    "leaves no room. If usd_per_day is raised far enough, it is sent as soon as it fits, but needs this approval "
    "all the same."
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


def waiting_notice(run: Run, held: Held, sent: Sent, *, shown: Shown | None = None, is_last: bool = False) -> Notice:
    """Say that a run waits, what it costs, why it waits, and which command opens its gate.

    `shown`: what its probe has shown, once any was sent. `is_last`: whether no other message comes before the end.
    """
    gate, drop, requests = held.gate, held.plan.drop, sum(batch.requests for batch in held.plan.batches)
    requests += drop.probe.requests if drop.probe else 0
    is_sent = bool(held.sent)
    mail = Mail(
        _first(run, held),
        " ".join(
            [
                f"It has {counted(requests, 'request')}, and {cost_words(gate, drop)}{' in all' if is_sent else ''}.",
                *_what_was_sent(held, requests, shown),
                _what_follows(gate, is_sent=is_sent),
                *(["This is the last message before that."] if is_last else []),
            ]
        ),
        _steps(run, held, is_sent=is_sent),
        block(_why(gate), unanswered(gate), _of_the_amount(held)),
        table(
            [
                ("Requests", f"{requests:,}"),
                *probe_rows(gate, drop, shown),
                ("At most", _at_most(held)),
                *model_rows(drop.estimate, gate.forecast),
                ("Until", f"{gate.until:{_MINUTE}} UTC" if gate.until else "no end"),
            ]
        ),
        Link("Run so far", sent.console.run()),
        _without_command(run, held, shown, is_sent=is_sent),
    )
    figures = f"{counted(requests, 'request')}, {cost_figures(gate, drop)}; {_wish(gate)}"
    return notice(
        sent.about(run.run, run.name, run.project), _kind(held, sent), figures, mail, _facts(held, requests, mail)
    )


def _kind(held: Held, sent: Sent) -> Kind:
    """Return what kind of message it is. Reminders, and answers to an approval that opens nothing, have own ids."""
    gate, number = held.gate, held.number
    needs = Needs.OPERATOR if gate.opens_once_repaired else Needs.APPROVER
    told = f"{Event.HELD}-{number}.{_due_by(gate, sent.at)}"
    end = numbered(told, held.problem) if held.problem else told
    return Kind(Event.HELD, Status.WAITING, needs, end, gate.reasons[0].code if gate.reasons else None)


def _facts(held: Held, requests: int, mail: Mail) -> dict[str, Any]:
    """Return the fields of the body that only such a message has."""
    gate, estimate = held.gate, held.plan.drop.estimate
    up_to = amount_of(gate.need_usd) if gate.need_usd is not None and is_about_money(gate) else None
    reasons = [HoldReason(each.code, each.message) for each in gate.reasons]
    return {
        "requests": requests,
        "cost": Costs(
            usd_text(estimate.at_most_usd if estimate else None), usd_text(gate.forecast.usd if gate.forecast else None)
        ),
        "commands": commands.command_words(step.command for step in mail.steps),
        "hold": Hold(held.number, reasons, up_to, gate.until),
    }


def _wish(gate: Gate) -> str:
    return "repair the limits" if gate.opens_once_repaired else "approve or stop"


def _first(run: Run, held: Held) -> str:
    """Return that a run waits, and why if there is one reason; `_why` lists more."""
    gate = held.gate
    awaited = f"until {keys.BUDGETS} can be read" if gate.opens_once_repaired else "for your approval"
    why = f": {gate.reasons[0].message.removesuffix('.')}" if len(gate.reasons) == 1 else ""
    waits = f"{run.name} waits {awaited}{why}"
    problem = (held.problem or "").removesuffix(".")
    return (
        f"Your approval of {run.name} opens nothing. {problem[:1].upper()}{problem[1:]}. {waits}" if problem else waits
    )


def _steps(run: Run, held: Held, *, is_sent: bool) -> list[Step]:
    gate = held.gate
    repair = [Step(f"Repair {keys.BUDGETS}: the run goes on by itself once it is right")]
    kept = ", and keep the results so far" if is_sent else ""
    return [
        *(repair if gate.opens_once_repaired else []),
        Step(_what_it_allows(gate), commands.conveyor("approve", run.run, *_options(gate))),
        Step(f"Or stop the run now{kept}", commands.conveyor("stop", run.run)),
    ]


def _options(gate: Gate) -> list[str]:
    """Return the options of `conveyor approve`, which shows the rest and asks."""
    if not is_about_money(gate):
        return []
    return ["--no-limit"] if gate.need_usd is None else ["--up-to", amount_of(gate.need_usd)]


def _without_command(run: Run, held: Held, shown: Shown | None, *, is_sent: bool) -> list[str]:
    """Return the same for AWS CLI."""
    gate, bucket = held.gate, run.drop.bucket
    key = keys.approval(run.run, held.number, run.project)
    repair = how_to(
        "These commands get the file, and write it once it is edited:",
        commands.fetch_limits(bucket),
        commands.put_limits(bucket),
    )
    return block(
        error_texts(bucket, shown),
        repair if gate.opens_once_repaired else [],
        how_to(f"{_what_it_allows(gate)}:", commands.approve(bucket, key, words_that_open(gate))),
        how_to(
            f"To stop the run now{', and keep the results so far' if is_sent else ''}:",
            commands.stop(bucket, run.run, run.project),
        ),
    )


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
    """Return the reasons in a list, if there are several."""
    if len(gate.reasons) < 2:  # noqa: PLR2004  # the first sentence says it
        return []
    return block(
        ["Why it waits:"], [line for each in gate.reasons for line in paragraph(f"- {sentence(each.message)}")]
    )


def _what_it_allows(gate: Gate) -> str:
    """Introduce the command that opens the gate."""
    models = ", with these models," if gate.has(ReasonCode.MODEL) else ""
    if gate.has(ReasonCode.UNANSWERED) and not is_about_money(gate):
        return "To send the rest without waiting for the probe"
    if gate.opens_once_repaired:
        return "To let this run go on while the file is wrong, without a limit for the day"
    if not is_about_money(gate):
        return "To let it go on"
    if gate.need_usd is None:
        return f"To let it run{models} whatever it costs"
    amount = exact_dollars(gate.need_usd)
    return f"To let it run{models} and cost up to {amount} in all, or a larger amount that you name"


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
    return block(
        paragraph(text),
        paragraph(_ON_A_DAY_OF_ITS_OWN) if gate.has(ReasonCode.DAY) else [],
        paragraph(_NOT_ONCE_REPAIRED) if gate.has(ReasonCode.CONFIG) else [],
    )


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
