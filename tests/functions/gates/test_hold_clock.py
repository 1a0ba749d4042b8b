"""The clock of a gate against what a person writes in the same moment."""

from datetime import timedelta

import pytest

from conveyor.poll.control import Control
from tests.support.belt import Belt, drop_of

HOUR = timedelta(hours=1)


def test_an_approval_in_the_last_second_counts_though_the_check_began_before_it(
    belt: Belt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check lists what people wrote; then a person writes an approval; then the time of the gate is over."""
    held = belt.upload(drop_of(3), metadata={"hold": "always"})
    belt.set_clock(belt.moment + 72 * HOUR - timedelta(seconds=30))
    belt.poll(held)
    approval = Control.approval

    def late(control: Control, gate: int) -> object:
        seen = approval(control, gate)
        if belt.moment < start + timedelta(minutes=1):
            belt.s3.put_object(Bucket=belt.bucket, Key=f"control/{held}/approve-1", Body=b"approve")
            belt.set_clock(belt.moment + timedelta(minutes=1))
        return seen

    start = belt.moment
    monkeypatch.setattr(Control, "approval", late)
    belt.poll(held)
    assert belt.facts(held, "passed") == []
    assert belt.finish(held)["status"] == "completed"
