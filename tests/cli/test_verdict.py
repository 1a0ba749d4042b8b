"""How a run has ended: one verdict for each ending, in words that are true."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from conveyor.domain.status import STATUSES, Status
from conveyor.ledger.failure_counts import ErrorKind
from conveyor.receipt.receipt import Receipt
from conveyor.spend.index_entry import IndexEntry
from conveyor.verdict.causes import causes_of, without_quotes
from conveyor.verdict.headline import headline_of
from conveyor.verdict.verdict import SETTLED
from conveyor.wording.marks import Mark
from conveyor_cli.exits import Exit
from conveyor_cli.verdict import end_by_entry, end_of
from tests.support.examples import RUN
from tests.support.receipts import EVERY

ENDS = {
    "all answered": (Mark.OK, Exit.DONE),
    "one answered": (Mark.OK, Exit.DONE),
    "some failed": (Mark.SOME_FAILED, Exit.SOME_FAILED),
    "one failed": (Mark.SOME_FAILED, Exit.SOME_FAILED),
    "some left out": (Mark.SOME_FAILED, Exit.SOME_FAILED),
    "nothing succeeded": (Mark.ERROR, Exit.NO_RESULTS),
    "the one request failed": (Mark.ERROR, Exit.NO_RESULTS),
    "refused half-way": (Mark.SOME_FAILED, Exit.SOME_FAILED),
    "refused half-way without a result": (Mark.ERROR, Exit.NO_RESULTS),
    "stopped half-way": (Mark.NOT_SENT, Exit.STOPPED),
    "declined half-way": (Mark.NOT_SENT, Exit.STOPPED),
    "declined with one answer": (Mark.NOT_SENT, Exit.STOPPED),
    "declined before it was sent": (Mark.NOT_SENT, Exit.STOPPED),
    "estimated": (Mark.OK, Exit.DONE),
    "estimated, one request without a bound": (Mark.OK, Exit.DONE),
    "stopped before it was sent": (Mark.NOT_SENT, Exit.STOPPED),
    "refused by the provider": (Mark.ERROR, Exit.NO_RESULTS),
    "refused without an answer": (Mark.ERROR, Exit.NO_RESULTS),
    "refused for its lines": (Mark.ERROR, Exit.NO_RESULTS),
    "refused for its one line": (Mark.ERROR, Exit.NO_RESULTS),
    "seen before": (Mark.ERROR, Exit.NO_RESULTS),
    "stuck": (Mark.ERROR, Exit.STUCK),
    "stuck and stopped": (Mark.ERROR, Exit.STUCK),
    "unbalanced": (Mark.ERROR, Exit.UNBALANCED),
}


@pytest.mark.parametrize("name", EVERY)
def test_each_ending_has_its_mark_and_exit_code(name: str) -> None:
    """The first sentences are those of the message, so that nobody reads two accounts of one run."""
    receipt, verdict = EVERY[name], end_of(EVERY[name])
    assert (verdict.mark, verdict.exit) == ENDS[name]
    told = f"{verdict.first}. {verdict.second}"
    assert told.startswith(f"{headline_of(receipt).first}.")
    assert verdict.as_json["exit"] == verdict.exit
    assert verdict.as_json["status"] == receipt.status


@pytest.mark.parametrize("name", EVERY)
def test_what_is_open_is_never_said_to_be_settled(name: str) -> None:
    """A batch without results may be charged later; of what was never sent, nothing can be."""
    verdict, receipt = end_of(EVERY[name]), EVERY[name]
    is_open = receipt.status in {Status.STUCK, Status.UNBALANCED} or receipt.unanswered > 0
    is_told = SETTLED in verdict.second or "nothing was charged" in verdict.second.lower()
    assert is_told is not is_open, verdict.second
    assert verdict.as_json["settled"] is not is_open


def with_missing(receipt: Receipt) -> Receipt:
    """Return the receipt of a run in whose results a request is missing."""
    return replace(receipt, outcomes=receipt.outcomes | {"missing": 1, "errored": receipt.failures - 1})


def with_duplicate(receipt: Receipt) -> Receipt:
    """Return the receipt of a run with a second batch of the same requests at the provider."""
    (batch,) = receipt.batches
    return replace(receipt, batches=[replace(batch, duplicates=["msgbatch_2"])])


@pytest.mark.parametrize(
    ("receipt", "says"),
    [
        (with_missing(EVERY["some failed"]), "1 request has no result: it may have been charged."),
        (with_duplicate(EVERY["all answered"]), "1 other batch has the same requests at the provider"),
        (replace(EVERY["all answered"], unanswered=2), "2 create requests got no response"),
    ],
    ids=["missing", "duplicate", "unanswered"],
)
def test_what_may_be_charged_is_named(receipt: Receipt, says: str) -> None:
    """Instead of the sentence that nothing is."""
    verdict = end_of(receipt)
    assert says in verdict.second
    assert SETTLED not in verdict.second


def test_some_failed_in_full() -> None:
    """What was measured, why, and what to do, with the price."""
    receipt = replace(
        EVERY["some failed"],
        stop_reasons={"claude-haiku-4-5": {"end_turn": 38_208, "max_tokens": 1_204}},
        forecast_usd=Decimal("61.40"),
        errors={
            "invalid_request_error": ErrorKind(
                450, {"text content blocks must be non-empty": 412, "`temperature` is deprecated": 38}
            ),
            "overloaded_error": ErrorKind(121, {"Overloaded": 121}),
            "api_error": ErrorKind(17),
        },
    )
    verdict = end_of(receipt)
    assert [tuple(check)[1:4] for check in verdict.checks] == [
        ("every line once", "40,000", "39,412 results + 588 failures"),
        ("all answered", "588", "failed, 1.5%"),
        ("answers complete", "1,204", "were cut off at max_tokens, 3.1%"),
        ("cost", "$59.80", "forecast $61.40"),
    ]
    assert [check.mark for check in verdict.checks] == [Mark.OK, Mark.ERROR, Mark.LOOK, Mark.OK]
    assert [tuple(cause) for cause in verdict.causes] == [
        ("invalid_request_error", "text content blocks must be non-empty", 412, False),
        ("overloaded_error", "Overloaded", 121, True),
        ("invalid_request_error", "`temperature` is deprecated", 38, False),
        ("api_error", "the provider had an internal error", 17, True),
    ]
    assert [tuple(step) for step in verdict.steps] == [
        ("Send again the 138 lines that are worth it, about $0.21", f"conveyor drop --retry {RUN.name}"),
        ("Get the files", f"conveyor fetch {RUN.name}"),
    ]


def test_a_cut_off_answer_is_looked_at_but_is_no_failure() -> None:
    """The exit code stays 0."""
    receipt = replace(EVERY["all answered"], stop_reasons={"m": {"max_tokens": 3, "end_turn": 39_997}})
    verdict = end_of(receipt)
    assert verdict.exit is Exit.DONE
    assert next(check for check in verdict.checks if check.name == "answers complete").value == "3"
    assert verdict.as_json["cut_off"] == 3


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('value "my secret prompt" is too long', "value ... is too long"),
        ("field `temperature` is deprecated", "field `temperature` is deprecated"),
        ("'a b' and 'open end", "... and ..."),
        ("it isn't so", "it isn't so"),
        ("x" * 200, "x" * 97 + "..."),
    ],
)
def test_what_a_provider_quotes_is_not_shown(text: str, shown: str) -> None:
    """It may be of a prompt; the name of a field is not."""
    assert without_quotes(text) == shown


def test_causes_that_differ_only_in_quotes_are_one() -> None:
    """Their lines add up."""
    receipt = replace(EVERY["some failed"], errors={"x_error": ErrorKind(5, {'no "a b"': 2, 'no "c d"': 3})})
    (cause,) = causes_of(receipt)
    assert (cause.words, cause.lines) == ("no ...", 5)


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("refused for its lines", f"conveyor drop --again {RUN.name} --on-invalid skip"),
        ("seen before", f"conveyor drop --again {RUN.name}"),
        ("stopped before it was sent", f"conveyor drop --again {RUN.name}"),
        ("stopped half-way", f"conveyor drop --retry {RUN.name}"),
        ("refused half-way", f"conveyor drop --retry {RUN.name}"),
        ("unbalanced", f"aws s3 sync s3://{RUN.drop.bucket}/runs/{RUN.run}/ ledger-{RUN.run}"),
    ],
)
def test_what_to_do(name: str, command: str) -> None:
    """The first command is the one that a person needs."""
    assert next(step.command for step in end_of(EVERY[name]).steps if step.command) == command


def test_lines_of_a_batch_without_results_are_not_sent_again_lightly() -> None:
    """They may have been paid for."""
    steps = end_of(EVERY["stuck"]).steps
    assert steps[0].words.startswith("Ask the provider about its batches")
    assert not any("--retry" in str(step.command) for step in steps)


def test_faults_of_a_refused_drop_are_shown() -> None:
    """By line."""
    verdict = end_of(EVERY["refused for its lines"])
    assert [(fault.line, fault.code) for fault in verdict.faults] == [(3, "custom-id-duplicate"), (5, "field-refused")]
    assert verdict.as_json["faults"][0]["line"] == 3


def test_without_the_receipt_the_index_tells() -> None:
    """With the same exit code, and why there is no more."""
    for status in (each for each, about in STATUSES.items() if about.is_final):
        entry = IndexEntry("legal", RUN.run, status, 10, 7, 3, Decimal("1.5"))
        verdict = end_by_entry(entry, "three")
        assert verdict.first.startswith("three has ended: ")
        assert (
            "7 of 10 requests have an answer, 3 failed; its cost is $1.50. Its receipt cannot be read" in verdict.second
        )
        assert verdict.as_json["status"] == status
        assert verdict.exit != 0 or status is Status.ESTIMATED
