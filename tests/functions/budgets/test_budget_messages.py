"""What people hear of a day's ceiling: 80 %, all of it, and a run that waits."""

from typing import Any

import pytest

from conveyor.poll.poll import poll
from tests.functions.budgets.test_days import ONE, TWO
from tests.support.belt import FIRST, Belt, request
from tests.support.budgets import day_ceiling, set_budgets
from tests.support.faults.scenes import commands, run_command
from tests.support.gates import DEAR, HOUR, message, pause, say, send_one
from tests.support.promises import plain

REACHED, WAITS = "budget-reached", "waiting-for-budget"


def statuses(belt: Belt, run: str) -> list[str]:
    """Poll until no message is due, and return the statuses of those that were."""
    before = len(belt.notices)
    while belt.poll(run)["next"] == "notify":
        assert len(belt.notices) < 20, "a message comes again and again"
    return [notice["status"] for notice in belt.notices[before:]]


@pytest.fixture
def full(belt: Belt) -> str:
    """Return a run whose third batch does not fit into the day, before anything was said of that."""
    day_ceiling(belt, "0.40")
    run = belt.upload(DEAR)
    belt.submit({"run": run})
    belt.submit({"run": run})
    assert (belt.creates(), belt.facts(run, "budget")) == ((2, 2), ["budget-2026-11-30.json"])
    return run


def test_people_hear_of_80_percent_of_100_percent_and_of_a_run_that_waits(belt: Belt) -> None:
    """Each once, when it happens; what can be done is done a second later."""
    day_ceiling(belt, "0.40")
    run = belt.upload(DEAR)
    assert statuses(belt, run) == []
    send_one(belt, run)
    notice = message(belt, run)
    assert notice["status"] == REACHED
    assert "At least 80 % of what all projects that config/budgets.json does not name" in plain(notice["message"])
    assert "is taken: $0.33 of $0.40." in plain(notice["message"])
    send_one(belt, run)
    reached = belt.poll(run)
    assert (reached["next"], reached["wait_seconds"]) == ("notify", 1)
    assert "does not fit into the rest of what" in plain(reached["notice"]["message"])
    waits = message(belt, run)
    assert (waits["status"], waits["subject"]) == (
        WAITS,
        "Conveyor: budget three (needs $0.17, $0.07 left today)",
    )
    assert "Day ends: 2026-12-01 00:00 UTC" in plain(waits["message"])
    for _ in range(30):
        send_one(belt, run)
        belt.pass_time(300)
    assert len(belt.notices) == 3


def test_the_run_that_waits_is_stopped_by_the_command_of_its_message(belt: Belt, full: str) -> None:
    """What was sent is kept."""
    assert statuses(belt, full) == [REACHED, REACHED, WAITS]
    run_command(belt, commands(belt.notices[-1])[-1])
    assert belt.finish(full)["status"] == "stopped"


def test_one_run_of_a_project_tells_people(belt: Belt, full: str) -> None:
    """Of several that reach it together; each tells for itself that it waits."""
    other = belt.upload(TWO, "inbox/other.jsonl")
    assert "reached-2026-11-30-100.json" in belt.facts(other, "reached")
    assert statuses(belt, other) == [REACHED, WAITS]
    assert statuses(belt, full) == [REACHED, WAITS]
    told = {notice["subject"] for notice in belt.notices if notice["status"] == REACHED}
    assert told == {f"Conveyor: budget default ({figures} of $0.40 today)" for figures in ("80 %", "no room at $0.33")}
    claims = {key: belt.read(key).decode() for key in belt.stored("claims/spend/default/2026-11-30/reached-")}
    prefix = "claims/spend/default/2026-11-30/reached-"
    assert claims == {f"{prefix}80": full, f"{prefix}100": other}


def test_a_run_that_waits_for_a_day_of_its_own_does_not_say_that_this_one_is_full(belt: Belt) -> None:
    """Others go on: it says for itself why it waits."""
    day_ceiling(belt, "0.15")
    belt.upload(request("small", max_tokens=1000), "inbox/small.jsonl")
    run = belt.upload(ONE)
    say(belt, run, "up-to 0.17", 2)
    belt.poll(run)
    belt.submit({"run": run})
    assert belt.creates() == (1, 1)
    assert statuses(belt, run) == [WAITS]


def test_each_project_and_each_day_is_told(belt: Belt) -> None:
    """The message names the project, and its attribute is the project's."""
    set_budgets(belt, {"projects": {"team-a": {"usd_per_day": "0.17"}, "team-b": {"usd_per_day": "0.17"}}})
    for team in ("team-a", "team-b"):
        run = belt.upload(ONE, f"inbox/{team}/one.jsonl")
        assert statuses(belt, run) == [REACHED]
    belt.pass_time(24 * HOUR)
    run = belt.upload(TWO, "inbox/team-a/two.jsonl")
    assert statuses(belt, run) == [REACHED]
    assert [notice["project"] for notice in belt.notices] == ["team-a", "team-b", "team-a"]
    assert 'what the project "team-a" may spend today' in plain(belt.notices[0]["message"])


def test_a_message_that_is_lost_with_the_state_is_sent_again_by_the_run_that_claimed_it(belt: Belt, full: str) -> None:
    """After a failed execution a person starts another with the first state: better told twice than never."""
    assert statuses(belt, full) == [REACHED, REACHED, WAITS]
    other = belt.upload(TWO, "inbox/other.jsonl")
    assert statuses(belt, other) == [WAITS]
    for run, status in ((full, REACHED), (other, WAITS)):
        state = poll({"run": run} | FIRST, belt.clients, belt.invocation())
        assert (state["next"], state["notice"]["status"]) == ("notify", status)


def test_a_run_that_ends_has_told_of_what_it_reached(belt: Belt) -> None:
    """Its batch may be answered before the first look at it."""
    belt.provider.configure(seconds=0)
    day_ceiling(belt, "0.17")
    run = belt.upload(ONE)
    assert belt.finish(run)["status"] == "completed"
    assert [notice["status"] for notice in belt.notices] == [REACHED]


def test_the_message_of_a_gate_comes_first_and_a_run_that_waits_for_a_person_waits_for_nothing_else(
    belt: Belt, full: str
) -> None:
    """Room would not let it go on."""
    pause(belt, full)
    assert statuses(belt, full) == ["waiting-for-approval", REACHED, REACHED]
    say(belt, full, "approve", gate=2)
    assert statuses(belt, full) == [WAITS]


def test_a_run_whose_day_is_over_says_nothing_of_it(belt: Belt, full: str) -> None:
    """It looks for room in the new day first."""
    belt.pass_time(12 * HOUR)
    assert statuses(belt, full) == [REACHED, REACHED]
    send_one(belt, full)
    assert belt.creates() == (3, 3)


def test_a_run_that_has_sent_all_waits_for_nothing(belt: Belt, full: str) -> None:
    """There was room before the message came."""
    day_ceiling(belt, "1")
    belt.submit({"run": full})
    assert belt.creates() == (3, 3)
    assert WAITS not in statuses(belt, full)


@pytest.mark.parametrize("lost", [{"budget"}, {"budget", "gate"}])
def test_an_execution_of_an_earlier_version_hands_the_run_to_one_that_tells(
    belt: Belt, full: str, lost: set[str]
) -> None:
    """It passes on nothing about budgets; it would tell with each look, or never."""
    old: dict[str, Any] = {name: value for name, value in FIRST.items() if name not in lost}
    state = poll({"run": full} | old, belt.clients, belt.invocation())
    assert (state["next"], state["execution"]["number"], state["notice"]) == ("continue", 2, None)
    belt.submit({"run": full, "continue": {name: state[name] for name in ("run", "wait_seconds", *old)}})
    belt.go_on(full, 2)
    assert statuses(belt, full) == [REACHED, REACHED, WAITS]
