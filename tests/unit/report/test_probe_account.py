"""The probe and the forecast of a run in its receipt and its final message."""

from datetime import timedelta
from decimal import Decimal

from msgspec.structs import replace

from conveyor.domain.plan import Batch, Probe, ProbeLine
from conveyor.ledger.batch_facts import Submitted
from conveyor.ledger.gate_facts import Gate, Reason, ReasonCode
from conveyor.ledger.part import Part, Tokens
from conveyor.money.forecast import Forecast
from conveyor.money.usage import Usage
from conveyor.report.gate_account import last_forecast
from conveyor.report.headline import is_unsent
from conveyor.report.message import notice_of
from conveyor.report.probe_account import ProbeAccount, account_of_probe
from conveyor.report.receipt import refused_receipt
from tests.support.examples import NOW, RUN
from tests.support.promises import plain
from tests.support.receipts import DECLINED, ended

LATER = NOW + timedelta(minutes=4)
LINES = [ProbeLine(line, "m", 9) for line in range(1, 51)]
PROBE = Probe(LINES, [Batch(1, 1, 0, requests=30), Batch(2, 31, 9, requests=20)], "f00", Decimal("0.62"))
FORECAST = Forecast(Decimal("41.2"), Decimal("38.1"), Decimal("44.9"))


def sent(number: int) -> Submitted:
    """Return the fact that a batch of the probe was created."""
    return Submitted("w", NOW, f"msgbatch_{number}", NOW, NOW, adopted=number == 2)


def part(succeeded: int, errored: int, dollars: str | None = "0.1") -> Part:
    """Return the account of a batch of the probe."""
    outcomes = {"succeeded": succeeded, "errored": errored, "expired": 0}
    tokens = {"m": Tokens(Usage(9, 9), Decimal(dollars) if dollars else None)} if succeeded else {}
    return Part("w", LATER, outcomes, errored, 0, 0, tokens, [], NOW)


def account(*facts: tuple[Submitted | None, Part | None]) -> ProbeAccount:
    """Return the account of the probe, whose gate was closed."""
    reasons = [Reason(ReasonCode.PROBE_FAILED, "why")]
    return account_of_probe(PROBE, facts, Gate("w", LATER, open=False, reasons=reasons, after_probe=True))


def test_the_account_of_a_probe_adds_up_its_batches() -> None:
    """With their ids and moments, and the reasons that it gave to wait."""
    found = account((sent(1), part(22, 8)), (sent(2), part(10, 10)))
    assert (found.requests, found.outcomes) == (50, {"succeeded": 32, "errored": 18})
    assert (found.cost_usd, found.at_most_usd) == (Decimal("0.2"), Decimal("0.62"))
    assert [(each.id, each.requests, each.adopted) for each in found.batches] == [
        ("msgbatch_1", 30, False),
        ("msgbatch_2", 20, True),
    ]
    assert found.answered_at == LATER
    assert [reason.code for reason in found.reasons] == [ReasonCode.PROBE_FAILED]


def test_a_probe_that_is_not_answered_whole_has_no_moment_of_its_answer() -> None:
    """The run was stopped meanwhile, or its rest was sent without it."""
    found = account((sent(1), part(22, 8)), (sent(2), None))
    assert (found.answered_at, [each.split_at for each in found.batches]) == (None, [LATER, None])
    never = account((None, None), (None, None))
    assert (never.batches, never.outcomes, never.answered_at, never.cost_usd) == ([], {}, None, Decimal(0))
    assert account_of_probe(PROBE, [(sent(1), None), (sent(2), None)], None).reasons == []


def test_a_model_without_a_price_leaves_the_cost_of_the_probe_unknown() -> None:
    """It is not called nothing."""
    assert account((sent(1), part(30, 0, None)), (sent(2), part(0, 20))).cost_usd is None


def test_the_final_message_has_the_forecast_beside_the_bound_and_the_cost() -> None:
    """A person sees how good it was."""
    probe = account((sent(1), part(22, 8)), (sent(2), part(10, 10)))
    receipt = replace(ended(40_000), forecast=FORECAST, probe=probe)
    message = notice_of(receipt).message
    assert "Forecast:      about $41.20 (between $38.10 and $44.90)" in message
    assert "Probe:         50 requests: 32 answered, 18 errored, about $0.20" in message


def test_a30_after_a_probe_no_message_says_that_nothing_was_charged() -> None:
    """A30: its answers were paid for."""
    receipt = refused_receipt(RUN, DECLINED, 0)
    assert "nothing was charged" in plain(notice_of(receipt).message)
    after = replace(receipt, probe=account((sent(1), part(22, 8)), (sent(2), part(10, 10))))
    assert not is_unsent(after)
    assert "nothing was charged" not in plain(notice_of(after).message)
    assert is_unsent(replace(receipt, probe=account((None, None), (None, None))))


def test_the_forecast_of_a_run_is_that_of_its_last_gate_that_has_one() -> None:
    """A pause has none."""
    first, second, paused = (
        Gate("w", NOW, open=True, forecast=None),
        Gate("w", NOW, open=False, forecast=FORECAST),
        Gate("w", NOW, open=False),
    )
    assert last_forecast({1: first, 3: paused, 2: second}) == FORECAST
    assert last_forecast({1: first}) is None
