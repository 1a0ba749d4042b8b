"""The facts of gates, as they are stored."""

from datetime import timedelta
from decimal import Decimal

from conveyor.domain.plan import ValidatedDrop, decode_plan
from conveyor.ledger.gate_facts import Ending, Gate, GateEnd, Reason, ReasonCode
from conveyor.ledger.ledger import Ledger
from conveyor.s3.bucket import Bucket
from tests.support.examples import NOW
from tests.support.fake_aws import FakeBucket


def ledger() -> tuple[FakeBucket, Ledger]:
    """Return an empty ledger and its bucket."""
    bucket = FakeBucket()
    return bucket, Ledger(Bucket(bucket.client, "bucket"), "run-1")


def test_a_gate_is_read_as_it_was_written() -> None:
    """Amounts to the last digit."""
    bucket, facts = ledger()
    reasons = [Reason(code, "why") for code in ReasonCode]
    need, until = Decimal("61.400001"), NOW + timedelta(hours=72)
    closed = Gate("w", NOW, open=False, reasons=reasons, need_usd=need, until=until, pauses=["v1"])
    assert facts.write(closed, 2) == facts.read(Gate, 2) == closed
    ended = GateEnd("w", NOW, Ending.APPROVED, need, "control/run-1/approve-2")
    assert facts.write(ended, 2) == facts.read(GateEnd, 2) == ended
    assert set(bucket.objects) == {"runs/run-1/gate-2.json", "runs/run-1/passed-2.json"}


def test_a21_a_gate_has_one_end() -> None:
    """A21: one poll reads the approval, and another declines by the clock: the first end stands for both."""
    _, facts = ledger()
    approved = GateEnd("a", NOW, Ending.APPROVED, Decimal(5), "control/run-1/approve-1")
    assert facts.write(approved, 1) == approved
    for other in (Ending.DECLINED, Ending.STOPPED):
        assert facts.write(GateEnd("b", NOW, other), 1) == approved


def test_a_gate_is_the_same_for_all_who_close_it() -> None:
    """A reason that came later does not replace the first."""
    _, facts = ledger()
    opened = facts.write(Gate("a", NOW, open=True), 1)
    assert facts.write(Gate("b", NOW, open=False, reasons=[Reason(ReasonCode.PAUSED, "why")]), 1) == opened


def test_a22_a_plan_of_an_earlier_version_has_no_gates_and_no_limits() -> None:
    """A22: its run goes on."""
    plan = decode_plan(
        b'{"lines":1,"sha256":"f00","faults":0,"faults_file":null,"findings":null}\n'
        b'{"number":1,"first_line":1,"first_byte":0,"last_line":1,"end_byte":9,"requests":1}\n'
    )
    assert plan.drop == ValidatedDrop(1, "f00")
    assert (plan.drop.is_gated, plan.drop.usd_per_drop, plan.drop.models) == (False, None, None)
    assert plan.batches[0].at_most_usd is None
