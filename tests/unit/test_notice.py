"""The message of a run's end: for a person, within what SNS takes."""

import shlex
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from conveyor.drop import Drop
from conveyor.notice import notice_of
from conveyor.outcome import Usage
from conveyor.output import OutputFile
from conveyor.plan import Batch, Checked, Plan
from conveyor.receipt import Receipt, completed_receipt, refused_receipt
from conveyor.records import Part, Refusal, Run, Submitted, Tokens
from conveyor.settings import Settings

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
SETTINGS = Settings(
    "https://api.anthropic.com",
    "refuse",
    4096,
    100_000,
    10**10,
    100_000,
    256_000_000,
    10**9,
    30,
    300,
    600,
    900,
    600,
    21600,
)
RUN = Run("run-1", "team/articles", Drop("bucket", "inbox/team/articles.jsonl", "v", "e", 9, NOW, {}), SETTINGS)
BATCH = Batch(1, 1, 0, 3, 99, 3, 1, 80, [])


def part(results: int, failures: int, **tokens: Tokens) -> Part:
    """Write the account of a batch."""
    outcomes = {"succeeded": results, "errored": failures, "canceled": 0, "expired": 0, "missing": 0, "invalid": 0}
    files = [
        OutputFile("results/team/articles/run-1/results.jsonl", results, 10, "a"),
        OutputFile("failures/team/articles/run-1/failures.jsonl", failures, 10, "b"),
    ]
    return Part("w", NOW, outcomes, failures, 0, 0, tokens, files, NOW)


def completed(account: Part) -> Receipt:
    """Write the receipt of a run of one batch of three requests."""
    return completed_receipt(
        RUN, Plan(Checked(3, "f00"), [BATCH]), [Submitted("w", NOW, "msgbatch_1", NOW, NOW)], [account]
    )


def test_a_completed_run_is_told_with_counts_places_and_the_next_command() -> None:
    """Everything a person needs is in the mail."""
    notice = notice_of(completed(part(2, 1, m=Tokens(Usage(1000, 50), 0.25))))
    assert notice.subject == "Conveyor: completed team/articles (2 results, 1 failures)"
    assert "s3://bucket/results/team/articles/run-1/results.jsonl" in notice.message
    assert "1,000 in, 50 out, about $0.2500" in notice.message
    retry = "s3://bucket/failures/team/articles/run-1/retry.jsonl s3://bucket/inbox/team/articles-retry.jsonl"
    assert f"aws s3 cp {retry}" in notice.message
    assert "s3://bucket/results/team/articles/run-1/receipt.json" in notice.message


def test_money_is_told_only_where_every_price_is_known() -> None:
    """Half a sum would be a wrong sum."""
    receipt = completed(part(3, 0, known=Tokens(Usage(1, 1), 0.5), unknown=Tokens(Usage(1, 1), None)))
    assert receipt.cost_usd is None
    assert "$" not in notice_of(receipt).message


@pytest.mark.parametrize(("results", "failures"), [(2, 0), (3, 1), (0, 0)])
def test_an_account_that_does_not_balance_is_not_called_completed(results: int, failures: int) -> None:
    """Requests in must be results and failures out."""
    notice = notice_of(completed(part(results, failures)))
    assert notice.status == "unbalanced"
    assert "does not balance" in notice.message


def test_a_file_that_holds_fewer_lines_than_were_counted_does_not_balance() -> None:
    """The lines really written are held against the counts."""
    account = part(2, 1)
    short = [replace(account.files[0], lines=1), account.files[1]]
    assert completed(replace(account, files=short)).status == "unbalanced"


def test_a_refused_drop_is_told_with_the_reason_the_faults_and_what_to_type() -> None:
    """Nothing of it was paid, and it says so."""
    faults = OutputFile("failures/team/articles/run-1/invalid.jsonl", 2, 99, "c")
    notice = notice_of(refused_receipt(RUN, Refusal("w", NOW, "invalid-lines", "correct the lines", 9, 2, faults)))
    assert notice.subject == "Conveyor: refused team/articles"
    assert "nothing was paid" in notice.message
    assert "Why: correct the lines" in notice.message
    assert "2 faults in 9 lines are listed" in notice.message
    assert "s3://bucket/failures/team/articles/run-1/invalid.jsonl" in notice.message
    assert "aws s3 cp articles.jsonl s3://bucket/inbox/team/articles.jsonl" in notice.message


def test_a_subject_fits_whatever_the_name() -> None:
    """SNS takes fewer than 100 ASCII characters without line breaks."""
    receipt = replace(completed(part(3, 0)), name="n" * 512)
    subject = notice_of(receipt).subject
    assert len(subject) <= 99
    assert subject.isascii()
    assert subject.isprintable()


@pytest.mark.parametrize("code", ["key-unusable", "key-refused", "provider-stopped", "unsent"])
def test_a_refusal_that_a_person_can_end_says_how(code: str) -> None:
    """The reason alone is not enough."""
    plain = notice_of(refused_receipt(RUN, Refusal("w", NOW, "no-requests", "why"))).message
    assert len(notice_of(refused_receipt(RUN, Refusal("w", NOW, code, "why"))).message) > len(plain) + 40


def test_the_command_to_drop_again_survives_a_shell() -> None:
    """Keys may hold spaces and quotes; a wrong suffix is put right."""
    spaced = replace(RUN, drop=replace(RUN.drop, key="inbox/team a/it's.jsonl"))
    message = notice_of(refused_receipt(spaced, Refusal("w", NOW, "no-requests", "why"))).message
    command = next(line for line in message.splitlines() if "aws s3 cp" in line)
    assert shlex.split(command) == ["aws", "s3", "cp", "it's.jsonl", "s3://bucket/inbox/team a/it's.jsonl"]
    table = replace(RUN, name="a.csv", drop=replace(RUN.drop, key="inbox/a.csv"))
    assert (
        "s3://bucket/inbox/a.csv.jsonl"
        in notice_of(refused_receipt(table, Refusal("w", NOW, "unreadable", "why"))).message
    )
