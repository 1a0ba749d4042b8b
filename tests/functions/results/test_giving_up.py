"""How a run ends if the provider fails for hours or weeks: no paid result is given up early."""

from datetime import timedelta
from random import Random

import pytest

from tests.support.belt import Belt, drop_of
from tests.support.promises import agree, plain
from tests.support.settings import STACK_SETTINGS, tune


@pytest.fixture(params=["messages", "files"])
def stack_settings(request: pytest.FixtureRequest) -> dict[str, str]:
    """Return the settings of a stack of each dialect."""
    return STACK_SETTINGS | {"BATCH_API": request.param, "POLL_MIN_SECONDS": "600", "POLL_MAX_SECONDS": "900"}


def busy(*calls: str, status: int = 503, **options: object) -> list[dict[str, object]]:
    """Return faults: some calls are always answered with an error."""
    options = {"times": None} | options
    return [{"call": call, "do": {"kind": "answer", "status": status}, **options} for call in calls]


def poll_for(belt: Belt, run: str, hours: float) -> str:
    """Poll for some hours, and return the last poll's next step."""
    end = belt.moment + timedelta(hours=hours)
    while (state := belt.poll(run))["next"] in {"wait", "notify"} and belt.moment < end:
        belt.pass_time(state["wait_seconds"])
    following: str = state["next"]
    return following


def test_after_a_day_of_reads_that_never_agree_the_last_read_is_delivered(belt: Belt) -> None:
    """Each response ends at another place, and looks complete."""
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
def test_one_late_failed_read_does_not_give_up_results(belt: Belt, status: int) -> None:
    """The provider may keep them longer than documented, and be busy at that time."""
    belt.provider.configure(retention_seconds=60 * 86_400, faults=busy("results", status=status, times=1))
    run = belt.upload(drop_of(2))
    belt.pass_time(45 * 86_400)
    assert belt.finish(run)["status"] == "completed"


def test_a_run_stopped_while_the_provider_is_unreachable_keeps_finished_results(belt: Belt) -> None:
    """The cancel is retried until it succeeds, however long that takes."""
    belt.provider.configure(seconds=None)
    run = belt.upload(drop_of(4))
    belt.provider.configure(faults=busy("retrieve", "cancel", "list", "results"))
    belt.s3.put_object(Bucket=belt.bucket, Key=f"control/{run}/cancel", Body=b"stop\n")
    assert poll_for(belt, run, hours=30) == "wait"
    belt.provider.configure(faults=[])
    assert belt.finish(run)["status"] == "stopped"
    assert agree(belt, run)["results"] == 2


def test_a_batch_that_could_not_be_polled_is_reported_at_risk_with_the_others(
    belt: Belt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is unknown whether it has ended."""
    tune(monkeypatch, max_requests_per_batch=2)
    belt.provider.configure(seconds=None)
    run = belt.upload(drop_of(4))
    while belt.creates()[1] < 2:
        belt.poll(run)
        belt.submit({"run": run})
    belt.pass_time(18 * 3600 + 60)
    belt.provider.configure(faults=busy("retrieve", times=1, batch=2))
    poll_for(belt, run, hours=5)
    (notice,) = belt.notices
    assert notice["status"] == "at-risk"
    assert notice["message"].count(": 2 requests, until about") == 2


def test_a_deleted_batch_is_reported_once_even_after_other_trouble(belt: Belt) -> None:
    """It needs another action than the earlier trouble."""
    run = belt.upload(drop_of(2))
    belt.provider.configure(faults=busy("retrieve"))
    poll_for(belt, run, hours=7)
    belt.provider.configure(faults=busy("retrieve", status=404))
    poll_for(belt, run, hours=3)
    belt.provider.configure(faults=busy("retrieve", times=2) + busy("retrieve", status=404))
    poll_for(belt, run, hours=5)
    troubled = [plain(notice["message"]) for notice in belt.notices if notice["status"] == "troubled"]
    assert ["deleted at the provider" in message for message in troubled] == [False, True]


def test_a_deleted_batch_is_reported_although_the_provider_sends_retry_after(belt: Belt) -> None:
    """A 404 with Retry-After is still a 404."""
    run = belt.upload(drop_of(2))
    gone = {"kind": "answer", "status": 404, "headers": {"retry-after": "60"}}
    belt.provider.fail("retrieve", gone, times=None)
    poll_for(belt, run, hours=8)
    assert "deleted at the provider" in plain(belt.notices[0]["message"])
