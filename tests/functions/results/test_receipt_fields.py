"""The receipt's fields mean the same in every status, and agree with each other and with the files."""

from collections.abc import Callable
from typing import Any

import pytest

from conveyor.validation.checker import MOST_FAULTS
from tests.support.belt import Belt, drop_of, request
from tests.support.promises import agree
from tests.support.settings import STACK_SETTINGS

INVALID = b"{nonsense\n"


@pytest.fixture
def stack_settings() -> dict[str, str]:
    """Set three requests per batch, and two batches in the queue."""
    return STACK_SETTINGS | {"MAX_REQUESTS_PER_BATCH": "3", "MAX_QUEUED_REQUESTS": "6", "MAX_REQUESTS_PER_DROP": "12"}


def fields(receipt: dict[str, Any]) -> tuple[Any, ...]:
    """Return the main fields of a receipt."""
    return tuple(receipt[name] for name in ("status", "code", "requests", "results", "failures", "not_run"))


def stop(belt: Belt, run: str) -> None:
    """Stop a run."""
    belt.s3.put_object(Bucket=belt.bucket, Key=f"control/{run}/cancel", Body=b"")


@pytest.mark.parametrize(
    ("data", "metadata", "expected"),
    [
        (INVALID + drop_of(2), {}, ("refused", "invalid-lines", 3, 0, 0, 3)),
        (INVALID * 3, {"on-invalid": "skip"}, ("refused", "mostly-invalid", 3, 0, 0, 3)),
        (INVALID * (MOST_FAULTS + 1), {}, ("refused", "invalid-lines", 0, 0, 0, 0)),
        (drop_of(13), {}, ("refused", "too-many-requests", 13, 0, 0, 13)),
        (drop_of(1), {"on-invalid": "perhaps"}, ("refused", "unreadable", 0, 0, 0, 0)),
        (b"\n\n", {}, ("refused", "file-is-empty", 0, 0, 0, 0)),
        (INVALID + drop_of(2), {"on-invalid": "skip"}, ("completed", None, 3, 2, 1, 0)),
    ],
)
def test_the_fields_agree_where_lines_are_checked(
    belt: Belt, data: bytes, metadata: dict[str, str], expected: tuple[Any, ...]
) -> None:
    """A refused drop has no failures and no file of them: its lines were not run."""
    run = belt.upload(data, metadata=metadata)
    belt.finish(run)
    assert fields(agree(belt, run)) == expected


def test_the_fields_agree_where_the_same_bytes_come_again(belt: Belt) -> None:
    """The second run sends nothing."""
    belt.finish(belt.upload(drop_of(2)))
    run = belt.upload(drop_of(2))
    belt.finish(run)
    receipt = agree(belt, run)
    assert (receipt["status"], receipt["code"], receipt["failures"]) == ("refused", "seen-before", 0)


def _refused_at_once(belt: Belt) -> None:
    belt.provider.fail("create", {"kind": "answer", "status": 402}, times=None)


def _refused_half_way(belt: Belt) -> None:
    belt.provider.fail("create", {"kind": "answer", "status": 402}, after=1, times=None)


def _fails_in_parts(belt: Belt) -> None:
    belt.provider.configure(outcomes={"1": "errored:api_error", "2": "expired", "3": "errored:invalid_request_error"})


def _spoiled(belt: Belt) -> None:
    spoil = {"kind": "spoil", "missing": [1], "malformed": [2], "repeated": [3], "foreign": ["stranger"]}
    belt.provider.fail("results", spoil, times=None)


@pytest.mark.parametrize(
    ("arrange", "expected"),
    [
        (_refused_at_once, ("refused", "credit-exhausted", 8, 0, 0, 8)),
        (_refused_half_way, ("completed", "credit-exhausted", 8, 3, 5, 0)),
        (_fails_in_parts, ("failed", None, 8, 0, 8, 0)),
        (_spoiled, ("completed", None, 8, 2, 6, 0)),
    ],
)
def test_the_fields_agree_whatever_the_provider_does(
    belt: Belt, arrange: Callable[[Belt], None], expected: tuple[Any, ...]
) -> None:
    """Refused at once, refused after the first batch, all failed, or damaged results."""
    arrange(belt)
    run = belt.upload(drop_of(8))
    belt.finish(run)
    assert fields(agree(belt, run)) == expected


def test_the_fields_agree_where_a_run_is_stopped_before_it_is_sent(belt: Belt) -> None:
    """It was planned, and nothing was charged."""
    belt.provider.fail("create", {"kind": "answer", "status": 529}, times=None)
    run = belt.upload(drop_of(4))
    stop(belt, run)
    belt.finish(run)
    receipt = agree(belt, run)
    assert fields(receipt) == ("stopped", "stopped", 4, 0, 0, 4)


def test_the_fields_agree_where_a_drop_with_invalid_lines_is_refused_by_the_provider(belt: Belt) -> None:
    """The receipt has the faults found, as for a drop that is sent."""
    _refused_at_once(belt)
    run = belt.upload(INVALID + drop_of(2), metadata={"on-invalid": "skip"})
    belt.finish(run)
    receipt = agree(belt, run)
    assert fields(receipt) == ("refused", "credit-exhausted", 3, 0, 0, 3)
    assert (receipt["faults"], len(receipt["drop"]["sha256"])) == (1, 64)


def test_the_fields_agree_where_a_run_is_stopped_half_way(belt: Belt) -> None:
    """Both the sent and the unsent lines have outcomes."""
    belt.provider.configure(seconds=None)
    run = belt.upload(drop_of(11))
    stop(belt, run)
    belt.finish(run)
    receipt = agree(belt, run)
    assert (receipt["status"], receipt["code"], receipt["requests"]) == ("stopped", "stopped", 11)
    assert receipt["never_sent"] == 8


def test_the_fields_agree_where_a_batch_is_stuck(seldom: Belt) -> None:
    """Its lines are failures, and the receipt has the reason."""
    seldom.provider.configure(expire=False, seconds=None, canceling_seconds=None)
    run = seldom.upload(drop_of(2))
    seldom.finish(run)
    assert fields(agree(seldom, run)) == ("stuck", None, 2, 0, 2, 0)


def test_the_fields_agree_where_the_account_does_not_balance(belt: Belt) -> None:
    """The receipt counts the lines that were written."""
    data = drop_of(2)
    run = belt.upload(data)
    plan = belt.read(f"runs/{run}/plan.jsonl").replace(b'"lines":2', b'"lines":3')
    belt.s3.put_object(Bucket=belt.bucket, Key=f"runs/{run}/plan.jsonl", Body=plan)
    belt.finish(run)
    assert fields(agree(belt, run)) == ("unbalanced", None, 3, 2, 0, 0)


def test_the_fields_agree_for_lines_that_only_look_odd(belt: Belt) -> None:
    """Blank lines and defaults do not change the counts."""
    run = belt.upload(b"\n".join([request("a"), b"", request("b", max_tokens=None), b"  "]))
    belt.finish(run)
    assert fields(agree(belt, run)) == ("completed", None, 2, 2, 0, 0)
