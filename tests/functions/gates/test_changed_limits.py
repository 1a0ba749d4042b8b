"""Limits that change or break between the upload and its validation."""

import pytest

from conveyor.submit import submit as submit_module
from tests.support.belt import Belt, drop_of
from tests.support.promises import plain

BUDGETS = b'{"default": {"usd_per_drop": 0.0001}}'


@pytest.fixture
def begun(belt: Belt, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a run whose function died before it validated the drop; its limits were read by then."""
    belt.s3.put_object(Bucket=belt.bucket, Key="config/budgets.json", Body=BUDGETS)
    event = belt.drop(drop_of(3))
    with monkeypatch.context() as patch:
        patch.setattr(submit_module, "validate", _die)
        with pytest.raises(MemoryError):
            belt.submit(event)
    (key,) = [key for key in belt.stored("runs/") if key.endswith("run.json")]
    belt.pass_time(1000)
    return key.split("/")[1]


def _die(*_: object) -> None:
    raise MemoryError


@pytest.mark.parametrize("content", [b"{]", b'{"default": {"usd_per_dorp": 1}}'])
def test_limits_that_broke_before_the_validation_close_the_gate(belt: Belt, begun: str, content: bytes) -> None:
    """The plan has no ceiling then; it must not be sent as if there were none."""
    belt.s3.put_object(Bucket=belt.bucket, Key="config/budgets.json", Body=content)
    belt.submit({"run": begun})
    belt.submit({"run": begun})
    assert belt.creates() == (0, 0)
    assert "a file with limits or prices is wrong: config/budgets.json" in plain(belt.poll(begun)["notice"]["message"])


def test_a_fault_is_named_once(belt: Belt) -> None:
    """Registration and validation read the same file."""
    belt.s3.put_object(Bucket=belt.bucket, Key="config/budgets.json", Body=b"{]")
    run = belt.upload(drop_of(3))
    assert plain(belt.poll(run)["notice"]["message"]).count("is wrong") == 1
