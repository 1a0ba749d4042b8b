"""Messages about a run that goes on: asking the provider is in trouble, and perhaps a person can decide."""

from datetime import datetime, timedelta
from typing import NamedTuple

from conveyor.domain import keys
from conveyor.domain.status import Status
from conveyor.ledger.run_facts import Run
from conveyor.s3.read_errors import CANNOT
from conveyor.wording import commands
from conveyor.wording.console import Console
from conveyor.wording.notice import Notice
from conveyor.wording.text import counted, paragraph, subject, table
from conveyor.wording.trouble import in_words

_MOST_NAMED = 20
"""Batches in one message: the state that carries it takes 256 KiB."""
_MINUTE = "%Y-%m-%d %H:%M"
_LONGEST_FIGURES = 60


class Undecided(NamedTuple):
    """An attempt of which nobody can tell whether it created a batch."""

    batch: int
    attempt: int
    doubtful: tuple[str, ...]
    """Batches at the provider that may be it."""


class Risk(NamedTuple):
    """A batch that has not ended long after it was sent."""

    batch_id: str
    requests: int
    since: datetime
    """When three quarters of its completion window had passed."""
    expires: datetime
    """When the requests that have not been answered expire."""


def undecided_notice(run: Run, reason: str, since: datetime, undecided: Undecided, secret: str) -> Notice:
    """Say that nothing more is paid until it is known what became of an attempt, and how a person settles it."""
    place = (run.drop.bucket, keys.release(run.run, undecided.batch, undecided.attempt))
    ids = undecided.doubtful[:_MOST_NAMED] or ("<batch id>",)
    lines = [
        *paragraph(
            f"The run of {run.drop.key} is undecided: the answer to the call that pays for its batch {undecided.batch}",
            "was lost, and it is unknown whether that call created a batch. Until that is known, nothing more is paid.",
        ),
        "",
        *_about(run, reason, since),
        "",
        *(_help(run, reason, secret) if _is_refused(reason) else []),
        *paragraph(
            "The run goes on looking by itself, and goes on when the trouble ends. If you know better, look at the",
            f"provider's list of batches created since {run.drop.last_modified:{_MINUTE}} UTC, and type one of these.",
            "If this batch is the run's, and its results yours:" if undecided.doubtful else "If a batch is the run's:",
        ),
        "",
        *[f"  {commands.adopt(*place, batch_id)}" for batch_id in ids],
        "",
        "If no batch is the run's; this pays again if you are mistaken:",
        "",
        f"  {commands.submit_again(*place)}",
        "",
        *_stop(run),
    ]
    return _notice(run, Status.UNDECIDED, f"batch {undecided.batch} may have been created or not", lines)


def troubled_notice(run: Run, reason: str, since: datetime, secret: str, ends: datetime | None = None) -> Notice:
    """Say that the provider has not answered for long, and what would help.

    `ends`: where it answers that there is no such batch or file, when the batch is given up.
    """
    if ends:
        lines = [*_gone(run, reason, since, secret, ends), *_stop(run)]
        return _notice(run, Status.TROUBLED, "the provider does not know its batch", lines)
    if reason.startswith(CANNOT):
        figures = "the drop cannot be read"
        waits = "the results are there, and the drop cannot be read, which holds the ids"
    else:
        figures = in_words(reason).partition(" (")[0]
        waits = "the provider does not answer as it should"
    lines = [
        *paragraph(
            f"The run of {run.drop.key} waits: {waits}. No line is lost and nothing is paid for twice; the run goes on",
            "asking, and goes on by itself when the trouble ends.",
        ),
        "",
        *_about(run, reason, since),
        "",
        *_help(run, reason, secret),
        *_stop(run),
    ]
    return _notice(run, Status.TROUBLED, figures, lines)


def at_risk_notice(run: Run, risks: list[Risk], window: timedelta) -> Notice:
    """Say which batches may expire, how many requests of theirs, when, what happens then, and what a person can do."""
    requests = counted(sum(risk.requests for risk in risks), "request")
    named = sorted(risks, key=lambda risk: risk.expires)[:_MOST_NAMED]
    hours = counted(round(window / timedelta(hours=1)), "hour")
    whose = (
        "three quarters of its completion window have"
        if len(risks) == 1
        else "three quarters of the window of one have"
    )
    lines = [
        *paragraph(
            f"{counted(len(risks), 'batch has', 'batches have')} not ended, of the run of {run.drop.key}, although",
            f"{whose} passed ({hours} in all). Requests without an answer expire at its end: up to {requests}.",
        ),
        "",
        *[
            f"{risk.batch_id}: {counted(risk.requests, 'request')}, until about {risk.expires:{_MINUTE}} UTC"
            for risk in named
        ],
        *([f"and {len(risks) - len(named):,} more"] if len(risks) > len(named) else []),
        *table([("Run", run.run)]),
        "",
        *paragraph(
            "Expired requests are not billed. Their lines will be in retry.jsonl, and the final message will have the",
            "command that sends them again. All other results come back as usual. There is nothing to do but wait.",
        ),
        "",
        *_stop(run),
    ]
    return _notice(run, Status.AT_RISK, f"up to {requests} may expire", lines)


def linked(notice: Notice, console: Console) -> Notice:
    """Return a message with the link to its execution, where there is a console."""
    link = console.run()
    return notice._replace(message=f"{notice.message}\n\nIn the AWS console:\n{link}") if link else notice


def _gone(run: Run, reason: str, since: datetime, secret: str, ends: datetime) -> list[str]:
    """Say what may have become of a batch, or a file, that the provider does not know, and what still happens."""
    if run.settings.auth == "aws":
        causes = paragraph(
            f"The workspace {run.settings.workspace_id} does not show them. Look there, in the AWS console, what",
            "became of them: they may have been deleted. Then the results are lost, and may have been paid for.",
        )
    else:
        causes = [
            *paragraph(
                "There are two possible causes. If the API key was replaced by a key of another workspace, which does",
                "not see them, put a valid one of the old workspace into the shell's variable API_KEY, and type:",
            ),
            "",
            f"  {commands.put_key(secret)}",
            "",
            *paragraph(
                "If the batch or its file was deleted at the provider, its results are lost, although they may have",
                "been paid for; you need not do anything.",
            ),
        ]
    return [
        *paragraph(
            f"The run of {run.drop.key} waits for a batch: the provider answers that it does not know the batch, or",
            "the file with its results.",
        ),
        "",
        *_about(run, reason, since),
        "",
        *causes,
        "",
        *paragraph(
            f"The run asks again until about {ends:{_MINUTE}} UTC. If the results have not come by then, the batch is",
            'given up, and the run ends as "stuck" when its other batches have ended: the lines of this batch are',
            "failures that are not among the lines to send again, and the results of all other batches come back as",
            "usual.",
        ),
        "",
    ]


def _notice(run: Run, status: Status, figures: str, lines: list[str]) -> Notice:
    return Notice(run.run, run.name, status, subject(status, run.name, figures[:_LONGEST_FIGURES]), "\n".join(lines))


def _about(run: Run, reason: str, since: datetime) -> list[str]:
    return table([("Why", in_words(reason)), ("Since", f"{since:{_MINUTE}} UTC"), ("Run", run.run)])


def _help(run: Run, reason: str, secret: str) -> list[str]:
    """Return what mends the kind of trouble, where something here does."""
    if reason.startswith(CANNOT):
        told = paragraph(
            "Make this version of the object readable again. If it is not within a day, results and failures are",
            "written under the line numbers of the drop, without ids, and without lines to send again.",
        )
        return [*told, ""]
    if _is_refused(reason) and run.settings.auth == "aws":
        told = paragraph(
            "The provider's gateway refuses the functions' roles. See that WorkspaceId names a workspace of this",
            "Region, that no policy of your organization denies the functions what docs/providers.md lists, and that",
            "AWS may vouch for them outside:",
        )
        return [*told, "", f"  {commands.ALLOW_OUTBOUND_IDENTITY}", ""]
    if _is_refused(reason):
        told = paragraph(
            "The provider refuses the key. Put a valid one of its workspace into the variable API_KEY, and type:"
        )
        return [*told, "", f"  {commands.put_key(secret)}", ""]
    told = paragraph(
        "See whether the provider is reachable, how it is, and whether its queue is full of other batches."
    )
    return [*told, ""]


def _is_refused(reason: str) -> bool:
    return "HTTP 401" in reason or "HTTP 403" in reason


def _stop(run: Run) -> list[str]:
    return [
        "To stop the run instead, and keep what is finished:",
        "",
        f"  {commands.stop(run.drop.bucket, run.run)}",
    ]
