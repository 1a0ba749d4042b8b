"""A run in trouble as plain lines say it, without a terminal: no less than the frame."""

from datetime import timedelta
from itertools import chain

import pytest
from msgspec.structs import replace

from conveyor.ledger.batch_facts import AttemptUnknown, Unread
from conveyor.ledger.run_facts import LastingTrouble, RetryAfterAnswer, TroubleOver
from conveyor_cli.frames.snapshot import snapshot_of
from conveyor_cli.frames.trouble import hindrance_of
from conveyor_cli.runs.facts import Facts, Lost, Refused
from conveyor_cli.screen.screen import Screen
from conveyor_cli.screen.terminal import Look
from conveyor_cli.watching.events import Event, events_of, line_of, new_events
from conveyor_cli.watching.views import LogView
from tests.support.frames import AWAY, DOWN, FIRST, GONE, ONE_MINUTE, denied
from tests.support.watched import DONE, NOW, SENT, SPLITTING, facts_of, plan_of

PAUSED = RetryAfterAnswer("w", NOW - ONE_MINUTE, NOW + 4 * ONE_MINUTE, "HTTP 429")
LOST = Lost(FIRST, AttemptUnknown("w", NOW - 3 * ONE_MINUTE, "ReadTimeout"))
UNREAD = {FIRST: Unread("w", NOW - ONE_MINUTE, "ReadError")}
TROUBLED = {
    "denied": denied(),
    "gone": facts_of(plan_of(2), {"1": SENT}, trouble=GONE),
    "lost": facts_of(plan_of(2), {"1": ("attempt-1.json", "unknown-1.json")}, lost=LOST),
    "refused": facts_of(plan_of(2), {"1": SENT}, refused=Refused(FIRST, DOWN, NOW - 8 * ONE_MINUTE)),
    "paused": facts_of(plan_of(2), {"1": SENT}, pause=PAUSED),
    "unread": facts_of(plan_of(2), {"1": SENT}, unread=UNREAD),
}


@pytest.mark.parametrize("facts", TROUBLED.values(), ids=TROUBLED)
def test_plain_lines_say_of_trouble_what_the_frame_says(facts: Facts, capsys: pytest.CaptureFixture[str]) -> None:
    """Since when it lasts, what follows by itself, and each step, whose command is alone on its line."""
    LogView(Screen(Look()), "x").show(snapshot_of(facts, NOW), NOW)
    lines = capsys.readouterr().err.splitlines()
    hindrance = hindrance_of(facts)
    assert hindrance is not None
    assert hindrance.since is not None
    word = "at" if hindrance.is_past else "since"
    told = f"2026-11-24T08:41:02Z x trouble {hindrance.words}, {word} {hindrance.since:%Y-%m-%dT%H:%M:%SZ}"
    steps = [(f"  {step.words}", *([f"    {step.command}"] if step.command else [])) for step in hindrance.steps]
    more = [f"  {sentence}" for sentence in hindrance.more]
    assert lines[lines.index(told) + 1 :] == [*more, *chain.from_iterable(steps)]


def test_what_follows_is_not_said_again_as_the_clock_goes_on() -> None:
    """It has the minutes that are left. Another pause is said, since it is another moment."""
    facts = TROUBLED["paused"]
    told = new_events(snapshot_of(facts, NOW), [])
    later = facts._replace(at=NOW + ONE_MINUTE)
    assert new_events(snapshot_of(later, NOW + ONE_MINUTE), told) == []
    again = facts._replace(pause=replace(PAUSED, at=NOW, until=NOW + timedelta(hours=1)))
    assert [event.name for event in new_events(snapshot_of(again, NOW), told)] == ["trouble"]


def test_the_last_line_is_said_again_without_what_was_to_follow(capsys: pytest.CaptureFixture[str]) -> None:
    """Its minutes are over by then."""
    view = LogView(Screen(Look()), "x")
    for minutes in (0, 11):
        view.show(snapshot_of(TROUBLED["lost"], NOW), NOW + minutes * ONE_MINUTE)
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1].startswith("2026-11-24T08:52:02Z x trouble The answer to the paid call for batch 1 was lost, at ")


def test_plain_lines() -> None:
    """One for each thing that has changed; nothing is said twice."""
    first = snapshot_of(facts_of(plan_of(3), {"1": SENT}), NOW)
    told = events_of(first)
    assert [line_of(event, "x", NOW) for event in told] == [
        "2026-11-24T08:41:02Z x validated 288,000 requests, at most $2,000.00",
        "2026-11-24T08:41:02Z x forecast $1,410.00 ($1,300.00 to $1,499.10)",
        "2026-11-24T08:41:02Z x batches 1 under way, 0 ended, 3 in all; no batch has ended yet",
    ]
    later = snapshot_of(facts_of(plan_of(3), {"1": DONE, "2": SENT}), NOW)
    assert [event.words for event in new_events(later, told)] == [
        "1 under way, 1 ended, 3 in all; 95,940 answered, $117.50"
    ]
    assert new_events(first, told) == []


def test_a_log_says_when_trouble_begins_and_when_it_is_over() -> None:
    """Each time: the same may come again. Its line has the moment since which it lasts."""
    told = list[Event]()

    def lines(facts: Facts) -> list[str]:
        new = new_events(snapshot_of(facts, NOW), told)
        told.extend(new)
        return [line_of(event, "x", NOW).partition(" x ")[2] for event in new]

    def facts(*names: str, trouble: LastingTrouble | None = None) -> Facts:
        return facts_of(plan_of(3), {"1": SENT}, *names, trouble=trouble)

    later = replace(AWAY, since=NOW)
    begun, over = LastingTrouble.key("", AWAY.place).lstrip("/"), TroubleOver.key("", AWAY.place)
    names = [key.rpartition("/")[2] for key in (begun, over, LastingTrouble.key("", later.place))]
    words = "The provider is not available (HTTP 503), since 2026-11-24T07:59:02Z"
    assert lines(facts())[-1].startswith("batches ")
    assert lines(facts(names[0], trouble=AWAY)) == [f"trouble {words}"]
    assert lines(facts(names[0], trouble=AWAY)) == []
    assert lines(facts(*names[:2])) == [f"over: {words}"]
    assert lines(facts(*names[:2])) == []
    assert lines(facts(*names, trouble=later)) == [f"trouble {words.replace('07:59:02', '08:41:02')}"]


@pytest.mark.parametrize(
    ("facts", "line"),
    [
        (facts_of(plan_of(1), {"1": DONE}), "x is writing results"),
        (facts_of(plan_of(1), {"1": SPLITTING}), "x is splitting"),
        (
            facts_of(plan_of(1), {"1": (*DONE, "again.json")}, "round-1.json"),
            "x round 1: lines go again; its batches are being planned",
        ),
        (
            facts_of(plan_of(1, rounds=(1,)), {"1": (*DONE, "again.json"), "round-1/1": SENT}, "round-1.json"),
            "x round 1: lines go again; 0 of 1 batch ended",
        ),
    ],
)
def test_no_word_is_said_twice(facts: Facts, line: str) -> None:
    """A state that no figures go with is a sentence about the run."""
    last = events_of(snapshot_of(facts, NOW))[-1]
    assert line_of(last, "x", NOW) == f"2026-11-24T08:41:02Z {line}"
