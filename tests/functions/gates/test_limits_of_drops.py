"""What a drop says that it may cost (`max-usd`) holds like a limit of its project, and cannot raise one."""

import pytest

from conveyor.domain import keys
from tests.support.belt import Belt
from tests.support.faults.scenes import commands, run_command
from tests.support.gates import DEAR, message
from tests.support.promises import check, plain

LIMITED = {"max-usd": "0.10"}
LARGE = {"max-usd": "1000"}


def test_a_drop_that_may_cost_more_than_it_says_waits_and_goes_on_when_it_is_approved(belt: Belt) -> None:
    """The message names the limit, and its command opens the gate."""
    run = belt.upload(DEAR, metadata=LIMITED)
    notice = message(belt, run)
    assert "and the drop may cost $0.10 (metadata max-usd)" in plain(notice["message"])
    assert [reason["code"] for reason in belt.fact(run, "gate-1.json")["reasons"]] == ["max-usd"]
    assert belt.creates() == (0, 0)
    run_command(belt, commands(notice)[0])
    receipt = check(belt, run, belt.finish(run), DEAR)
    assert receipt["gates"][0]["reasons"][0]["code"] == "max-usd"


def test_a_drop_that_may_cost_less_than_it_says_is_sent(belt: Belt) -> None:
    """Nobody is asked, and the limit holds for each later batch of the run."""
    run = belt.upload(DEAR, metadata=LARGE)
    assert belt.fact(run, "gate-1.json")["up_to"] == 1000
    check(belt, run, belt.finish(run), DEAR)


def test_a_drop_cannot_raise_the_limit_of_its_project(belt: Belt) -> None:
    """Both limits are in the list, so the lower one holds."""
    belt.s3.put_object(Bucket=belt.bucket, Key=keys.BUDGETS, Body=b'{"default": {"usd_per_drop": 0.10}}')
    run = belt.upload(DEAR, metadata=LARGE)
    assert [reason["code"] for reason in belt.fact(run, "gate-1.json")["reasons"]] == ["ceiling"]
    assert belt.fact(run, "gate-1.json")["up_to"] == 0.1
    assert belt.creates() == (0, 0)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("max-usd", "$20", 'did you mean "20"?'),
        ("max-usd", "61,40", 'did you mean "61.40"?'),
        ("max-usd", "inf", "expected US dollars above 0 and up to 1,000,000,000, such as 61.40"),
        ("max-usd", "1e9", '"max-usd" is "1e9"'),
        ("max-usd", "-5", '"max-usd" is "-5"'),
        ("max-usd", "0", '"max-usd" is "0"'),
        ("max-usd", "1000000001", '"max-usd" is "1000000001"'),
        ("max-usd", "9" * 500, f'"max-usd" is "{"9" * 100}"'),
        ("max_usd", "20", 'unknown metadata "max_usd"; did you mean "max-usd"?'),
        ("max-cost", "20", 'unknown metadata "max-cost"; did you mean "max-usd"?'),
    ],
)
def test_a_limit_that_cannot_be_read_refuses_the_drop(belt: Belt, name: str, value: str, told: str) -> None:
    """Its owner relies on it: nothing may be paid as if there were none."""
    end = belt.finish(belt.upload(DEAR, metadata={name: value}))
    assert end["status"] == "refused"
    assert told in plain(end["message"])
    assert belt.creates() == (0, 0)
    (again,) = commands(end)
    assert "max-usd" in again


def test_what_is_sent_again_may_cost_what_its_drop_says(belt: Belt) -> None:
    """A person who drops `retry.jsonl` has set no other limit."""
    belt.provider.configure(every={"1": "expired"})
    run = belt.upload(DEAR, metadata=LARGE)
    belt.finish(run)
    head = belt.s3.head_object(Bucket=belt.bucket, Key=keys.retry(belt.receipt(run)["name"], run))
    assert head["Metadata"]["max-usd"] == "1000"


def test_an_estimate_says_that_the_drop_would_wait_for_its_own_limit(belt: Belt) -> None:
    """And the command that runs it after all has that limit."""
    end = belt.finish(belt.upload(DEAR, metadata=LIMITED | {"dry-run": "yes"}))
    assert end["status"] == "estimated"
    assert "it would wait for an approval: it may cost up to" in plain(end["message"])
    assert "the drop may cost $0.10 (metadata max-usd)" in plain(end["message"])
    (again,) = commands(end)
    assert "max-usd=0.10" in again
