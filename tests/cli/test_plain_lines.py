"""A run in trouble as plain lines say it, without a terminal: no less than the frame."""

from datetime import timedelta
from itertools import chain

import pytest
from msgspec.structs import replace

from conveyor.ledger.batch_facts import AttemptUnknown, Unread
from conveyor.ledger.run_facts import RetryAfterAnswer
from conveyor_cli.frames.snapshot import snapshot_of
from conveyor_cli.frames.trouble import hindrance_of
from conveyor_cli.runs.facts import Facts, Lost, Refused
from conveyor_cli.screen.screen import Screen
from conveyor_cli.screen.terminal import Look
from conveyor_cli.watching.events import new_events
from conveyor_cli.watching.views import LogView
from tests.cli.test_frames import DOWN, FIRST, GONE, ONE_MINUTE, denied
from tests.support.watched import NOW, SENT, facts_of, plan_of

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
