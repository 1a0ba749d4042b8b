"""The message that a run has ended, in words a person can act on, and the same as data."""

from datetime import datetime

from conveyor.domain import keys
from conveyor.domain.drop import NO_PROJECT, OTHER_FOLDER
from conveyor.domain.refusal import Cause
from conveyor.domain.status import DECLINED, STOPPED, Status
from conveyor.receipt.receipt import Receipt
from conveyor.report.body import facts_of
from conveyor.report.commands import without_command
from conveyor.report.details import notes_of
from conveyor.report.figures import figures_of
from conveyor.verdict.headline import headline_of, is_unsent
from conveyor.verdict.verdict import verdict_of
from conveyor.wording.commands import conveyor, url
from conveyor.wording.console import Console
from conveyor.wording.mail import Link, Mail
from conveyor.wording.message import Event, Needs
from conveyor.wording.notice import About, Kind, Notice, notice

_OF_THE_STACK = frozenset(
    {*Cause, "key-unusable", "key-refused", "role-refused", "provider-stopped", "provider-refused"}
)
"""Codes of what an operator of the stack puts in order, and not the person who dropped the file."""


def notice_of(
    receipt: Receipt,
    console: Console = Console(""),  # noqa: B008  # a constant
    *,
    has_page: bool = True,
) -> Notice:
    """Return the message of a run that has ended. It has counts and places, never a prompt or an answer.

    Its commands call the run by its id: a name may mean a newer run when the message is read. `has_page`: whether the
    page could be written; else the link is that of the receipt.
    """
    verdict = verdict_of(receipt, receipt.run)
    mail = Mail(
        verdict.first,
        verdict.second,
        verdict.steps,
        notes_of(receipt),
        figures_of(receipt),
        _link(receipt, console, has_page=has_page),
        without_command(receipt),
    )
    about = About(receipt.run, receipt.name, receipt.project, console, _ended_at(receipt))
    kind = Kind(Event.ENDED, receipt.status, _needs(receipt), code=receipt.code)
    return notice(about, kind, headline_of(receipt).figures, mail, facts_of(receipt, verdict, has_page=has_page))


def _link(receipt: Receipt, console: Console, *, has_page: bool) -> Link:
    bucket = str(receipt.drop["bucket"])
    label, key_of = ("Report", keys.report) if has_page else ("Receipt", keys.receipt)
    key = key_of(receipt.name, receipt.run)
    shows = conveyor("report", receipt.run) if has_page else ""
    return Link(label, console.object(bucket, key), url(bucket, key), shows)


def _ended_at(receipt: Receipt) -> datetime:
    """Return when the run ended; a receipt of an earlier version does not say so."""
    last = max((batch.split_at for batch in receipt.all_batches), default=receipt.received_at)
    return receipt.ended_at or last


def _needs(receipt: Receipt) -> Needs:
    """Return who should act on the end of a run."""
    if receipt.status is Status.UNBALANCED or receipt.code in _OF_THE_STACK or receipt.causes:
        return Needs.OPERATOR
    if receipt.code == STOPPED or receipt.status is Status.ESTIMATED:
        return Needs.NOBODY
    is_open = receipt.failures or is_unsent(receipt) or receipt.code in {DECLINED, NO_PROJECT, OTHER_FOLDER}
    return Needs.USER if is_open else Needs.NOBODY
