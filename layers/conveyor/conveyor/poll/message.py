"""Messages about a run that continues: it began, requests fail for long, batches may expire, or it is undecided."""

from datetime import datetime, timedelta
from typing import NamedTuple

from conveyor.domain import keys
from conveyor.domain.drop import UNREADABLE
from conveyor.domain.plan import Plan
from conveyor.domain.schedule import BatchName
from conveyor.domain.status import Status
from conveyor.gates.release import IF_ANY, IF_NONE, IF_THIS, in_doubt
from conveyor.ledger.run_facts import Run
from conveyor.money.estimate import Estimate
from conveyor.poll.decisions.decision import Risk, Undecided
from conveyor.wording import commands
from conveyor.wording.advice import UNANSWERED, access_step, unknown_batch_step
from conveyor.wording.bounds import at_most, at_most_rows
from conveyor.wording.mail import Link, Mail, Step, block, how_to
from conveyor.wording.message import Costs, Event, Needs, numbered, usd_text
from conveyor.wording.notice import Kind, Notice, Sent, notice
from conveyor.wording.numbers import span
from conveyor.wording.text import counted, paragraph, table
from conveyor.wording.trouble import in_words

_MOST_NAMED = 20
"""Batches in one message: the state that carries it has at most 256 KiB."""
_MINUTE = "%Y-%m-%d %H:%M"
_LONGEST_FIGURES = 60


_UNREADABLE = (
    "Make this version of the object readable again. If it is not readable within a day, results and failures are "
    "written with the line numbers of the drop instead of ids, and there are no lines to send again"
)
_REPEATS = "No line is lost and nothing is charged twice."


class Trouble(NamedTuple):
    """Trouble that lasts."""

    reason: str
    since: datetime
    estimate: Estimate | None = None
    """What the run can cost at most."""
    is_answer: bool = False
    """Whether it is with something that a person has written under `control/`."""


def started_notice(run: Run, plan: Plan, sent: Sent) -> Notice:
    """Say that a run begins: its drop is valid, what it can cost at most, and what comes next."""
    drop, requests = plan.drop, sum(batch.requests for batch in plan.batches)
    requests += drop.probe.requests if drop.probe else 0
    most = f"at most {bound}" if drop.estimate and (bound := at_most(drop.estimate)) else "no bound is known"
    mail = Mail(
        f"The run of {run.name} has started: {counted(requests, 'valid request')}, {most}",
        _comes_next(plan),
        [
            Step("Follow it", commands.conveyor("watch", run.run)),
            Step("Or stop it", commands.conveyor("stop", run.run)),
        ],
        figures=table([*at_most_rows(drop.estimate), *_left_out(plan), ("Batches", f"{len(plan.batches):,}")]),
        link=_link(sent),
        without=_stop(run),
    )
    kind = Kind(Event.STARTED, Status.STARTED, Needs.NOBODY)
    return _notice(run, sent, kind, f"{counted(requests, 'request')}, {most}", mail, drop.estimate, requests)


def _comes_next(plan: Plan) -> str:
    probe = plan.drop.probe
    first = f"{counted(probe.requests, 'request')} are sent first, as a probe." if probe else "They are sent now."
    return f"{first} The next message comes when the run ends, or needs something."


def _left_out(plan: Plan) -> list[tuple[str, str]]:
    left = plan.drop.findings.lines if plan.drop.findings else 0
    return [("Left out", counted(left, "invalid line"))] if left else []


def undecided_notice(run: Run, trouble: Trouble, undecided: Undecided, secret: str, sent: Sent) -> Notice:
    """Say that nothing more is paid until it is known what an attempt created, and how a person decides that."""
    name = BatchName(undecided.leg, undecided.batch)
    doubt, _, rest = in_doubt(name).partition(". ")
    mail = Mail(
        f"The run of {run.name} is undecided: {doubt}",
        f"{rest} The run keeps searching for the batch, and continues by itself{_settled(run, trouble, undecided)}.",
        [
            *([access_step(run.settings.auth, secret)] if _is_access_refused(trouble.reason) else []),
            Step("If you know better, decide", commands.conveyor("decide", run.run)),
            Step("Or stop the run, and keep the results so far", commands.conveyor("stop", run.run)),
        ],
        figures=_details(run, trouble),
        link=_link(sent),
        without=block(_releases(run, undecided), _stop(run)),
    )
    kind = Kind(
        Event.UNDECIDED,
        Status.UNDECIDED,
        Needs.OPERATOR,
        numbered(Event.UNDECIDED, name, undecided.attempt, trouble.since, trouble.reason),
    )
    return _notice(run, sent, kind, f"{name} may have been created or not", mail, trouble.estimate)


def _settled(run: Run, trouble: Trouble, undecided: Undecided) -> str:
    """Say when a run settles by itself whether a batch exists."""
    if trouble.is_answer or undecided.doubtful:
        return " once it is known"
    settle = span(timedelta(seconds=run.settings.settle_seconds))
    is_absent = f"if the provider can be asked, and lists no batch that may be it {settle} after the call or later"
    return f": {is_absent}, the batch is sent again"


def _releases(run: Run, undecided: Undecided) -> list[str]:
    """Return a command for each thing that may have become of an attempt."""
    place = (run.drop.bucket, keys.release(run.run, undecided.batch, undecided.attempt, run.project, undecided.leg))
    ids = undecided.doubtful[:_MOST_NAMED] or ("<batch id>",)
    return block(
        paragraph(
            f"Look at the provider's list of batches created since {run.drop.last_modified:{_MINUTE}} UTC, and run one",
            "of these commands.",
        ),
        how_to(IF_THIS if undecided.doubtful else IF_ANY, *[commands.adopt(*place, batch_id) for batch_id in ids]),
        how_to(IF_NONE, commands.submit_again(*place)),
    )


def troubled_notice(run: Run, trouble: Trouble, secret: str, sent: Sent, ends: datetime | None = None) -> Notice:
    """Say that requests have failed for long, and what would help.

    `ends`: where the provider answers that there is no such batch or file, when the batch is given up.
    """
    reason, is_refused = trouble.reason, _is_access_refused(trouble.reason)
    goes_on = "The run repeats the request, and continues by itself once it succeeds."
    if ends:
        figures = "the provider does not know its batch"
        first = "the provider answers that it does not know a batch, or the file with its results"
        what = unknown_batch_step(run.settings.auth, run.settings.workspace_id, secret)
        goes_on = f"The run repeats the request until about {ends:{_MINUTE}} UTC."
    elif reason.startswith(UNREADABLE):
        figures = "the drop cannot be read"
        first, what = "the results are there, but the drop, which has the ids, cannot be read", Step(_UNREADABLE)
    else:
        figures, first = in_words(reason).partition(" (")[0], "the provider does not respond as expected"
        what = access_step(run.settings.auth, secret) if is_refused else Step(UNANSWERED)
    mail = Mail(
        f"The run of {run.name} is waiting: {first}",
        f"{_REPEATS} {goes_on}",
        [what, Step("To stop the run instead, and keep the results so far", commands.conveyor("stop", run.run))],
        _if_unknown(run, ends) if ends else [],
        _details(run, trouble),
        _link(sent),
        _stop(run),
    )
    end = numbered(Event.TROUBLE, reason, trouble.since, ends is not None)
    kind = Kind(Event.TROUBLE, Status.TROUBLED, Needs.OPERATOR, end)
    return _notice(run, sent, kind, figures, mail, trouble.estimate)


def _if_unknown(run: Run, ends: datetime) -> list[str]:
    """Say what happens if the provider never knows the batch."""
    nothing = [] if run.settings.auth == "aws" else ["You need not do anything."]
    return block(
        paragraph(
            "If the batch or its file was deleted at the provider, its results are lost, and may have been charged.",
            *nothing,
        ),
        paragraph(
            f"If the results have not arrived by about {ends:{_MINUTE}} UTC, the batch is given up, and the run ends",
            'as "stuck" when its other batches have ended. The lines of this batch are then failures that are not',
            "among the lines to send again. The results of all other batches are delivered as usual.",
        ),
    )


def at_risk_notice(  # noqa: PLR0913
    run: Run,
    risks: list[Risk],
    window: timedelta,
    sent: Sent,
    estimate: Estimate | None = None,
    *,
    has_rounds: bool = False,
) -> Notice:
    """Say which batches may expire, how many requests they have, when, what happens then, and what a person can do.

    `has_rounds`: whether a round follows that sends again what expires.
    """
    requests = counted(sum(risk.requests for risk in risks), "request")
    hours = counted(round(window / timedelta(hours=1)), "hour")
    whose = "the completion window" if len(risks) == 1 else "the completion window of one of them"
    named = sorted(risks, key=lambda risk: risk.expires)
    mail = Mail(
        f"Up to {requests} of {run.name} may expire: {counted(len(risks), 'batch', 'batches')} "
        f"{'has' if len(risks) == 1 else 'have'} not ended, although three quarters of {whose} have passed "
        f"({hours} in all)",
        f"{_after_expiry(has_rounds=has_rounds)} All other results are delivered as usual. You need not do anything.",
        [
            Step("To stop the run instead, and keep the results so far", commands.conveyor("stop", run.run)),
        ],
        _named(named),
        table(at_most_rows(estimate)),
        _link(sent),
        _stop(run),
    )
    end = numbered(Event.AT_RISK, *(risk.batch_id for risk in named))
    kind = Kind(Event.AT_RISK, Status.AT_RISK, Needs.NOBODY, end)
    first = f", from {named[0].expires:%d %b %H:%M} UTC"
    return _notice(run, sent, kind, f"up to {requests} may expire{first}", mail, estimate)


def _after_expiry(*, has_rounds: bool) -> str:
    """Say what becomes of requests that expire."""
    if has_rounds:
        how = "Expired requests are not billed. They are sent again by themselves, in a round, before the run ends"
        return f"{how} (RetryRounds). What expires in the last round will be in retry.jsonl."
    how = "Expired requests are not billed. Their lines will be in retry.jsonl, and the final message will have the"
    return f"{how} command that sends them again."


def _named(risks: list[Risk]) -> list[str]:
    """Return a line for each batch that may expire, in the order in which they do."""
    more = len(risks) - _MOST_NAMED
    return [
        *[
            f"  {risk.batch_id}: {counted(risk.requests, 'request')}, until about {risk.expires:{_MINUTE}} UTC"
            for risk in risks[:_MOST_NAMED]
        ],
        *([f"  and {more:,} more"] if more > 0 else []),
    ]


def _notice(  # noqa: PLR0913, PLR0917
    run: Run,
    sent: Sent,
    kind: Kind,
    figures: str,
    mail: Mail,
    estimate: Estimate | None,
    requests: int | None = None,
) -> Notice:
    words = commands.command_words(step.command for step in mail.steps)
    facts = {
        "requests": requests,
        "cost": Costs(usd_text(estimate.at_most_usd if estimate else None)),
        "commands": words,
    }
    return notice(sent.about(run.run, run.name, run.project), kind, figures[:_LONGEST_FIGURES], mail, facts)


def _link(sent: Sent) -> Link:
    return Link("Run so far", sent.console.run())


def _details(run: Run, trouble: Trouble) -> list[str]:
    rows = [("Why", in_words(trouble.reason)), ("Since", f"{trouble.since:{_MINUTE}} UTC")]
    return table([*rows, *at_most_rows(trouble.estimate), ("Drop", commands.url(run.drop.bucket, run.drop.key))])


def _is_access_refused(reason: str) -> bool:
    return "HTTP 401" in reason or "HTTP 403" in reason


def _stop(run: Run) -> list[str]:
    return how_to("To stop the run, and keep the results so far:", commands.stop(run.drop.bucket, run.run, run.project))
