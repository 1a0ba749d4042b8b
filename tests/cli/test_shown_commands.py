"""Commands that a screen shows are about the run, and the stack, that the screen is about."""

from tests.support.belt import Belt, drop_of
from tests.support.command import Command
from tests.support.memory_aws.served import Served

HELD = {"hold": "always"}


def shown(out: str) -> list[str]:
    """Return the commands of a screen."""
    return [line.strip() for line in out.splitlines() if line.startswith("    conveyor ")]


def two_runs(belt: Belt, first: int, second: int, **metadata: str) -> tuple[str, str]:
    """Drop two files of so many lines under one name; return the older run and the newer one."""
    older, newer = (belt.upload(drop_of(lines), "inbox/support/labels.jsonl", metadata) for lines in (first, second))
    return older, newer


def test_who_names_an_id_is_shown_commands_with_the_id(desk: Command, belt: Belt) -> None:
    """Its name means a newer run by now, whose price is another."""
    older, newer = sorted(two_runs(belt, 2, 3, **HELD))
    commands = shown(desk.call("watch", older).out)
    assert [command.split()[:3] for command in commands] == [["conveyor", word, older] for word in ("approve", "stop")]
    assert all("support/labels" in command for command in shown(desk.call("watch", "labels").out))
    assert desk.call("stop", older, "--yes").exit == 0
    belt.finish(older)
    again = shown(desk.call("watch", older).out)
    assert again, "a run that was stopped can run after all"
    assert all(older in command and newer not in command for command in again)


def test_a_name_that_is_an_option_or_an_id_is_not_shown(desk: Command, belt: Belt) -> None:
    """A drop may be called as the id of another run: a command with its name would stop that one."""
    other = belt.upload(drop_of(2), "inbox/labels.jsonl", HELD)
    odd = belt.upload(drop_of(3), f"inbox/{other}.jsonl", HELD)
    dash = belt.upload(drop_of(4), "inbox/-rf.jsonl", HELD)
    for run in (odd, dash):
        assert all(command.split()[2] == run for command in shown(desk.call("watch", run).out))
    unknown = "20200101T000000Z-0123456789ab"
    called = belt.upload(drop_of(5), f"inbox/{unknown}.jsonl", HELD)
    assert all(command.split()[2] == called for command in shown(desk.call("watch", unknown).out))


def test_commands_repeat_the_stack_that_was_chosen_for_once(desk: Command, belt: Belt, aws: Served) -> None:
    """Without it they would be about a run of the stack in use, which may have the same name."""
    belt.upload(drop_of(2), "inbox/labels.jsonl", HELD)
    named = ("--stack", "conveyor", "--region", "us-east-1")
    assert all(command.endswith(" ".join(named)) for command in shown(desk.call("watch", "labels", *named).out))
    assert not any("--stack" in command for command in shown(desk.call("watch", "labels").out))
    assert not any(
        "--stack" in command for command in shown(desk.call("watch", "labels", CONVEYOR_STACK="conveyor").out)
    )
    assert "    conveyor runs --stack conveyor\n" in desk.call("stop", "none", "--stack", "conveyor").error
    assert aws.asked
