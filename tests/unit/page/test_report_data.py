"""The data of a report: what adds up, what is bounded, and what is left out."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest
from msgspec.structs import replace

from conveyor.domain.status import Status
from conveyor.ledger.failure_counts import ErrorKind, Example
from conveyor.page.answers import class_end
from conveyor.page.batches import MOST_CELLS, MOST_ROWS, ORDER, state_of
from conveyor.page.data import Report, report_of
from conveyor.page.outcomes import MOST_CAUSES
from conveyor.page.timeline import COLUMNS, MOST_BARS, SLOWEST
from conveyor.receipt.batch_account import BatchAccount
from conveyor.receipt.receipt import Receipt
from conveyor.report.message import notice_of
from tests.support.page_html import PAGES, receipt_of
from tests.support.page_samples.samples import sample

FAILURES = sample("failures")
NOTHING_SENT = [
    "estimated",
    "estimated, one request without a bound",
    "refused by the provider",
    "refused without an answer",
    "refused for its lines",
    "refused for its one line",
    "seen before",
    "refused",
    "seen-before",
    "wrong-file",
    "hostile-faults",
    "fault-of-all",
]
every_receipt = pytest.mark.parametrize("name", [name for name in PAGES if not name.startswith("hostile")])


@pytest.mark.parametrize("name", [name for name in PAGES if "hostile" not in name and name != "unseen"])
def test_the_page_says_what_to_do_in_the_words_of_the_message(name: str) -> None:
    """Its commands name the run by its id, too: a name may mean a newer run when the page is read."""
    steps = [(step.words, step.command) for step in report_of(receipt_of(name)).steps]
    assert steps == [(step.words, step.command) for step in notice_of(receipt_of(name)).data.steps]


@every_receipt
def test_outcomes_add_up_to_the_drop(name: str) -> None:
    """Each request is in one row."""
    receipt, report = receipt_of(name), report_of(receipt_of(name))
    if report.outcomes:
        assert sum(row.requests for row in report.outcomes) == receipt.results + receipt.failures + receipt.not_run


@every_receipt
def test_causes_add_up_to_the_failures(name: str) -> None:
    """Each failure has a cause."""
    report = report_of(receipt_of(name))
    assert sum(cause.lines for cause in report.causes) + report.other_causes.lines == report.failures


@pytest.mark.parametrize("name", PAGES)
def test_programs_can_read_it(name: str) -> None:
    """What is written as JSON is read back as the same."""
    if "hostile" not in name and name != "unseen":  # a lone surrogate is no JSON
        data = msgspec.json.encode(report_of(receipt_of(name)))
        assert msgspec.json.decode(data, type=Report) == report_of(receipt_of(name))


def test_all_runs_that_sent_nothing_are_known() -> None:
    """Each of them is in the next test."""
    found = [name for name in PAGES if receipt_of(name).status in {Status.REFUSED, Status.ESTIMATED}]
    assert found == NOTHING_SENT


@pytest.mark.parametrize("name", NOTHING_SENT)
def test_a_run_that_sent_nothing_has_no_blocks_about_what_was_sent(name: str) -> None:
    """What does not apply disappears."""
    report = report_of(receipt_of(name))
    assert not report.outcomes
    assert not report.causes
    assert (report.answers, report.timeline, report.batches) == (None, None, None)
    assert report.steps


def test_a_refused_run_names_its_lines() -> None:
    """With their faults, and how many there are of each kind."""
    faults = report_of(sample("refused")).faults
    assert faults is not None
    assert [fault.line for fault in faults.first] == [3, 5, 1204]
    assert faults.codes == {"custom-id-duplicate": 1, "field-refused": 1, "max-tokens": 1}


def test_money_is_by_kind_and_model_and_only_what_is_known() -> None:
    """A kind that nobody used has no row; forecasts by model are there if all models have one."""
    money = report_of(sample("good")).money
    assert money is not None
    assert money.kinds == ["input", "cache_write_1h", "cache_read", "output"]
    assert [(each.model, each.forecast_usd) for each in money.models] == [
        ("claude-haiku-4-5", Decimal("49.12")),
        ("claude-sonnet-5", Decimal("12.28")),
    ]
    assert (money.approved_usd, money.hold_above_usd) == (Decimal("177.90"), Decimal(100))
    without = report_of(sample("unpriced")).money
    assert without is not None
    assert without.is_lower_bound
    assert [each.usd for each in without.models] == [Decimal("0.686104"), None]


def test_causes_have_the_examples_of_their_words() -> None:
    """Those of one kind of failure are not shown for another, and three at most."""
    first, *_ = report_of(FAILURES).causes
    assert (first.lines, [each.line for each in first.examples]) == (412, [1204, 9871, 33_015])
    words = {f"field '{number}' is a prompt": 1 for number in range(9)}
    examples = {text: [Example(at, "id", text)] for at, text in enumerate(words)}
    one = report_of(replace(FAILURES, failures=9, errors={"api_error": ErrorKind(9, words, examples)}))
    assert [[each.line for each in cause.examples] for cause in one.causes] == [[0, 4, 8]]


def test_a_waiting_line_begins_when_the_leg_could_be_sent() -> None:
    """The sample: at once; all lines: after the sample was answered; a round: when it began."""
    line = report_of(FAILURES).timeline
    assert line is not None
    assert FAILURES.probe is not None
    begin = [FAILURES.received_at, FAILURES.probe.answered_at, FAILURES.rounds[0].began_at]
    assert [bar.could_begin_at for bar in line.bars] == [begin[0], *[begin[1]] * 3, *[begin[2]] * 3]
    assert line.bars[1].with_provider == timedelta(minutes=41, seconds=13)


def test_what_a_receipt_does_not_know_is_not_drawn() -> None:
    """Receipts of earlier versions do not say when a batch had ended, or what became of its requests."""
    old = replace(
        FAILURES,
        batches=[replace(batch(1), ended_at=None, results=0)],
        probe=None,
        rounds=[],
        lengths={},
        settings=[],
    )
    report = report_of(old)
    assert report.timeline is not None
    assert report.batches is not None
    assert [bar.with_provider for bar in report.timeline.bars] == [None]
    assert not report.batches.has_counts
    assert report.answers is not None
    assert not report.answers.lengths


def test_a_batch_that_was_never_sent_has_a_cell() -> None:
    """It is in the grid, and not in the table, which has ids."""
    batches = report_of(replace(FAILURES, planned_batches=5)).batches
    assert batches is not None
    assert [row.cells for row in batches.grid] == ["o", "sssnn", "sss"]
    assert batches.states == {"o": 1, "s": 6, "n": 2}
    assert batches.batches == 7


@pytest.mark.parametrize(("counts", "state"), [((5, 0, 0), "o"), ((5, 0, 1), "h"), ((5, 1, 1), "s"), ((0, 1, 0), "x")])
def test_a_batch_has_the_state_of_what_became_of_its_requests(counts: tuple[int, int, int], state: str) -> None:
    """Answers, failures, and requests that went into a round."""
    results, failures, again = counts
    assert state_of(replace(batch(1), results=results, failures=failures, sent_again=again)) == state


def batch(number: int, failures: int = 0) -> BatchAccount:
    """Return a batch of 9 requests that the provider had for five minutes, one minute after the one before."""
    sent = FAILURES.received_at + timedelta(minutes=number)
    ended, counts = sent + timedelta(minutes=5), {"results": 9 - failures, "failures": failures, "sent_again": 0}
    return replace(
        FAILURES.batches[0], number=number, requests=9, created_at=sent, ended_at=ended,
        split_at=ended + timedelta(minutes=1), **counts,
    )  # fmt: skip


def many(batches: int, failed: Callable[[int], bool]) -> Receipt:
    """Return the receipt of a run of many batches, some of which have failures."""
    found = [batch(number, failed(number)) for number in range(1, batches + 1)]
    return replace(FAILURES, batches=found, planned_batches=batches, rounds=[], probe=None)


def test_a_cell_of_a_very_large_grid_shows_the_worst_of_its_batches() -> None:
    """One batch with failures among 10,000 can be seen."""
    found = report_of(many(10_000, lambda number: number == 5_000)).batches
    assert found is not None
    (row,) = found.grid
    assert (row.batches_a_cell, row.batches, len(row.cells)) == (3, 10_000, 3334)
    assert len(row.cells) <= MOST_CELLS
    assert row.cells.index("s") == 4_999 // 3
    assert row.cells.count("o") == 3333
    assert set(row.cells) <= set(ORDER)


def test_a_long_table_has_the_batches_with_most_failures() -> None:
    """Fifty of them; a short one has all in their order."""
    found = report_of(many(60, lambda number: number > 55)).batches
    assert found is not None
    assert [row.number for row in found.rows[:6]] == [56, 57, 58, 59, 60, 1]
    assert (len(found.rows), found.batches) == (MOST_ROWS, 60)


def test_a_long_time_line_says_how_many_batches_were_with_the_provider() -> None:
    """And names the slowest; up to 24 batches have a bar each."""
    line = report_of(many(MOST_BARS + 1, lambda _: False)).timeline
    assert line is not None
    assert (len(line.load), len(line.bars), line.batches) == (COLUMNS, SLOWEST, MOST_BARS + 1)
    assert max(line.load) in {6, 7}, "each was there for five minutes, and one was sent each minute"
    short = report_of(many(MOST_BARS, lambda _: False)).timeline
    assert short is not None
    assert (len(short.load), len(short.bars)) == (0, MOST_BARS)


def test_the_largest_run_is_bounded_in_all_its_parts() -> None:
    """3,000 batches, 100 models, 55 causes."""
    report = report_of(sample("hostile-large"))
    assert (len(report.causes), report.other_causes.causes) == (MOST_CAUSES, 35)
    assert report.money is not None
    assert (len(report.money.models), report.money.models[-1].models) == (21, 80)
    assert report.answers is not None
    assert [row.models for row in report.answers.lengths] == [1, 1, 1, 1, 96]
    assert not report.answers.models
    assert report.batches is not None
    assert len(report.batches.grid[0].cells) == 3000


def test_quantiles_are_ends_of_classes() -> None:
    """A class is known, and not the tokens of one answer."""
    assert report_of(FAILURES).answers is not None
    assert [class_end(least) for least in (0, 32, 2016, 2048, 4096)] == [31, 63, 2047, 4095, 8191]
