"""People who act while a paid call is prepared, and runs that wait for each other."""

from decimal import Decimal
from typing import Any

import pytest

from conveyor.ledger.gate_facts import Ending, Gate, GateEnd, Reason, ReasonCode
from conveyor.submit import send
from tests.support.belt import Belt, drop_of

DATA = drop_of(3)


def test_an_amount_approved_while_a_call_is_prepared_is_kept_to(belt: Belt, monkeypatch: pytest.MonkeyPatch) -> None:
    """The call was let through by the gate before, which named none."""

    def meanwhile(context: Any, *_: object) -> bool:
        reasons = [Reason(ReasonCode.PAUSED, "a person paused the run")]
        context.ledger.write(Gate("w", context.now(), open=False, reasons=reasons, until=context.now()), 2)
        context.ledger.write(GateEnd("w", context.now(), Ending.APPROVED, Decimal("0.000001")), 2)
        return True

    with monkeypatch.context() as patch:
        patch.setattr(send, "admit_or_wait", meanwhile)
        run = belt.upload(DATA)
    assert belt.creates() == (0, 0)
    belt.submit({"run": run})
    assert belt.creates() == (0, 0)
    assert belt.fact(run, "gate-3.json")["reasons"][0]["code"] == "over-approved"


def test_a_call_that_met_a_new_gate_is_made_once_that_is_open(belt: Belt, monkeypatch: pytest.MonkeyPatch) -> None:
    """It costs no attempt that counts."""

    def meanwhile(context: Any, *_: object) -> bool:
        reasons = [Reason(ReasonCode.PAUSED, "a person paused the run")]
        context.ledger.write(Gate("w", context.now(), open=False, reasons=reasons), 2)
        return True

    with monkeypatch.context() as patch:
        patch.setattr(send, "admit_or_wait", meanwhile)
        run = belt.upload(DATA)
    assert belt.creates() == (0, 0)
    belt.s3.put_object(Bucket=belt.bucket, Key=f"control/{run}/approve-2", Body=b"approve")
    assert belt.finish(run)["status"] == "completed"
    sent = len(belt.facts(run, "batch-"))
    assert belt.creates() == (sent, sent)


@pytest.mark.parametrize("how", ["asked", "config", "model"])
def test_approve_alone_never_allows_more_than_its_message_named(belt: Belt, how: str) -> None:
    """Whatever the reason of the gate: the amount holds for the run's later calls."""
    metadata = {"hold": "always"} if how == "asked" else {}
    content = {"config": b"{]", "model": b'{"default": {"models": []}}'}.get(how)
    if content:
        belt.s3.put_object(Bucket=belt.bucket, Key="config/budgets.json", Body=content)
    run = belt.upload(DATA, metadata=metadata)
    belt.s3.put_object(Bucket=belt.bucket, Key=f"control/{run}/approve-1", Body=b"approve any-model")
    assert belt.finish(run)["status"] == "completed"
    assert belt.fact(run, "passed-1.json")["up_to"] == belt.fact(run, "gate-1.json")["need_usd"]
