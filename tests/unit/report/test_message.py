"""The message about an ended run, within the limits of SNS."""

import shlex
from decimal import Decimal

import pytest
from msgspec.structs import replace

from conveyor.domain import keys
from conveyor.domain.output_file import OutputFile
from conveyor.domain.plan import Plan, ValidatedDrop
from conveyor.ledger.batch_facts import Submitted
from conveyor.ledger.part import Part, Tokens
from conveyor.ledger.run_facts import Refusal, Run
from conveyor.money.usage import Usage
from conveyor.receipt.account import completed_receipt, refused_receipt
from conveyor.receipt.batch_account import SplitBatch
from conveyor.receipt.receipt import Receipt
from conveyor.report.message import notice_of
from tests.support.examples import BATCH, NOW, RUN

STOPPED = Refusal("w", NOW, "stopped", "the run was stopped by a person")


def part(results: int, failures: int, **tokens: Tokens) -> Part:
    """Return the account of a batch."""
    outcomes = {"succeeded": results, "errored": failures, "canceled": 0, "expired": 0, "missing": 0, "invalid": 0}
    files = [
        OutputFile("results/team/articles/run-1/results.jsonl", results, 10, "a"),
        OutputFile("failures/team/articles/run-1/failures.jsonl", failures, 10, "b"),
    ]
    return Part("w", NOW, outcomes, failures, 0, 0, tokens, files, NOW)


def completed(account: Part, duplicates: set[str] | None = None, refusal: Refusal | None = None) -> Receipt:
    """Return the receipt of a run of one batch of three requests."""
    done = SplitBatch(BATCH, Submitted("w", NOW, "msgbatch_1", NOW, NOW), account, duplicates or set())
    return completed_receipt(RUN, Plan(ValidatedDrop(3, "f00"), [BATCH]), [done], 0, refusal)


def refused(refusal: Refusal, run: Run = RUN, unanswered: int = 0) -> str:
    """Return the message about a refused drop."""
    return notice_of(refused_receipt(run, refusal, unanswered)).message


def commands(message: str) -> list[list[str]]:
    """Return the words of every command of AWS CLI in a message, as a shell splits them; only commands are indented."""
    return [shlex.split(line) for line in message.splitlines() if line.startswith("    aws ")]


def test_a_completed_run_is_reported_with_counts_places_and_the_next_command() -> None:
    """Everything a person needs is in the message."""
    notice = notice_of(completed(part(2, 1, m=Tokens(Usage(1000, 50), Decimal("0.25")))))
    assert notice.subject == "Conveyor: done team/articles (2 answered, 1 failed, $0.25)"
    assert "s3://bucket/results/team/articles/run-1/results.jsonl" in notice.message
    assert "1,000 in, 50 out (m)" in notice.message
    retry = "s3://bucket/failures/team/articles/run-1/retry.jsonl s3://bucket/inbox/team/articles-retry.jsonl"
    assert f"aws s3 cp {retry}" in notice.message
    assert "s3://bucket/results/team/articles/run-1/receipt.json" in notice.message


def test_a_model_without_a_price_leaves_the_rest_priced_as_the_least_that_was_paid() -> None:
    """The receipt names the model, and the message says "at least"."""
    receipt = completed(part(3, 0, known=Tokens(Usage(1, 1), Decimal("0.5")), unknown=Tokens(Usage(1, 1), None)))
    assert (receipt.cost_usd, receipt.money.unpriced) == (Decimal("0.5"), ["unknown"])
    assert "at least $0.50" in plain(notice_of(receipt).message)


@pytest.mark.parametrize(("results", "failures"), [(2, 0), (3, 1), (0, 0)])
def test_an_account_that_does_not_balance_is_not_called_completed(results: int, failures: int) -> None:
    """Requests must equal results plus failures."""
    notice = notice_of(completed(part(results, failures)))
    assert notice.status == "unbalanced"
    assert "do not add up" in notice.message


def test_a_file_that_holds_fewer_lines_than_were_counted_does_not_balance() -> None:
    """The lines written are compared with the counts."""
    account = part(2, 1)
    short = [replace(account.files[0], lines=1), account.files[1]]
    assert completed(replace(account, files=short)).status == "unbalanced"


def test_a_refused_drop_is_reported_with_the_reason_the_faults_and_what_to_type() -> None:
    """The message says that nothing was charged."""
    faults = OutputFile("failures/team/articles/run-1/invalid.jsonl", 2, 99, "c")
    notice = notice_of(
        refused_receipt(RUN, Refusal("w", NOW, "invalid-lines", "correct the lines", None, 9, 2, faults), 0)
    )
    assert notice.subject == "Conveyor: refused team/articles (nothing was sent)"
    assert "was refused: correct the lines. Nothing was sent, and nothing was charged." in plain(notice.message)
    assert "2 faults are listed (9 lines were read)" in notice.message
    assert "s3://bucket/failures/team/articles/run-1/invalid.jsonl" in notice.message
    assert "aws s3 cp articles.jsonl s3://bucket/inbox/team/articles.jsonl" in notice.message


def test_a_subject_fits_whatever_the_name() -> None:
    """SNS accepts fewer than 100 ASCII characters without line breaks."""
    receipt = replace(completed(part(3, 0)), name="n" * 512)
    subject = notice_of(receipt).subject
    assert len(subject) <= 99
    assert subject.isascii()
    assert subject.isprintable()


@pytest.mark.parametrize("code", ["key-unusable", "key-refused", "role-refused", "provider-stopped", "unsent"])
def test_a_refusal_that_a_person_can_resolve_says_how(code: str) -> None:
    """The message includes the next step, not only the reason."""
    plain = refused(Refusal("w", NOW, "no-requests", "why"))
    assert len(refused(Refusal("w", NOW, code, "why"))) > len(plain) + 40


def test_a_refused_role_is_reported_without_mention_of_keys() -> None:
    """There is no key where requests are signed."""
    message = refused(Refusal("w", NOW, "role-refused", "the provider answered HTTP 403 permission_error"))
    assert "aws iam enable-outbound-web-identity-federation" in message
    assert "WorkspaceId" in message
    assert "secret" not in message


def test_the_command_to_drop_again_survives_a_shell() -> None:
    """Keys may contain spaces and quotes; a wrong suffix is corrected."""
    spaced = replace(RUN, drop=replace(RUN.drop, key="inbox/team a/it's.jsonl"))
    (command,) = commands(refused(Refusal("w", NOW, "no-requests", "why"), spaced))
    assert command == ["aws", "s3", "cp", "it's.jsonl", "s3://bucket/inbox/team a/it's.jsonl"]
    table = replace(RUN, name="team_a/a.csv", drop=replace(RUN.drop, key="inbox/team a/a.csv"))
    (command,) = commands(refused(Refusal("w", NOW, "no-requests", "why"), table))
    assert command == ["aws", "s3", "cp", "a.csv", "s3://bucket/inbox/team a/a.csv.jsonl"]


def test_bytes_seen_before_are_run_again_by_a_copy_that_keeps_the_drops_own_settings() -> None:
    """No local file is needed, and only the value of `again` differs: each value counts once."""
    metadata = {"mtime": "1", "on-invalid": "skip", "default-max-tokens": "7"}
    own = replace(RUN, drop=replace(RUN.drop, key="inbox/team a/it's.jsonl", metadata=metadata))
    message = refused(Refusal("w", NOW, "seen-before", "the same bytes, in run run-0"), own)
    key = "inbox/team a/it's.jsonl"
    ((*copy, settings),) = commands(message)
    assert copy[:8] == ["aws", "s3api", "copy-object", "--bucket", "bucket", "--key", key, "--copy-source"]
    source = f"bucket/{key}?versionId=v"
    assert copy[8:] == [source, "--metadata-directive", "REPLACE", "--tagging-directive", "REPLACE", "--metadata"]
    assert sorted(settings.split(",")) == ["again=run-1", "default-max-tokens=7", "on-invalid=skip"]
    assert "pay again" in message


def test_a_drop_too_large_for_one_copy_is_run_again_from_where_it_came() -> None:
    """S3 copies at most 5 GB in one request."""
    own = replace(RUN, drop=replace(RUN.drop, bytes=5 * 1024**3 + 1, metadata={"on-invalid": "skip"}))
    (command,) = commands(refused(Refusal("w", NOW, "seen-before", "the same bytes, in run run-0"), own))
    assert command == [
        "aws", "s3", "cp", "articles.jsonl", "s3://bucket/inbox/team/articles.jsonl", "--metadata",
        "on-invalid=skip,again=run-1",
    ]  # fmt: skip


def test_a_drop_without_settings_of_its_own_is_copied_without() -> None:
    """The stack's settings may have changed since then."""
    (command,) = commands(refused(Refusal("w", NOW, "seen-before", "the same bytes")))
    assert command[-1] == "again=run-1"


def test_requests_without_a_response_are_not_called_unpaid() -> None:
    """A list without their batches is strong evidence, but no proof."""
    refusal = Refusal("w", NOW, "unsent", "why")
    assert "nothing was charged" in plain(refused(refusal))
    told = plain(refused(refusal, unanswered=2))
    assert "nothing was charged" not in told
    assert "2 create requests got no response and no batch is listed for them" in told
    assert refused_receipt(RUN, refusal, 2).unanswered == 2


def test_a_run_that_was_stopped_before_it_was_sent_says_so_and_how_to_run_it_after_all() -> None:
    """There is nothing to correct."""
    message = refused(STOPPED)
    assert "was stopped before anything was sent" in message
    assert "nothing was charged" in message
    assert "fixed" not in message
    (command,) = commands(message)
    assert command[:6] == ["aws", "s3api", "copy-object", "--bucket", "bucket", "--key"]
    assert command[6:] == [
        "inbox/team/articles.jsonl", "--copy-source", "bucket/inbox/team/articles.jsonl?versionId=v",
        "--metadata-directive", "REPLACE", "--tagging-directive", "REPLACE",
    ]  # fmt: skip


def test_a_run_that_was_stopped_while_it_ran_reports_what_was_finished() -> None:
    """It is no failure, and the receipt contains the reason for the stop."""
    receipt = completed(part(1, 2), refusal=STOPPED)
    assert (receipt.status, receipt.code, receipt.reason) == ("stopped", "stopped", "the run was stopped by a person")
    message = notice_of(receipt).message
    assert "was stopped after 0 s: 1 of 3 requests was answered." in message
    assert "is done" not in message
    assert "s3://bucket/results/team/articles/run-1/results.jsonl" in message


def test_every_batch_that_may_have_been_billed_too_is_named() -> None:
    """Only the provider knows, and only a person can ask."""
    receipt = completed(part(2, 1), {"msgbatch_3", "msgbatch_2"})
    message = notice_of(receipt).message
    assert receipt.batches[0].duplicates == ["msgbatch_2", "msgbatch_3"]
    for batch_id in ("msgbatch_2", "msgbatch_3"):
        assert f"Batch {batch_id} holds the same requests as msgbatch_1 and may have been billed, too" in message
    assert "billed" not in notice_of(completed(part(3, 0))).message


def unbalanced(*lines: int) -> str:
    """Return the message of a run where some results are in no file, although all counts agree."""
    receipt = completed(replace(part(2, 1), unaccounted=list(lines)))
    assert (receipt.status, receipt.unaccounted) == ("unbalanced", list(lines))
    return notice_of(receipt).message


def plain(message: str) -> str:
    """Return a message as one line."""
    return " ".join(message.split())


def test_an_account_that_does_not_balance_names_its_lines() -> None:
    """The first twenty known lines are named; the receipt has the others."""
    assert "is in no file: 2, 7." in plain(unbalanced(2, 7))
    assert f"is in no file: {', '.join(map(str, range(1, 21)))}." in plain(unbalanced(*range(1, 21)))
    assert f"is in no file: {', '.join(map(str, range(1, 21)))} and more" in plain(unbalanced(*range(1, 22)))
    assert "is in no file" not in notice_of(completed(part(2, 0))).message


def test_an_account_that_does_not_balance_says_how_to_look_at_it() -> None:
    """It names receipt and ledger, before anything is sent again."""
    receipt, ledger = keys.receipt(RUN.name, RUN.run), keys.ledger(RUN.run)
    message = unbalanced(2)
    assert commands(message)[-2:] == [
        ["aws", "s3", "cp", f"s3://bucket/{receipt}", "-"],
        ["aws", "s3", "sync", f"s3://bucket/{ledger}", "ledger-run-1"],
    ]
    assert "Compare the receipt and the run's ledger with the files before you send anything again." in plain(message)
