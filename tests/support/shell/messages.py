"""Every message about a run, and the commands in it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from msgspec.structs import replace

from conveyor.domain import keys
from conveyor.domain.outcome import Outcome
from conveyor.domain.output_file import OutputFile
from conveyor.domain.plan import Plan, Probe, ProbeLine, ValidatedDrop
from conveyor.domain.refusal import NO_SECRET
from conveyor.file_types.conversion import Conversion, conversion_of
from conveyor.gates.gate import Held
from conveyor.gates.message import waiting_notice
from conveyor.gates.probe_message import Shown
from conveyor.ledger.batch_facts import Submitted
from conveyor.ledger.budget_facts import DayFull, DayReached
from conveyor.ledger.gate_facts import Gate, Reason, ReasonCode
from conveyor.ledger.part import Answer, Part
from conveyor.ledger.run_facts import Refusal, Run
from conveyor.poll.decisions.decision import Risk, Undecided
from conveyor.poll.message import Trouble, at_risk_notice, started_notice, troubled_notice, undecided_notice
from conveyor.receipt.account import completed_receipt, refused_receipt
from conveyor.receipt.batch_account import SplitBatch
from conveyor.report.message import notice_of
from conveyor.spend.notice import full_notice, reached_notice
from conveyor.spend.spent import Costs
from conveyor.wording.advice import ADVICE
from tests.support.examples import BATCH, NOW, SENT
from tests.support.wrong_files import type_of_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from conveyor.wording.notice import Notice

SINCE = datetime(2026, 11, 22, 13, tzinfo=UTC)
MONTH = Costs(3, Decimal("12.40"), is_lower_bound=False)
SECRET = "conveyor/api key"  # noqa: S105 - the name of a secret
REFUSALS = sorted({
    *(ADVICE.keys() - {"round-sent-before"}),
    "stopped", "seen-before", "unreadable", "invalid-lines", "no-requests", "too-large", "too-many-requests",
    "models-alternate", "not-gzip", "drop-gone", "drop-archived", "drop-key-refused", "drop-encrypted", "drop-denied",
    "drop-unreadable", "mostly-invalid", "file-is-empty", "declined", "dry-run",
})  # fmt: skip
"""Refusal codes for a whole drop. A round comes after a drop was sent."""


def messages(run: Run) -> Iterator[tuple[str, Notice]]:
    """Yield each kind of message about a run, with a name."""
    for code in REFUSALS:
        yield code, refused(run, code)
    yield "no secret", without_secret(run)
    yield "unanswered", notice_of(refused_receipt(run, Refusal("w", NOW, "unsent", "why"), 2))
    yield "converted", converted(run)
    yield "made by a recipe", made_by_recipe(run)
    yield "completed", ended(run, results=2, failures=1)
    yield "unbalanced", ended(run, results=2, failures=0)
    yield "waiting", waiting(run)
    yield "probe failed", probe_failed(run)
    yield "undecided", undecided(run, "HTTP 401")
    yield "troubled", troubled_notice(run, Trouble("HTTP 403", SINCE), SECRET, SENT)
    yield "unknown batch", troubled_notice(run, Trouble("HTTP 404", SINCE), SECRET, SENT, NOW)
    yield "limits unread", waiting(run, reason=ReasonCode.BUDGETS_UNREAD)
    yield "waiting for budget", waiting_for_budget(run)
    yield "budget reached", budget_reached(run)
    yield "at risk", at_risk_notice(run, [Risk("msgbatch_1", 3, NOW, NOW)], timedelta(days=1), SENT)
    yield "started", started_notice(run, Plan(ValidatedDrop(3, "f00"), [BATCH]), SENT)


def refused(run: Run, code: str) -> Notice:
    """Return the message of a drop that is refused as a whole."""
    file = OutputFile(keys.invalid(run.name, run.run), 2, 99, "c") if code == "invalid-lines" else None
    known = replace(run, key_secret=SECRET)
    return notice_of(refused_receipt(known, Refusal("w", NOW, code, "why", None, 9, 2, file), 0))


def without_secret(run: Run) -> Notice:
    """Return the message of a drop that is refused since the stack's secret does not exist."""
    refusal = Refusal("w", NOW, "key-unusable", f'{NO_SECRET} "{SECRET}"')
    return notice_of(refused_receipt(replace(run, key_secret=SECRET), refusal, 0))


def converted(run: Run) -> Notice:
    """Return the message of a drop that is a JSON array."""
    conversion = Conversion("cat < x > made.jsonl", "made.jsonl", "Get-Content")
    return notice_of(refused_receipt(run, Refusal("w", NOW, "file-is-json", "why", conversion=conversion), 0))


def made_by_recipe(run: Run) -> Notice:
    """Return the message of a drop that is a table."""
    return notice_of(
        refused_receipt(run, Refusal("w", NOW, "file-is-table", "why", conversion=Conversion("", "requests.jsonl")), 0)
    )


def made_of_a_table(run: Run, content: bytes) -> Notice:
    """Return the message of a drop with this content, which is a table."""
    (found,) = filter(None, [type_of_file(content)])
    conversion = conversion_of(found.file_type, run.drop.key, 0)
    return notice_of(refused_receipt(run, Refusal("w", NOW, found.code, str(found), conversion=conversion), 0))


def ended(run: Run, results: int, failures: int) -> Notice:
    """Return the final message of a run with three requests."""
    outcomes = {"succeeded": results, "errored": failures, "canceled": 0, "expired": 0, "missing": 0, "invalid": 0}
    files = [
        OutputFile(keys.results(run.name, run.run), results, 10, "a"),
        OutputFile(keys.failures(run.name, run.run), failures, 10, "b"),
        OutputFile(keys.retry(run.name, run.run), failures, 10, "c"),
    ]
    part = Part("w", NOW, outcomes, failures, 0, 0, {}, files, NOW)
    done = SplitBatch(BATCH, Submitted("w", NOW, "msgbatch_1", NOW, NOW), part, set())
    return notice_of(completed_receipt(run, Plan(ValidatedDrop(3, "f00"), [BATCH]), [done], 0, None))


def waiting(run: Run, need: str | None = "61.40", reason: ReasonCode = ReasonCode.ASKED) -> Notice:
    """Return the message of a run that stands at its second gate, and may cost so much."""
    most = Decimal(need) if need else None
    gate = Gate("w", NOW, open=False, reasons=[Reason(reason, "why")], need_usd=most, until=NOW)
    return waiting_notice(run, Held(2, gate, Plan(ValidatedDrop(3, "f00"), [BATCH]), "it has a comma"), SENT)


def probe_failed(run: Run) -> Notice:
    """Return the message of a run that stands at its second gate because its probe failed."""
    reason = Reason(ReasonCode.PROBE_FAILED, "why")
    gate = Gate("w", NOW, open=False, reasons=[reason], need_usd=Decimal(5), until=NOW, after_probe=True)
    probe = Probe([ProbeLine(2, "m", 9)], [], "f00")
    answer = Answer(2, Outcome.ERRORED, "invalid_request_error", will_recur=True)
    shown = Shown.of(probe, 1, [answer], (keys.error_words(keys.content(run.run, run.project), 1),))
    return waiting_notice(run, Held(2, gate, Plan(ValidatedDrop(3, "f00", probe=probe), [BATCH])), SENT, shown=shown)


def waiting_for_budget(run: Run) -> Notice:
    """Return the message of a run that waits for room in the day of its project."""
    return full_notice(run, DayFull("w", NOW, run.project, Decimal(200), Decimal(190), Decimal(20), NOW), SENT)


def budget_reached(run: Run) -> Notice:
    """Return the message that most of a project's day is taken."""
    return reached_notice(
        run, DayReached("w", NOW, run.project, "2026-11-22", 80, Decimal(200), Decimal(160), NOW), MONTH, SENT
    )


def undecided(run: Run, reason: str = "why") -> Notice:
    """Return the message of a run with a call whose outcome is unknown."""
    return undecided_notice(run, Trouble(reason, SINCE), Undecided(1, 2, ("msgbatch_a",)), SECRET, SENT)


def commands(notice: Notice) -> list[str]:
    """Return the commands in a message that need no `conveyor`, but for the one that makes requests of a table."""
    text = re.sub("In Windows PowerShell:\n\n.*\n", "", notice.message)
    return [line for line in indented(text) if not line.startswith("conveyor ") or line.startswith("conveyor prepare")]


def of_conveyor(notice: Notice) -> list[str]:
    """Return the commands of `conveyor` in a message."""
    return [line for line in indented(notice.message) if line.startswith("conveyor ")]


def indented(text: str) -> list[str]:
    """Return the commands of a message: its lines that are indented by four spaces."""
    return [line.removeprefix("    ") for line in text.splitlines() if re.match(r"    \S", line)]


def about(run: Run, *, key: str, version: str, size: int, metadata: Mapping[str, str]) -> Run:
    """Return the run with its drop replaced."""
    drop = replace(run.drop, key=key, version=version, bytes=size, metadata=dict(metadata))
    return replace(run, name=drop.name, drop=drop)
