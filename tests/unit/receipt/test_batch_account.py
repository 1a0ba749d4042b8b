"""The probe and the forecast of a run in its receipt and its final message."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from conveyor.domain.plan import Batch, Plan, Probe, ProbeLine, ValidatedDrop
from conveyor.ledger.batch_facts import Stuck, Submitted
from conveyor.ledger.gate_facts import Gate, Reason, ReasonCode
from conveyor.ledger.part import Part, Tokens
from conveyor.money.forecast import Forecast
from conveyor.money.usage import Usage
from conveyor.receipt.account import completed_receipt, refused_receipt
from conveyor.receipt.batch_account import SplitBatch, account_of_probe, probe_rows, reasons_after_probe
from conveyor.receipt.gate_account import last_forecast
from conveyor.report.message import notice_of
from conveyor.verdict.headline import is_unsent
from tests.support.examples import NOW, RUN
from tests.support.promises import plain
from tests.support.receipts import DECLINED, ended

LATER = NOW + timedelta(minutes=4)
LINES = [ProbeLine(line, "m", 9) for line in range(1, 51)]
PROBE = Probe(LINES, [Batch(1, 1, 0, requests=30), Batch(2, 31, 9, requests=20)], "f00", Decimal("0.62"))
FORECAST = Forecast(Decimal("41.2"), Decimal("38.1"), Decimal("44.9"))


def split(number: int, succeeded: int, errored: int, dollars: str | None = "0.1", **more: Any) -> SplitBatch:
    """Return a batch of the probe that is split."""
    outcomes = {"succeeded": succeeded, "errored": errored, "expired": 0}
    tokens = {"m": Tokens(Usage(9, 9), Decimal(dollars) if dollars else None)} if succeeded else {}
    part = Part("w", LATER, outcomes, errored, 1, 0, tokens, [], NOW)
    sent = Submitted("w", NOW, f"msgbatch_{number}", NOW, NOW, adopted=number == 2)
    return SplitBatch(PROBE.batches[number - 1], sent, part, set())._replace(**more)


WHOLE = [split(1, 22, 8), split(2, 10, 10)]


def test_the_account_of_a_probe_adds_up_its_batches() -> None:
    """With their ids and moments."""
    found = account_of_probe(PROBE, WHOLE, {})
    assert (found.requests, found.outcomes) == (50, {"succeeded": 32, "errored": 18})
    assert (found.cost_usd, found.at_most_usd) == (Decimal("0.2"), Decimal("0.62"))
    batches = [(each.id, each.requests, each.adopted, each.foreign) for each in found.batches]
    assert batches == [("msgbatch_1", 30, False, 1), ("msgbatch_2", 20, True, 1)]
    assert found.answered_at == LATER


def test_a_probe_that_is_not_answered_whole_has_no_moment_of_its_answer() -> None:
    """The run was stopped meanwhile, or its rest was sent without it."""
    assert account_of_probe(PROBE, WHOLE[:1], {}).answered_at is None
    never = account_of_probe(PROBE, [split(1, 0, 0, submitted=None), split(2, 0, 0, submitted=None)], {})
    assert (never.batches, never.outcomes, never.cost_usd) == ([], {}, Decimal(0))


def test_a_model_without_a_price_leaves_the_cost_of_the_probe_unknown() -> None:
    """It is not called nothing."""
    assert account_of_probe(PROBE, [split(1, 30, 0, None), split(2, 0, 20)], {}).cost_usd is None


def test_results_that_could_not_be_had_may_have_been_billed() -> None:
    """A probe that was given up has not cost nothing, and one with missing results has cost at least the others."""
    stuck = split(1, 0, 0)
    stuck = stuck._replace(part=replace(stuck.part, outcomes={"stuck": 30}))
    alone, beside = account_of_probe(PROBE, [stuck], {}), account_of_probe(PROBE, [stuck, split(2, 20, 0)], {})
    assert (alone.cost_usd, beside.cost_usd) == (None, Decimal("0.1"))
    assert probe_rows(alone) == [("Probe", "50 requests: 0 answered, 30 stuck, cost not known")]
    assert probe_rows(beside) == [("Probe", "50 requests: 20 answered, 30 stuck, at least $0.10")]


def test_the_reasons_of_the_probe_are_those_of_the_first_gate_after_it() -> None:
    """A pause before it or after it has others."""
    reasons = [Reason(ReasonCode.PROBE_FAILED, "why")]
    paused = Gate("w", NOW, open=False, reasons=[Reason(ReasonCode.PAUSED, "why")])
    after = Gate("w", LATER, open=False, reasons=reasons, after_probe=True)
    assert reasons_after_probe([paused, after, replace(paused, after_probe=True)]) == reasons
    assert reasons_after_probe([paused]) == []
    silent = replace(after, reasons=[], open=True, unanswered=True)
    assert reasons_after_probe([silent]) == []
    assert reasons_after_probe([silent, after]) == reasons


def test_the_probe_has_an_account_of_its_own_and_counts_in_the_sums() -> None:
    """Its outcomes and its cost are the run's; its batches are not among those of the drop."""
    drop = ValidatedDrop(60, "f00", probe=PROBE)
    rest = Batch(1, 1, 0, requests=10, last_line=60)
    part = Part("w", LATER, {"succeeded": 10}, 0, 0, 0, {"m": Tokens(Usage(9, 9), Decimal(1))}, [], NOW)
    done = SplitBatch(rest, Submitted("w", NOW, "msgbatch_9", NOW, NOW), part, set())
    receipt = completed_receipt(RUN, Plan(drop, [rest]), [done], 0, None, WHOLE)
    assert (receipt.results, receipt.failures, receipt.cost_usd) == (42, 18, Decimal("1.2"))
    assert [batch.id for batch in receipt.batches] == ["msgbatch_9"]
    assert [batch.id for batch in receipt.all_batches] == ["msgbatch_1", "msgbatch_2", "msgbatch_9"]
    assert receipt.probe == account_of_probe(PROBE, WHOLE, {})


def test_a_probe_that_was_given_up_or_never_sent_is_told_like_any_batch() -> None:
    """It may have been charged."""
    drop, stuck = ValidatedDrop(50, "f00", probe=PROBE), Stuck("w", NOW, "it did not end")
    given_up = completed_receipt(RUN, Plan(drop, []), [], 0, None, [split(1, 0, 30, stuck=stuck), WHOLE[1]])
    assert given_up.given_up == ["it did not end (batch msgbatch_1)"]
    never = completed_receipt(RUN, Plan(drop, []), [], 0, DECLINED, [split(1, 0, 30, submitted=None), WHOLE[1]])
    assert never.never_sent == 30


def test_the_final_message_has_the_forecast_beside_the_bound_and_the_cost() -> None:
    """A person sees how good it was."""
    receipt = replace(ended(40_000), forecast=FORECAST, probe=account_of_probe(PROBE, WHOLE, {}))
    message = notice_of(receipt).message
    assert "Forecast:      about $41.20 (between $38.10 and $44.90)" in message
    assert "Probe:         50 requests: 32 answered, 18 errored, $0.20" in message


def test_a30_after_a_probe_no_message_says_that_nothing_was_charged() -> None:
    """A30: its answers were paid for."""
    receipt = refused_receipt(RUN, DECLINED, 0)
    assert "nothing was charged" in plain(notice_of(receipt).message)
    after = replace(receipt, probe=account_of_probe(PROBE, WHOLE, {}))
    assert not is_unsent(after)
    assert "nothing was charged" not in plain(notice_of(after).message)
    assert is_unsent(replace(receipt, probe=account_of_probe(PROBE, [], {})))


def test_the_forecast_of_a_run_is_that_of_its_last_gate_that_has_one() -> None:
    """A pause has none."""
    first, second, paused = (
        Gate("w", NOW, open=True, forecast=None),
        Gate("w", NOW, open=False, forecast=FORECAST),
        Gate("w", NOW, open=False),
    )
    assert last_forecast({1: first, 3: paused, 2: second}) == FORECAST
    assert last_forecast({1: first}) is None
