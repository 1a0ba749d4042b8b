"""When a person is told of a gate: at once, a day later, six hours before its end, and when an approval fails."""

from datetime import timedelta

import pytest

from conveyor.gates.message import Told, told_now
from conveyor.ledger.gate_facts import Gate, Reason, ReasonCode
from tests.support.examples import NOW


def gate(hours: int | None) -> Gate:
    """Return a gate that was closed at `NOW` for so many hours."""
    until = NOW + timedelta(hours=hours) if hours else None
    return Gate("w", NOW, open=False, reasons=[Reason(ReasonCode.ASKED, "why")], until=until)


def hours_of_messages(closed: Gate, hours: int) -> list[float]:
    """Poll a gate each quarter of an hour; return the hours at which a message was due."""
    told, found = None, list[float]()
    for quarter in range(hours * 4):
        now = told_now(1, closed, None, told, NOW + timedelta(minutes=15 * quarter))
        if now != told:
            found.append(quarter / 4)
        told = now
    return found


@pytest.mark.parametrize(
    ("hold_hours", "messages"),
    [
        (1, [0]),
        (6, [0]),
        (7, [0, 1]),
        (24, [0, 18]),
        (30, [0, 24]),
        (31, [0, 24, 25]),
        (72, [0, 24, 66]),
        (720, [0, 24, 714]),
    ],
)
def test_a_person_is_told_at_once_after_a_day_and_six_hours_before_the_end(
    hold_hours: int, messages: list[int]
) -> None:
    """Two messages at the same time, or one after the end, would say nothing."""
    assert hours_of_messages(gate(hold_hours), hold_hours) == messages


def test_a_gate_without_an_end_is_told_twice() -> None:
    """Every gate that is written now has an end."""
    assert hours_of_messages(gate(None), 300) == [0, 24]


def test_another_gate_is_told_from_the_start() -> None:
    """What was said about the last one is no message about this one, whatever it was."""
    before = Told(1, 3, "control/run-1/approve-1: no")
    assert told_now(2, gate(72), None, before, NOW) == Told(2, 1)


def test_an_approval_that_opens_nothing_is_told_once_and_each_other_one_again() -> None:
    """The message of a day later repeats it, but it is not due for it."""
    closed, hour = gate(72), NOW + timedelta(hours=1)
    told = told_now(1, closed, None, None, NOW)
    first = told_now(1, closed, "too little", told, hour)
    assert (first, first != told) == (Told(1, 1, "too little"), True)
    assert told_now(1, closed, "too little", first, hour) == first
    assert told_now(1, closed, None, first, hour) == first, "the object was deleted"
    assert told_now(1, closed, "a comma", first, hour) == Told(1, 1, "a comma")


def test_a27_a_message_is_not_taken_back_by_a_lost_state() -> None:
    """It is sent again once: better twice than never."""
    late = NOW + timedelta(hours=30)
    told = told_now(1, gate(72), None, None, late)
    assert told == Told(1, 2)
    assert told_now(1, gate(72), None, told, late + timedelta(hours=1)) == told


def test_a_clock_that_goes_back_sends_nothing_again() -> None:
    """Functions run on many machines."""
    told = Told(1, 2)
    assert told_now(1, gate(72), None, told, NOW - timedelta(minutes=1)) == told
