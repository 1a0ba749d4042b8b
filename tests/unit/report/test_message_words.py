"""Messages about ended runs: the exact text of some, and properties of all."""

import re
from decimal import Decimal
from textwrap import dedent

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from conveyor.domain.status import STATUSES, Status
from conveyor.ledger.failure_counts import ErrorKind
from conveyor.ledger.part import Tokens
from conveyor.money.usage import Usage
from conveyor.report.message import notice_of
from conveyor.verdict.verdict import verdict_of
from conveyor.wording.console import Console
from conveyor.wording.notice import Notice
from tests.support.receipts import EVERY, ended, invalid

ARN = "arn:aws:states:eu-central-1:111122223333:execution:conveyor-run:run-1"
RETRY = (
    "s3://bucket/failures/team/articles/run-1/retry.jsonl",
    "s3://bucket/inbox/team/articles-retry.jsonl",
)


def above_places(notice: Notice) -> str:
    """Return the subject and the text above bounds, tokens and places; other tests cover what AWS CLI does."""
    places = re.split(r"\n\n(?:At most|Tokens|Results|Receipt|Faults|Drop):", notice.message)
    return f"{notice.subject}\n\n{places[0]}\n"


SAID = {
    "all answered": """\
        Conveyor: done team/articles (all 40,000 answered, $59.80)

        All 40,000 requests of team/articles were answered. It took 3 h 46 min and
        cost $59.80. Nothing is running, and nothing more is charged.

        Get the files:

            conveyor fetch run-1

          answered  40,000
          failed         0
        """,
    "one answered": """\
        Conveyor: done team/articles (1 answered, $59.80)

        The 1 request of team/articles was answered. It took 3 h 46 min and cost
        $59.80. Nothing is running, and nothing more is charged.

        Get the files:

            conveyor fetch run-1

          answered  1
          failed    0
        """,
    "some failed": """\
        Conveyor: done team/articles (39,412 answered, 588 failed, $59.80)

        39,412 of 40,000 requests of team/articles were answered. 588 failed. It took
        3 h 46 min and cost $59.80. Nothing is running, and nothing more is charged.

        Send again the 138 lines that are worth it, about $0.21:

            conveyor drop --retry run-1

        Get the files:

            conveyor fetch run-1

        The other 450 failures need a change in the file: the report shows examples.

          answered  39,412   98.5%
          failed       588   1.5%
                       450   invalid_request_error: the provider does not accept the request
                       121   overloaded_error: the provider was overloaded; worth sending again
                        17   api_error: the provider had an internal error; worth sending again
        """,
    "nothing succeeded": """\
        Conveyor: failed team/articles (0 of 300 answered, $0.00)

        None of the 300 requests of team/articles was answered. It took 3 h 46 min.
        Nothing was charged, and nothing is running.

        Correct the file, and drop it again.

        Get the files:

            conveyor fetch run-1

        300 failures need a change in the file: the report shows examples.

          answered    0   0.0%
          failed    300   100.0%
                    300   not_found_error: the model, or something else that they name, does not exist
        """,
    "refused half-way": """\
        Conveyor: done team/articles (3 answered, 5 not, refused half-way, $59.80)

        team/articles was refused half-way: 3 of 8 requests were answered. Why: the
        account has no credit left, or its billing is not in order (HTTP 402
        billing_error). It took 3 h 46 min and cost $59.80. Nothing is running, and
        nothing more is charged.

        Add credit to the account, or fix its billing, at the provider first.

        Send again the 5 lines that are worth it, about $99.67:

            conveyor drop --retry run-1

        Get the files:

            conveyor fetch run-1

          answered  3   37.5%
          failed    5   62.5%
                    4   never_sent: the run ended before they were sent; worth sending again
                    1   overloaded_error: the provider was overloaded; worth sending again
        """,
    "stopped half-way": """\
        Conveyor: stopped team/articles (3 answered, 5 not, $59.80)

        team/articles was stopped after 3 h 46 min: 3 of 8 requests were answered. It
        cost $59.80. Nothing is running, and nothing more is charged.

        Send again the 5 lines that are worth it, about $99.67:

            conveyor drop --retry run-1

        Get the files:

            conveyor fetch run-1

          answered  3   37.5%
          failed    5   62.5%
                    5   canceled: the batch was cancelled before they were processed; worth sending again
        """,
    "stopped before it was sent": """\
        Conveyor: stopped team/articles (nothing was sent)

        team/articles was stopped before anything was sent. Nothing is running, and
        nothing was charged.

        Run it after all:

            conveyor drop --again run-1
        """,
    "refused for its lines": """\
        Conveyor: refused team/articles (2 of 1,880 lines are invalid)

        team/articles was refused: 2 of 1,880 lines are invalid. Nothing was sent, and
        nothing was charged.

        Correct these lines, and drop the file again.

        Send the other 1,878 lines:

            conveyor drop --again run-1 --on-invalid skip

          line 3: "custom_id" is already used on line 1 (custom-id-duplicate)
          line 5: "params.stream": remove it (field-refused)

        By code: 1 custom-id-duplicate, 1 field-refused.

        2 faults are listed (1,880 lines were read), each with its line, a code and
        what to do, in the file of faults.
        """,
    "stuck": """\
        Conveyor: stuck team/articles (no results for 14,996 of 40,000 requests, $59.80)

        There are no results for 14,996 of 40,000 requests of team/articles. They may
        have been charged. The run took 3 h 46 min and cost $59.80.

        Ask the provider about its batches before you send their lines again: you may
        pay twice.

        Get the files:

            conveyor fetch run-1

        Why: it has not ended 6 hours after it was cancelled (batch msgbatch_1).

        The lines without results are the failures with the outcome "stuck", and are
        not in retry.jsonl.

          answered  24,880   62.2%
          failed    15,120   37.8%
                    14,996   stuck: there are no results for their batch
                       124   api_error: the provider had an internal error
        """,
}


@pytest.mark.parametrize("name", SAID)
def test_a_message_says_what_happened_then_what_it_cost_and_why_and_what_to_do(name: str) -> None:
    """The text is compared word for word."""
    assert above_places(notice_of(EVERY[name])) == dedent(SAID[name])


def test_one_link_can_be_clicked_and_all_other_places_are_named() -> None:
    """S3 addresses are for commands, the link for people; it asks for a login."""
    message = notice_of(EVERY["some failed"], Console.of(ARN)).message
    _, _, places = message.partition("\n\nTokens:")
    report = "s3/object/bucket?region=eu-central-1&prefix=results/team/articles/run-1/report.html"
    assert places.partition("\n\nWithout")[0].splitlines() == [
        "        1,234,567 in, 89,012 out (claude-haiku-4-5)",
        "Results:       s3://bucket/results/team/articles/run-1/results.jsonl",
        "Failures:      s3://bucket/failures/team/articles/run-1/failures.jsonl",
        "To send again: s3://bucket/failures/team/articles/run-1/retry.jsonl",
        "Receipt:       s3://bucket/results/team/articles/run-1/receipt.json",
        "",
        "Report:",
        f"https://eu-central-1.console.aws.amazon.com/{report}",
    ]
    assert message.count("https://") == 1
    assert message.endswith("\n\n-- \nProject default, run run-1, stack conveyor")


@pytest.mark.parametrize("name", EVERY)
def test_a_message_begins_with_the_verdict_and_says_the_same_to_programs(name: str) -> None:
    """The command and the page show the same sentences, made in one place."""
    receipt, notice = EVERY[name], notice_of(EVERY[name], Console.of(ARN))
    verdict = verdict_of(receipt, receipt.run)
    said, _, _ = notice.message.partition("\n\n")
    assert " ".join(said.split()) == f"{verdict.first}. {verdict.second}"
    assert (notice.data.first, notice.data.second) == (f"{verdict.first}.", verdict.second)
    assert [(each.words, each.command) for each in notice.data.steps] == [tuple(step) for step in verdict.steps]
    assert (notice.data.subject, notice.data.status) == (notice.subject, receipt.status)
    assert all(step.command in notice.message for step in verdict.steps if step.command)


@pytest.mark.parametrize("name", EVERY)
def test_no_word_of_the_provider_or_of_a_prompt_is_in_what_programs_get(name: str) -> None:
    """They may forward it to where nobody may read prompts."""
    kinds = {
        kind: ErrorKind(each.failures, {"quoted words": each.failures}) for kind, each in EVERY[name].errors.items()
    }
    receipt = replace(EVERY[name], errors=kinds, words=EVERY[name].words and "quoted words")
    notice = notice_of(receipt, Console.of(ARN))
    assert "quoted words" not in msgspec.json.encode(notice.data).decode()
    assert "quoted words" not in notice.message
    assert sum(cause.lines for cause in notice.data.causes) == sum(kind.failures for kind in kinds.values())


def test_answers_that_were_cut_off_are_named_first() -> None:
    """They are paid for, and of no use."""
    stops = {"claude-haiku-4-5": {"end_turn": 38_208, "max_tokens": 1_204}}
    receipt = replace(EVERY["some failed"], stop_reasons=stops, forecast_usd=Decimal("61.40"), at_most_usd=Decimal(212))
    notice = notice_of(receipt)
    said = " ".join(notice.message.split())
    assert said.startswith(
        "39,412 of 40,000 requests of team/articles were answered. 588 failed, and 1,204 answers were cut off. It took "
        "3 h 46 min and cost $59.80 (forecast $61.40, at most $212.00). Nothing is running,"
    )
    assert notice.data.cut_off == 1_204
    assert "cut off    1,204   of them reached max_tokens" in notice.message


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
    rows = re.findall(r"^ {10,}([\d,]+)   (\S+)", notice_of(ended(1, errors)).message, re.MULTILINE)
    named = [(int(count.replace(",", "")), name) for count, name in rows]
    first = [count for count, name in named if name != "of"]
    assert first == sorted(errors.values(), reverse=True)[:5]
    assert sum(count for count, _ in named) == sum(errors.values())


@pytest.mark.parametrize(
    ("tokens", "said"),
    [
        ({"a": "0.25"}, "It took 3 h 46 min and cost $0.25. Nothing"),
        ({"a": "1234.5"}, "and cost $1,234.50. Nothing"),
        ({"a": "0.0123"}, "and cost $0.0123. Nothing"),
        ({"a": "0.00001"}, "and cost less than $0.0001. Nothing"),
        ({"a": "0.25", "b": None}, "and cost at least $0.25; no price is known for b."),
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
    """For example on a laptop: there the place of the report is named, and the stack all the same."""
    notice = notice_of(EVERY[name], Console.of(ARN, "https://localhost"))
    assert "https://" not in notice.message
    place = "s3://bucket/results/team/articles/run-1/report.html"
    assert f"Report:\n{place}\n\n    conveyor report run-1\n" in notice.message
    without = notice_of(EVERY[name], Console.of(ARN, "https://localhost"), has_page=False)
    assert "report.html" not in without.message
    assert "report" not in without.data.files
    assert "Receipt:\ns3://bucket/results/team/articles/run-1/receipt.json\n" in without.message
    assert (notice.data.link, notice.data.stack) == (None, "conveyor")


def test_a_receipt_of_an_earlier_version_has_a_message_too() -> None:
    """Missing fields are left out."""
    receipt = replace(EVERY["refused for its lines"], findings=None)
    message = notice_of(receipt).message
    assert "some lines are invalid" in message
    assert "2 faults are listed (1,880 lines were read)" in message
