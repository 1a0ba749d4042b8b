"""How a run ends where a provider is odd for hours or weeks: nothing that was paid for is thrown away early."""

from datetime import timedelta
from random import Random

import pytest

from tests.support.belt import Belt, drop_of
from tests.support.promises import agree, plain
from tests.support.settings import STACK_SETTINGS


@pytest.fixture(params=["messages", "files"])
def stack_settings(request: pytest.FixtureRequest) -> dict[str, str]:
    """Give the settings of a stack of each dialect."""
    return STACK_SETTINGS | {"BATCH_API": request.param, "POLL_MIN_SECONDS": "600", "POLL_MAX_SECONDS": "3600"}


def busy(*calls: str, status: int = 503, **how: object) -> list[dict[str, object]]:
    """Let some calls be answered with an error for ever."""
    how = {"times": None} | how
    return [{"call": call, "do": {"kind": "answer", "status": status}, **how} for call in calls]


def look_for(belt: Belt, run: str, hours: float) -> str:
    """Turn the loop for so long, and return what the last look said comes next."""
    end = belt.moment + timedelta(hours=hours)
    while (state := belt.poll(run))["next"] in {"wait", "notify"} and belt.moment < end:
        belt.pass_time(state["wait_seconds"])
    following: str = state["next"]
    return following


def test_reads_that_never_agree_are_enough_after_a_day_and_what_the_last_one_holds_is_delivered(belt: Belt) -> None:
    """A stream that ends elsewhere each time, as if it were whole."""
    run, began, random = belt.upload(drop_of(60)), belt.moment, Random(3)  # noqa: S311  # the same every time
    while (state := belt.poll(run))["next"] != "report":
        if state["next"] == "split":
            cut = {"kind": "cut", "at": random.randrange(6000, 20000), "ending": "clean"}
            belt.provider.fail("results", cut, times=None)
            belt.split(run)
        else:
            belt.pass_time(max(state["wait_seconds"], 3600))
    belt.report(run)
    receipt = agree(belt, run)
    assert receipt["status"] == "completed"
    assert receipt["results"] > 5
    assert timedelta(hours=24) <= belt.moment - began <= timedelta(hours=30)


@pytest.mark.parametrize("status", [503, 429])
def test_one_read_that_failed_late_does_not_give_up_results_that_are_there(belt: Belt, status: int) -> None:
    """A provider may keep them longer than it says, and have been busy at that moment."""
    belt.provider.configure(retention_seconds=60 * 86_400, faults=busy("results", status=status, times=1))
    run = belt.upload(drop_of(2))
    belt.pass_time(45 * 86_400)
    assert belt.finish(run)["status"] == "completed"


def test_a_run_that_is_stopped_while_the_provider_is_away_keeps_what_is_finished(belt: Belt) -> None:
    """However long that takes: the cancel is asked for until it is heard."""
    belt.provider.configure(seconds=None)
    run = belt.upload(drop_of(4))
    belt.provider.configure(faults=busy("retrieve", "cancel", "list", "results"))
    belt.s3.put_object(Bucket=belt.bucket, Key=f"control/{run}/cancel", Body=b"stop\n")
    assert look_for(belt, run, hours=30) == "wait"
    belt.provider.configure(faults=[])
    assert belt.finish(run)["status"] == "stopped"
    assert agree(belt, run)["results"] == 2


def test_a_batch_that_could_not_be_asked_is_told_to_be_at_risk_with_the_others(
    belt: Belt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows that it has ended."""
    monkeypatch.setenv("CONVEYOR_MAX_REQUESTS_PER_BATCH", "2")
    belt.provider.configure(seconds=None)
    run = belt.upload(drop_of(4))
    while belt.creates()[1] < 2:
        belt.poll(run)
        belt.submit({"run": run})
    belt.pass_time(18 * 3600 + 60)
    belt.provider.configure(faults=busy("retrieve", times=1, batch=2))
    look_for(belt, run, hours=5)
    (told,) = belt.notices
    assert told["status"] == "at-risk"
    assert told["message"].count(": 2 requests, until about") == 2


def test_a_batch_that_is_gone_is_told_as_such_also_after_other_trouble_and_once(belt: Belt) -> None:
    """What can be done about it is another thing."""
    run = belt.upload(drop_of(2))
    belt.provider.configure(faults=busy("retrieve"))
    look_for(belt, run, hours=7)
    belt.provider.configure(faults=busy("retrieve", status=404))
    look_for(belt, run, hours=3)
    belt.provider.configure(faults=busy("retrieve", times=2) + busy("retrieve", status=404))
    look_for(belt, run, hours=5)
    troubled = [plain(told["message"]) for told in belt.notices if told["status"] == "troubled"]
    assert ["deleted at the provider" in message for message in troubled] == [False, True]


def test_a_batch_that_is_gone_is_told_as_such_although_the_provider_says_when_to_come_back(belt: Belt) -> None:
    """A 404 with Retry-After is a 404."""
    run = belt.upload(drop_of(2))
    gone = {"kind": "answer", "status": 404, "headers": {"retry-after": "60"}}
    belt.provider.fail("retrieve", gone, times=None)
    look_for(belt, run, hours=8)
    assert "deleted at the provider" in plain(belt.notices[0]["message"])
