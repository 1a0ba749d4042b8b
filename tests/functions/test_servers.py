"""Servers that behave a little differently: in both dialects, and on the clock of the functions."""

from datetime import timedelta

import pytest

from tests.functions.belt import Belt, drop_of
from tests.functions.checks import check

DIALECTS = {"messages": {}, "files": {"BATCH_API": "files"}}


@pytest.fixture(params=sorted(DIALECTS))
def stack_settings(stack_settings: dict[str, str], request: pytest.FixtureRequest) -> dict[str, str]:
    """Choose the dialect."""
    return stack_settings | DIALECTS[request.param]


@pytest.mark.parametrize("expires", [0, 220_000_000_000])
def test_a_batch_ends_in_its_own_time_whatever_its_server_says_of_its_expiry(belt: Belt, expires: int) -> None:
    """When it is created, or in the year 8998: it runs for two hours and is not cancelled."""
    belt.provider.configure(seconds=7_200, expire=False, expires_seconds=expires)
    run = belt.upload(drop_of(3))
    check(belt, run, belt.finish(run), drop_of(3))
    assert belt.provider.stats()["calls"]["cancel"] == 0


@pytest.mark.parametrize(("expires", "days"), [(0, 1), (220_000_000_000, 29)])
def test_a_batch_that_never_ends_is_cancelled_whatever_its_server_says_of_its_expiry(
    belt: Belt, expires: int, days: int
) -> None:
    """An hour after its window, or after the time for which a provider keeps results."""
    keeps = {"retention_seconds": 40 * 86_400}
    belt.provider.configure(seconds=None, expire=False, expires_seconds=expires, canceling_seconds=0, **keeps)
    began = belt.moment
    run = belt.upload(drop_of(2))
    belt.pass_time(timedelta(days=days, minutes=50).total_seconds())
    check(belt, run, belt.finish(run), drop_of(2))
    assert timedelta(days=days, hours=1) <= belt.moment - began <= timedelta(days=days, hours=2)
    assert belt.provider.stats()["calls"]["cancel"] == 1


@pytest.mark.parametrize(("kept_days", "status"), [(60, "completed"), (29, "stuck")])
def test_a_run_that_stood_still_for_weeks_reads_its_results_first(belt: Belt, kept_days: int, status: str) -> None:
    """Somebody stopped the machine, and started it again: only a read that fails tells that nothing is kept."""
    belt.provider.configure(retention_seconds=kept_days * 86_400)
    run = belt.upload(drop_of(2))
    belt.pass_time(45 * 86_400)
    assert belt.finish(run)["status"] == status
    assert len(belt.facts(run, "unread")) == (status == "stuck")
    assert belt.creates() == (1, 1)
