"""Messages about ended runs: the exact text of some, and properties of all."""

import re
from decimal import Decimal
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from conveyor.domain.status import STATUSES, Status
from conveyor.ledger.part import Tokens
from conveyor.money.usage import Usage
from conveyor.report.message import notice_of
from conveyor.wording.console import Console
from conveyor.wording.notice import Notice
from tests.support.receipts import EVERY, ended, invalid

ARN = "arn:aws:states:eu-central-1:111122223333:execution:conveyor-run:run-1"
RETRY = (
    "s3://bucket/failures/team/articles/run-1/retry.jsonl",
    "s3://bucket/inbox/team/articles-retry.jsonl",
)


def before_places(notice: Notice) -> str:
    """Return the subject and the text above the list of files; other tests cover the commands."""
    text = re.sub(r"^  aws .*$", "  <command>", notice.message, flags=re.MULTILINE)
    return f"{notice.subject}\n\n{re.split(r'^(?:Tokens|Results|Report|Receipt|Faults):', text, flags=re.MULTILINE)[0]}"


SAID = {
    "all answered": """\
        Conveyor: completed team/articles (all 40,000 answered)

        All 40,000 requests of inbox/team/articles.jsonl were answered, in 3 h 46 min.
        It cost about $59.80 at Anthropic's batch price.

        """,
    "one answered": """\
        Conveyor: completed team/articles (1 answered)

        The 1 request of inbox/team/articles.jsonl was answered, in 3 h 46 min. It
        cost about $59.80 at Anthropic's batch price.

        """,
    "some failed": """\
        Conveyor: completed team/articles (39,412 answered, 588 failed)

        39,412 of the 40,000 requests of inbox/team/articles.jsonl were answered, in 3
        h 46 min; 588 failed. It cost about $59.80 at Anthropic's batch price.

        Failures by type; examples of the provider's error texts are in the receipt,
        under `errors`:
          450  invalid_request_error: the provider does not accept the request
          121  overloaded_error: the provider was overloaded
           17  api_error: the provider had an internal error

        138 of 588 failures are worth sending again. Type:

          <command>

        """,
    "nothing succeeded": """\
        Conveyor: failed team/articles (0 of 300 answered)

        None of the 300 requests of inbox/team/articles.jsonl was answered. Requests
        without an answer are not charged.

        Failures by type; examples of the provider's error texts are in the receipt,
        under `errors`:
          300  not_found_error: the model, or something else that they name, does not exist

        """,
    "refused half-way": """\
        Conveyor: refused half-way team/articles (3 answered, 5 not)

        inbox/team/articles.jsonl was refused half-way: 3 of its 8 requests were
        answered, in 3 h 46 min. It cost about $59.80 at Anthropic's batch price.

        Why: the account has no credit left, or its billing is not in order (HTTP 402
        billing_error). Add credit to the account, or fix its billing, at the provider
        first.

        Failures by type; examples of the provider's error texts are in the receipt,
        under `errors`:
          4  never_sent: the run ended before they were sent
          1  overloaded_error: the provider was overloaded

        All 5 failures are worth sending again. When that is fixed, type:

          <command>

        """,
    "stopped half-way": """\
        Conveyor: stopped team/articles (3 answered, 5 not)

        inbox/team/articles.jsonl was stopped after 3 h 46 min: 3 of 8 requests were
        answered. It cost about $59.80 at Anthropic's batch price.

        Why: the run was stopped by a person.

        Failures by type; examples of the provider's error texts are in the receipt,
        under `errors`:
          5  canceled: the batch was cancelled before they were processed

        All 5 failures are worth sending again. Type:

          <command>

        """,
    "stopped before it was sent": """\
        Conveyor: stopped team/articles (nothing was sent)

        inbox/team/articles.jsonl was stopped before anything was sent. Nothing is
        running, and nothing was charged.

        To run it after all:

          <command>

        """,
    "refused for its lines": """\
        Conveyor: refused team/articles (2 of 1,880 lines are invalid)

        inbox/team/articles.jsonl was refused: 2 of 1,880 lines are invalid. Nothing
        is running, and nothing was charged.

          line 3: "custom_id" is already used on line 1 (custom-id-duplicate)
          line 5: "params.stream": remove it (field-refused)

        By code: 1 custom-id-duplicate, 1 field-refused.

        2 faults are listed (1,880 lines were read), each with its line, a code and
        what to do, in:

          s3://bucket/failures/team/articles/run-1/invalid.jsonl

        To send the other 1,878 lines only, type:

          <command>

        When that is fixed, drop it again:

          <command>

        """,
    "stuck": """\
        Conveyor: stuck team/articles (no results for 14,996 of 40,000 requests)

        The run of inbox/team/articles.jsonl ended without results for 14,996 of
        40,000 requests; these may have been charged. It cost about $59.80 at
        Anthropic's batch price.

        Why: it has not ended 6 hours after it was cancelled (batch msgbatch_1).

        Ask the provider about its batches before you drop these lines again: you may
        pay again. They are the failures with the outcome "stuck", and are not in
        retry.jsonl.

        Failures by type; examples of the provider's error texts are in the receipt,
        under `errors`:
          14,996  stuck: there are no results for their batch
             124  api_error: the provider had an internal error

        """,
}


@pytest.mark.parametrize("name", SAID)
def test_a_message_says_what_happened_then_what_it_cost_and_why_and_what_to_do(name: str) -> None:
    """The text is compared word for word."""
    assert before_places(notice_of(EVERY[name])) == dedent(SAID[name])


def test_files_receipt_and_run_come_last_with_links_that_can_be_clicked() -> None:
    """S3 addresses are for commands, links for people; each link asks for a login."""
    _, _, places = notice_of(EVERY["some failed"], Console.of(ARN)).message.partition("\n\nTokens:")
    console = "https://eu-central-1.console.aws.amazon.com"
    folder = f"{console}/s3/buckets/bucket?region=eu-central-1&prefix"
    assert places.splitlines() == [
        "        1,234,567 in, 89,012 out (claude-haiku-4-5)",
        "Results:       s3://bucket/results/team/articles/run-1/results.jsonl",
        "Failures:      s3://bucket/failures/team/articles/run-1/failures.jsonl",
        "To send again: s3://bucket/failures/team/articles/run-1/retry.jsonl",
        "Report:        s3://bucket/results/team/articles/run-1/report.html",
        "Receipt:       s3://bucket/results/team/articles/run-1/receipt.json",
        "Run:           run-1",
        "",
        "In the AWS console:",
        f"Results:       {folder}=results/team/articles/run-1/",
        f"Failures:      {folder}=failures/team/articles/run-1/",
        f"Execution:     {console}/states/home?region=eu-central-1#/v2/executions/details/{ARN}",
    ]


def test_every_final_status_has_a_message_here() -> None:
    """The properties below are tested for every status."""
    assert {receipt.status for receipt in EVERY.values()} == {each for each in Status if STATUSES[each].is_final}


@pytest.mark.parametrize("name", EVERY)
def test_a_message_fits_its_window_counts_as_people_do_and_quotes_no_prompt(name: str) -> None:
    """All messages of this file are checked."""
    receipt = EVERY[name]
    notice = notice_of(receipt, Console.of(ARN))
    assert notice.subject.startswith("Conveyor: ")
    assert len(notice.subject) <= 99
    assert notice.subject.isascii()
    said = f"{notice.subject}\n{notice.message}"
    assert not re.search(r"(?<![\d,.])1 (?!(?:s|min|h|d|in|of|is|was)\b)\w+s\b", said)
    assert not re.search(r"\b(?:[02-9]|\d[\d,]*\d) (?:line|request|failure|fault|result|batch|call) ", said)
    assert "words of a prompt" not in said
    assert ".." not in notice.message
    long = [
        line
        for line in notice.message.splitlines()
        if len(line) > 78 and not line.startswith("  ") and "://" not in line
    ]
    assert long == []


@given(
    st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=512),
    st.sampled_from(sorted(EVERY)),
)
def test_a_long_name_is_cut_in_its_middle_and_the_figures_never(name: str, kind: str) -> None:
    """The end of a name often has the date, and the figures show whether to act."""
    receipt = EVERY[kind]
    _, _, figures = notice_of(receipt).subject.partition(receipt.name)
    subject = notice_of(replace(receipt, name=name)).subject
    assert len(subject) <= 99
    assert subject.endswith(figures)
    assert name in subject or (name[:5] in subject and f"{name[-5:]}{figures}" in subject and ".." in subject)


@given(st.dictionaries(st.sampled_from([f"type_{n}" for n in range(20)]), st.integers(1, 99_999), min_size=1))
def test_causes_are_sorted_and_at_most_five_and_add_up(errors: dict[str, int]) -> None:
    """Other causes are counted together."""
    rows = re.findall(r"^ +([\d,]+)  (\S+)", notice_of(ended(1, errors)).message, re.MULTILINE)
    named = [(int(count.replace(",", "")), name) for count, name in rows]
    first = [count for count, name in named if name != "of"]
    assert first == sorted(errors.values(), reverse=True)[:5]
    assert sum(count for count, _ in named) == sum(errors.values())


@pytest.mark.parametrize(
    ("tokens", "said"),
    [
        ({"a": "0.25"}, "It cost about $0.25 at Anthropic's batch price."),
        ({"a": "1234.5"}, "It cost about $1,234.50 at Anthropic's batch price."),
        ({"a": "0.0123"}, "It cost about $0.0123 at Anthropic's batch price."),
        ({"a": "0.00001"}, "It cost less than $0.0001 at Anthropic's batch price."),
        ({"a": "0.25", "b": None}, "It cost at least $0.25 at Anthropic's batch price; no price is known for b."),
        ({"b": None, "c": None}, "The cost is unknown: no price is known for b, c."),
        (dict.fromkeys("bcdefgh"), "no price is known for b, c, d, e, f and 2 more."),
        ({"": None}, "no price is known for a model without a name."),
    ],
)
def test_the_cost_is_stated_as_far_as_prices_are_known(tokens: dict[str, str | None], said: str) -> None:
    """Models without a price are named: a partial sum would be wrong, but "at least" is true."""
    costs = {model: None if price is None else Decimal(price) for model, price in tokens.items()}
    receipt = ended(1, tokens={model: Tokens(Usage(1, 1), cost) for model, cost in costs.items()})
    assert said in " ".join(notice_of(receipt).message.split())


def test_a_request_without_a_result_may_have_been_charged() -> None:
    """The message does not say that it was not charged."""
    assert "not charged" not in notice_of(ended(0, {"missing": 1}, outcomes={"missing": 1})).message


def test_skipping_invalid_lines_is_offered_only_if_valid_lines_remain() -> None:
    """A command that would send nothing is not offered."""
    assert "on-invalid=skip" in notice_of(EVERY["refused for its lines"]).message
    assert "on-invalid=skip" not in notice_of(EVERY["refused for its one line"]).message
    assert "the other 1 line only" in notice_of(invalid(3)).message


@pytest.mark.parametrize("name", EVERY)
def test_no_link_is_shown_where_no_console_is(name: str) -> None:
    """For example on a laptop, or where the account of a run is unknown."""
    local = Console.of(ARN, "http://localhost:4566")
    assert notice_of(EVERY[name], local) == notice_of(EVERY[name])
    assert "https://" not in notice_of(EVERY[name]).message


def test_a_receipt_of_an_earlier_version_has_a_message_too() -> None:
    """Missing fields are left out."""
    receipt = replace(EVERY["refused for its lines"], findings=None)
    message = notice_of(receipt).message
    assert "some lines are invalid" in message
    assert "2 faults are listed (1,880 lines were read)" in message
