"""The history of an execution never reaches the 25,000 events at which AWS ends it, however long a run lasts."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from itertools import count, repeat
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conveyor.domain.schedule import Execution, Next, events_of, most_splits, wait_seconds
from conveyor.settings.tuning import TUNING
from tests.support import template
from tests.support.template import Json

STATES: dict[str, Json] = template.definition()["States"]
EVENTS = TUNING["max_events"]
MOST_AT_AWS = 25_000
STARTED = ENDED = 1
ENTERED_AND_LEFT = {"Wait": 2, "Choice": 2, "Succeed": 2}
TASK = 5
"""Entered, scheduled, started, succeeded, left; it is scheduled only, and starts at once, where it publishes."""
MAP, ITEM = 4, 2
"""Entered, started, succeeded, left, as a Parallel; and for each item: started, succeeded."""


def events(state: Json, items: int) -> int:
    """Count what Step Functions writes into the history for one pass through a state."""
    if state["Type"] == "Task":
        return TASK
    if state["Type"] == "Parallel":
        branches = [events(one, 0) for branch in state["Branches"] for one in branch["States"].values()]
        return MAP + sum(branches)
    if state["Type"] == "Map":
        inner = state["ItemProcessor"]
        (one,) = inner["States"].values()
        return MAP + items * (ITEM + events(one, 0))
    return ENTERED_AND_LEFT[state["Type"]]


def counted(answer: Next, items: int = 0) -> int:
    """Count the events from a poll with this answer to the next poll or the end of the execution."""
    (to,) = [choice["Next"] for choice in STATES["Next?"]["Choices"] if f"'{answer}'" in choice["Condition"]]
    total = events(STATES["Poll"], 0) + events(STATES["Next?"], 0)
    while to != "Poll":
        total += events(STATES[to], items)
        if "Next" not in STATES[to]:
            return total + ENDED
        to = STATES[to]["Next"]
    return total


class Step(NamedTuple):
    """What a poll decides."""

    answer: Next
    splits: int = 0


class Life(NamedTuple):
    """What happened in a run."""

    histories: list[int]
    """Events of each execution, those included that code does not count: its start and its end."""
    seconds: int


def live(steps: Iterable[Step], most: int, days: float) -> Life:
    """Simulate a run of some days, as state machine and poll carry it out, in as many executions as needed."""
    execution, histories, elapsed, todo = Execution(), [STARTED + events(STATES["Wait"], 0)], 0, iter(steps)
    step = next(todo)
    while elapsed < days * 24 * 3600:
        following, execution = execution.advance(step.answer, step.splits, most)
        histories[-1] += counted(following, step.splits)
        if following is Next.CONTINUE:
            histories.append(STARTED + events(STATES["Wait"], 0))
        else:
            step = next(todo)
        if following is not Next.SPLIT:
            elapsed += wait_seconds(timedelta(seconds=elapsed), *bounds())
        assert execution.number == len(histories)
    histories[-1] += counted(Next.REPORT)
    return Life(histories, elapsed)


def bounds() -> tuple[int, int]:
    """Return the default bounds of the wait between two checks."""
    return TUNING["poll_min_seconds"].default, TUNING["poll_max_seconds"].default


@pytest.mark.parametrize("answer", [Next.WAIT, Next.SUBMIT, Next.NOTIFY])
def test_the_events_of_one_pass_are_those_of_the_definition(answer: Next) -> None:
    """A state that is added to the loop but not counted would let histories grow too long."""
    assert events_of(answer, 0) == counted(answer)


@given(st.integers(1, 10_000))
def test_the_events_of_splits_are_those_of_the_definition(splits: int) -> None:
    """Any number of batches may end at once."""
    assert events_of(Next.SPLIT, splits) == counted(Next.SPLIT, splits)


def test_every_answer_that_leads_to_another_poll_is_counted() -> None:
    """The other answers end an execution."""
    goes_on = {answer for answer in Next if counted(answer) == events_of(answer, 0)}
    assert goes_on == set(Next) - {Next.REPORT, Next.CONTINUE}


def test_a_quiet_day_fits_into_one_execution_many_times() -> None:
    """The usual run of five days uses only a third of the events of an execution."""
    assert len(live(repeat(Step(Next.WAIT)), EVENTS.default, 5).histories) == 1


def every_tenth(splits: int) -> Iterable[Step]:
    """Wait nine times, then split so many batches."""
    return (Step(Next.SPLIT, splits) if number % 10 == 0 else Step(Next.WAIT) for number in count(1))


@pytest.mark.parametrize(
    ("steps", "executions"),
    [
        pytest.param(lambda: repeat(Step(Next.WAIT)), 11, id="only-waits"),
        pytest.param(lambda: repeat(Step(Next.SUBMIT)), 17, id="only-submits"),
        pytest.param(lambda: every_tenth(100), 104, id="every-tenth-pass-splits-100-batches"),
    ],
)
def test_sixty_days_reach_no_limit(steps: Callable[[], Iterable[Step]], executions: int) -> None:
    """At the default bounds and the default max-events; ten thousand events are left for retries in each execution."""
    most = EVENTS.default
    life = live(steps(), most, 60)
    assert life.seconds >= 60 * 24 * 3600
    assert len(life.histories) == executions
    assert max(life.histories) < MOST_AT_AWS - 9_000
    assert min(life.histories[:-1]) > most - 1_000, "no execution is left before it is full"


def test_a_run_that_needs_more_events_than_one_execution_may_have_does_not_end() -> None:
    """Checks the simulation: in one execution, sixty days are far beyond the limit."""
    (history,) = live(repeat(Step(Next.WAIT)), 10**9, 60).histories
    assert history > 6 * MOST_AT_AWS


@given(st.data())
def test_no_history_is_too_long_whatever_polls_decide(data: st.DataObject) -> None:
    """For every max-events that is accepted, and all decisions of polls."""
    most = data.draw(st.integers(EVENTS.least, EVENTS.most))
    step = st.builds(Step, st.sampled_from([Next.WAIT, Next.SUBMIT, Next.SPLIT]), st.integers(1, most_splits(most)))
    todo = data.draw(st.lists(step, min_size=1, max_size=300))
    life = live([*todo, *repeat(Step(Next.WAIT), 1000)], most, 0.5)
    assert max(life.histories) < most + 40 < MOST_AT_AWS - 4_000


@given(st.integers(EVENTS.least, EVENTS.most))
def test_as_many_batches_are_split_at_once_as_a_new_execution_has_room_for(most: int) -> None:
    """With one more, each new execution would start the next one, endlessly."""
    splits = most_splits(most)
    assert splits >= 1
    assert Execution(2).advance(Next.SPLIT, splits, most)[0] is Next.SPLIT
    assert Execution(2).advance(Next.SPLIT, splits + 1, most)[0] is Next.CONTINUE


@pytest.mark.parametrize("answer", [Next.REPORT, Next.NOTIFY])
def test_what_happens_once_is_not_left_to_a_new_execution(answer: Next) -> None:
    """The message would be lost, and the end of a run needs no new execution."""
    assert Execution(3, 14_999).advance(answer, 0, 15_000) == (answer, Execution(3, 14_999 + events_of(answer, 0)))
