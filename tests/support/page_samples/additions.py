"""What `report` adds to a receipt from gates, and what receipts of earlier releases do not have."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from msgspec.structs import replace

from conveyor.ledger.gate_facts import Ending, Reason, ReasonCode
from conveyor.money.forecast import Forecast, ModelForecast
from conveyor.receipt.gate_account import GateAccount
from tests.support.page_samples.sent import START, shared

if TYPE_CHECKING:
    from conveyor.receipt.receipt import Receipt


def forecast(receipt: Receipt, usd: str, low: str, high: str) -> Receipt:
    """Add what a run was to cost."""
    of_models = receipt.estimate.models if receipt.estimate else {}
    shares = shared(1000, [each.requests for each in of_models.values()])
    likely, least, most = (Decimal(each) for each in (usd, low, high))
    models = {
        model: ModelForecast(each.requests, 5, *(end * share / 1000 for end in (likely, least, most)))
        for (model, each), share in zip(of_models.items(), shares, strict=True)
    }
    return replace(receipt, forecast=Forecast(likely, least, most, models), forecast_usd=likely)


def approved(receipt: Receipt, how: Ending | None = Ending.APPROVED) -> Receipt:
    """Add a gate that a person opened, or that nobody opened."""
    reason = Reason(ReasonCode.CEILING, "it may cost $164.20, and its project may spend $100.00 on one drop")
    at = START + timedelta(minutes=7)
    gate = GateAccount(1, at, [reason], Decimal("177.90"), how, at + timedelta(minutes=9), Decimal("177.90"))
    return replace(receipt, gates=[gate])


def earlier(receipt: Receipt) -> Receipt:
    """Return a receipt as a release wrote it that knew no lengths, no examples and no settings."""
    errors = {name: replace(kind, examples={}) for name, kind in receipt.errors.items()}
    batches = [replace(batch, results=0, failures=0, sent_again=0) for batch in receipt.batches]
    return replace(receipt, ended_at=None, planned_batches=0, lengths={}, settings=[], errors=errors, batches=batches)
