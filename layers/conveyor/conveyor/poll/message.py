"""Messages about a run that continues: requests to the provider fail, batches may expire, or a person can decide."""

from datetime import datetime, timedelta

from conveyor.domain import keys
from conveyor.domain.schedule import BatchName
from conveyor.domain.status import Status
from conveyor.gates.release import IF_ANY, IF_NONE, IF_THIS, in_doubt
from conveyor.ledger.run_facts import Run
from conveyor.money.estimate import Estimate
from conveyor.poll.decision import Risk, Undecided
from conveyor.s3.read_errors import CANNOT
from conveyor.wording import commands
from conveyor.wording.advice import access_advice, unanswered_advice
from conveyor.wording.bounds import at_most_rows
from conveyor.wording.console import Console
from conveyor.wording.notice import Notice
from conveyor.wording.text import counted, paragraph, subject, table
from conveyor.wording.trouble import in_words

_MOST_NAMED = 20
"""Batches in one message: the state that carries it has at most 256 KiB."""
_MINUTE = "%Y-%m-%d %H:%M"
_LONGEST_FIGURES = 60


def undecided_notice(  # noqa: PLR0913, PLR0917
    run: Run, reason: str, since: datetime, undecided: Undecided, secret: str, estimate: Estimate | None = None
) -> Notice:
    """Say that nothing more is paid until it is known what an attempt created, and how a person decides that."""
    name = BatchName(undecided.leg, undecided.batch)
    lines = [
        *paragraph(
            f"The run of {run.drop.key} is undecided: {in_doubt(name)}",
        ),
        "",
        *_details(run, reason, since, estimate),
        *(access_advice(run.settings.auth, secret) if _is_access_refused(reason) else []),
        "",
        *_releases(run, undecided),
        *_stop(run),
    ]
    return _notice(run, Status.UNDECIDED, f"{name} may have been created or not", lines)


def _releases(run: Run, undecided: Undecided) -> list[str]:
    """Return a command for each thing that may have become of an attempt."""
    place = (run.drop.bucket, keys.release(run.run, undecided.batch, undecided.attempt, run.project, undecided.leg))
    ids = undecided.doubtful[:_MOST_NAMED] or ("<batch id>",)
    return [
        *paragraph(
            "The run keeps searching for the batch, and continues by itself once it is known. If you know better, look",
            f"at the provider's list of batches created since {run.drop.last_modified:{_MINUTE}} UTC, and run one of",
            "these commands.",
            IF_THIS if undecided.doubtful else IF_ANY,
        ),
        "",
        *[f"  {commands.adopt(*place, batch_id)}" for batch_id in ids],
        "",
        IF_NONE,
        "",
        f"  {commands.submit_again(*place)}",
        "",
    ]


def troubled_notice(  # noqa: PLR0913, PLR0917
    run: Run,
    reason: str,
    since: datetime,
    secret: str,
    ends: datetime | None = None,
    estimate: Estimate | None = None,
) -> Notice:
    """Say that requests have failed for long, and what would help.

    `ends`: where the provider answers that there is no such batch or file, when the batch is given up.
    """
    if ends:
        lines = _unknown_batch(run, _details(run, reason, since, estimate), secret, ends)
        return _notice(run, Status.TROUBLED, "the provider does not know its batch", lines)
    if reason.startswith(CANNOT):
        figures = "the drop cannot be read"
        problem = "the results are there, but the drop, which has the ids, cannot be read"
        advice = _unreadable_advice()
    else:
        figures = in_words(reason).partition(" (")[0]
        problem = "the provider does not respond as expected"
        is_refused = _is_access_refused(reason)
        advice = access_advice(run.settings.auth, secret) if is_refused else unanswered_advice()
    lines = [
        *paragraph(
            f"The run of {run.drop.key} is waiting: {problem}. No line is lost and nothing is charged twice. The run",
            "repeats the request, and continues by itself once it succeeds.",
        ),
        "",
        *_details(run, reason, since, estimate),
        *advice,
        "",
        *_stop(run),
    ]
    return _notice(run, Status.TROUBLED, figures, lines)


def _unreadable_advice() -> list[str]:
    return [
        "",
        *paragraph(
            "Make this version of the object readable again. If it is not readable within a day, results and failures",
            "are written with the line numbers of the drop instead of ids, and there are no lines to send again.",
        ),
    ]


def _unknown_batch(run: Run, details: list[str], secret: str, ends: datetime) -> list[str]:
    """Say what may have happened to a batch, or a file, that the provider does not know, and what happens next."""
    return [
        *paragraph(
            f"The run of {run.drop.key} is waiting for a batch: the provider answers that it does not know the batch,",
            "or the file with its results.",
        ),
        "",
        *details,
        "",
        *(_unknown_to_workspace(run) if run.settings.auth == "aws" else _unknown_to_key(secret)),
        "",
        *paragraph(
            f"The run repeats the request until about {ends:{_MINUTE}} UTC. If the results have not arrived by then,",
            'the batch is given up, and the run ends as "stuck" when its other batches have ended. The lines of this',
            "batch are then failures that are not among the lines to send again. The results of all other batches are",
            "delivered as usual.",
        ),
        "",
        *_stop(run),
    ]


def _unknown_to_workspace(run: Run) -> list[str]:
    return paragraph(
        f"The workspace {run.settings.workspace_id} does not show them. Check in the AWS console whether they were",
        "deleted. If they were, the results are lost, and may have been charged.",
    )


def _unknown_to_key(secret: str) -> list[str]:
    return [
        *paragraph(
            "There are two possible causes. If the API key was replaced by a key of another workspace, which does not",
            "see them, put a valid key of the old workspace into the shell variable API_KEY, and run:",
        ),
        "",
        f"  {commands.put_key(secret)}",
        "",
        *paragraph(
            "If the batch or its file was deleted at the provider, its results are lost, and may have been charged.",
            "You need not do anything.",
        ),
    ]


def at_risk_notice(
    run: Run, risks: list[Risk], window: timedelta, estimate: Estimate | None = None, *, has_rounds: bool = False
) -> Notice:
    """Say which batches may expire, how many requests they have, when, what happens then, and what a person can do.

    `has_rounds`: whether a round follows that sends again what expires.
    """
    requests = counted(sum(risk.requests for risk in risks), "request")
    hours = counted(round(window / timedelta(hours=1)), "hour")
    whose = "the completion window" if len(risks) == 1 else "the completion window of one of them"
    lines = [
        *paragraph(
            f"{counted(len(risks), 'batch', 'batches')} of the run of {run.drop.key}",
            f"{'has' if len(risks) == 1 else 'have'} not ended, although three quarters of {whose} have passed",
            f"({hours} in all). Requests without a response expire at its end: up to {requests}.",
        ),
        "",
        *_named(risks),
        *table([*at_most_rows(estimate), ("Run", run.run)]),
        "",
        *paragraph(
            _after_expiry(has_rounds=has_rounds), "All other results are delivered as usual. You need not do anything."
        ),
        "",
        *_stop(run),
    ]
    return _notice(run, Status.AT_RISK, f"up to {requests} may expire", lines)


def _after_expiry(*, has_rounds: bool) -> str:
    """Say what becomes of requests that expire."""
    if has_rounds:
        how = "Expired requests are not billed. They are sent again by themselves, in a round, before the run ends"
        return f"{how} (RetryRounds). What expires in the last round will be in retry.jsonl."
    how = "Expired requests are not billed. Their lines will be in retry.jsonl, and the final message will have the"
    return f"{how} command that sends them again."


def _named(risks: list[Risk]) -> list[str]:
    """Return a line for each batch that may expire, in the order in which they do."""
    named = sorted(risks, key=lambda risk: risk.expires)[:_MOST_NAMED]
    more = len(risks) - len(named)
    return [
        *[
            f"{risk.batch_id}: {counted(risk.requests, 'request')}, until about {risk.expires:{_MINUTE}} UTC"
            for risk in named
        ],
        *([f"and {more:,} more"] if more else []),
    ]


def linked(notice: Notice, console: Console) -> Notice:
    """Return a message with the link to its execution, where there is a console."""
    link = console.run()
    return notice._replace(message=f"{notice.message}\n\nIn the AWS console:\n{link}") if link else notice


def _notice(run: Run, status: Status, figures: str, lines: list[str]) -> Notice:
    headline = subject(status, run.name, figures[:_LONGEST_FIGURES])
    return Notice(run.run, run.name, status, headline, "\n".join(lines), run.project)


def _details(run: Run, reason: str, since: datetime, estimate: Estimate | None) -> list[str]:
    rows = [("Why", in_words(reason)), ("Since", f"{since:{_MINUTE}} UTC"), *at_most_rows(estimate), ("Run", run.run)]
    return table(rows)


def _is_access_refused(reason: str) -> bool:
    return "HTTP 401" in reason or "HTTP 403" in reason


def _stop(run: Run) -> list[str]:
    return [
        "To stop the run instead, and keep the results so far:",
        "",
        f"  {commands.stop(run.drop.bucket, run.run, run.project)}",
    ]
