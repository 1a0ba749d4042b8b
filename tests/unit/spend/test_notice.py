"""The messages about the ceiling of a day: true, complete and short enough, whatever the amounts are."""

from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from conveyor.ledger.budget_facts import DayFull, DayReached
from conveyor.spend.notice import full_notice, reached_notice
from conveyor.spend.spent import Costs
from tests.support.examples import NOW, RUN, SENT
from tests.support.promises import plain

MIDNIGHT = NOW.replace(hour=0) + timedelta(days=1)
FULL = DayFull("w", NOW, "team-a", Decimal(200), Decimal("187.591"), Decimal("12.401"), MIDNIGHT)
NOTHING = Costs(0, Decimal(0), is_lower_bound=False)
REACHED = DayReached("w", NOW, "team-a", "2026-11-22", 80, Decimal(200), Decimal("160.01"), MIDNIGHT)


def test_a_run_that_waits_says_what_it_needs_what_is_left_and_when_it_goes_on() -> None:
    """What is needed is rounded up, and what is left down: else they might look as if there were room."""
    notice = full_notice(RUN, FULL, SENT)
    text = plain(notice.message)
    assert (notice.status, notice.run, notice.project) == ("waiting-for-budget", RUN.run, RUN.project)
    assert notice.subject == "Conveyor: budget team/articles (needs $12.41, $12.40 left today)"
    assert (
        'its next batch may cost up to $12.41, and $12.40 is left of the $200.00 that the project "team-a" may spend '
        "today (usd_per_day)."
    ) in text
    assert "What was sent goes on. The run goes on by itself when there is room, today or on a later day." in text
    assert "Taken: $187.60 of $200.00, at 2026-11-22 10:00 UTC Day ends: 2026-11-23 00:00 UTC" in text


@pytest.mark.parametrize("need", ["200", "250"])
def test_a_batch_that_needs_a_whole_day_waits_for_one(need: str) -> None:
    """Room on a day on which something is taken would not be enough."""
    text = plain(full_notice(RUN, replace(FULL, need_usd=Decimal(need)), SENT).message)
    assert "needs a day on which nothing else of the budget is taken" in text
    assert "It gets the next such day for itself, before other batches" in text
    assert "is left of" not in text


def test_nothing_is_left_of_a_ceiling_that_was_lowered() -> None:
    """Less than nothing would be a strange amount."""
    notice = full_notice(RUN, replace(FULL, ceiling_usd=Decimal(20)), SENT)
    assert "$0.00 left today" in notice.subject


@pytest.mark.parametrize(
    ("percent", "taken", "figures", "said"),
    [
        (
            80,
            "195",
            "80 %",
            'At least 80 % of what the project "team-a" may spend today (usd_per_day) is taken: $195.00 of $200',
        ),
        (
            100,
            "200",
            "100 %",
            'All of what the project "team-a" may spend today (usd_per_day) is taken: $200.00 of $200.',
        ),
        (100, "20", "no room at $20.00", 'project "team-a" may spend today (usd_per_day): $20.00 of $200.00 is taken.'),
    ],
)
def test_a_project_hears_how_much_is_taken_and_what_follows(percent: int, taken: str, figures: str, said: str) -> None:
    """The next batch may not fit long before all is taken; nobody need do anything."""
    notice = reached_notice(RUN, replace(REACHED, percent=percent, taken_usd=Decimal(taken)), NOTHING, SENT)
    text = plain(notice.message)
    assert notice.subject == f"Conveyor: budget team-a ({figures} of $200.00 today)"
    assert (notice.status, notice.project) == ("budget-reached", "team-a")
    assert said in text
    assert "What is taken counts batches that are under way with the most that they may cost." in text
    assert "go on by themselves when there is room" in text
    assert "Day ends: 2026-11-23 00:00 UTC" in text


@pytest.mark.parametrize("log", ["default", "p" * 64])
def test_every_message_fits(log: str) -> None:
    """SNS takes subjects of fewer than 100 ASCII characters. Unnamed projects share a ceiling, and have no name."""
    full = full_notice(
        replace(RUN, name="team/" + "long" * 50), replace(FULL, log=log, ceiling_usd=Decimal(10**9)), SENT
    )
    reached = reached_notice(RUN, replace(REACHED, log=log, ceiling_usd=Decimal(10**9)), NOTHING, SENT)
    for notice in (full, reached):
        assert len(notice.subject) <= 99
        assert notice.subject.isascii()
        assert ("all projects that config/budgets.json does not name" in plain(notice.message)) is (log == "default")


@pytest.mark.parametrize("least", ["at least ", ""])
def test_the_month_of_the_project_is_named_once_there_is_any(least: str) -> None:
    """An administrator who reads that a day is full wants to know how the month stands."""
    month = Costs(1200, Decimal("812.401"), is_lower_bound=bool(least))
    text = plain(reached_notice(RUN, REACHED, month, SENT).message)
    assert f"This month: {least}$812.41 for {RUN.project}, in 1,200 runs that ended" in text
    assert "This month" not in reached_notice(RUN, REACHED, NOTHING, SENT).message
