"""Commands that decide something, as a screen shows them, do what they say where they are typed."""

import shlex
from collections.abc import Callable

import pytest

from conveyor_cli.screen.screen import Screen
from conveyor_cli.screen.terminal import Look
from tests.support.belt import Belt, drop_of
from tests.support.command import Command, Ran
from tests.support.desk_drops import Reaction
from tests.support.faults.scenes import GONE, LOST, inject_faults
from tests.support.gates import DEAR, HELD

NAME = "inbox/support/labels.jsonl"
EVERY = ("--every", "0.05")


def shown(ran: Ran) -> list[str]:
    """Return the commands that were shown."""
    text = f"{ran.plain}{ran.error}".replace("\\\n", "")
    lines = [" ".join(line.split()) for line in text.splitlines() if line.startswith("    conveyor ")]
    return list(dict.fromkeys(lines))


def held(desk: Command, belt: Belt) -> Ran:
    """Follow a run that waits for what it may cost."""
    belt.poll(belt.upload(DEAR, NAME, HELD))
    return desk.call("watch", "labels", *EVERY)


def undecided(desk: Command, belt: Belt) -> Ran:
    """Ask what can be decided of a run whose paid call got no answer."""
    inject_faults(belt, LOST, GONE)
    run = belt.upload(drop_of(4), NAME)
    belt.poll(run)
    return desk.call("decide", run)


def paused(desk: Command, belt: Belt) -> Ran:
    """Pause a run before it sends, and let it see that."""
    belt.provider.fail("create", {"kind": "answer", "status": 429}, times=None)
    run = belt.upload(drop_of(4), NAME)
    ran = desk.call("pause", run, "--yes")
    belt.poll(run)
    return ran


def going(desk: Command, belt: Belt) -> Ran:
    """Erase a run that goes on: it must be stopped first."""
    belt.provider.configure(seconds=3600)
    return desk.call("erase", belt.upload(drop_of(3), NAME), "--yes")


@pytest.mark.parametrize(
    ("scene", "words"),
    [(held, "approve stop"), (undecided, "decide decide"), (paused, "approve"), (going, "stop")],
    ids=["held", "undecided", "paused", "going"],
)
def test_without_a_terminal_a_command_that_is_shown_asks_nobody(
    desk: Command, belt: Belt, scene: Callable[[Command, Belt], Ran], words: str
) -> None:
    """Its reader has no terminal either, and would get an error in place of a question."""
    commands = shown(scene(desk, belt))
    assert [command.split()[1] for command in commands] == words.split()
    for command in commands:
        ran = desk.call(*shlex.split(command)[1:])
        assert (ran.exit, ran.error) == (0, ""), command
    assert belt.stored("control/")


def test_a_program_is_told_the_amount_of_a_run_that_holds_the_same_content(desk: Command, reaction: Reaction) -> None:
    """The first command has no amount, which nobody was shown: its error has the command with it."""
    (desk.home / "labels.jsonl").write_bytes(DEAR)
    assert desk.call("drop", "labels.jsonl", "--hold").exit == 0
    approve, _ = shown(desk.call("drop", "labels.jsonl", "--hold"))
    assert approve == f"conveyor approve {reaction.runs[0]} --yes"
    ran = desk.call(*shlex.split(approve)[1:])
    assert ran.exit == 2
    (with_amount,) = shown(ran)
    assert desk.call(*shlex.split(with_amount)[1:]).exit == 0


def test_a_lost_answer_has_a_command_that_shows_what_can_be_decided(desk: Command, belt: Belt) -> None:
    """It decides nothing: the batches that may be it are not in the frame."""
    undecided(desk, belt)
    commands = shown(desk.call_in_terminal("decide", "labels", typed="\n"))
    assert [command.partition(" --")[0] for command in commands] == ["conveyor decide labels"] * 2
    assert not any("--yes" in command for command in commands)


def test_in_a_terminal_a_command_that_is_shown_asks(desk: Command, belt: Belt) -> None:
    """A person is to see the price."""
    belt.poll(belt.upload(DEAR, NAME, HELD))
    approve, stop = shown(desk.call_in_terminal("watch", "labels", "--until", "held", *EVERY))
    assert "--yes" not in approve + stop
    assert desk.call_in_terminal(*shlex.split(approve)[1:], typed="approve\n").exit == 0


@pytest.mark.parametrize(
    ("command", "typed"),
    [
        ("conveyor stop 'a --yes'", "conveyor stop 'a --yes' --yes"),
        ("conveyor approve a --yes --up-to 1", "conveyor approve a --yes --up-to 1"),
        ("conveyor decide a", "conveyor decide a"),
        ("conveyor watch stop", "conveyor watch stop"),
        ("conveyor drop approve --name --adopt", "conveyor drop approve --name --adopt"),
    ],
)
def test_only_what_asks_has_the_option(command: str, typed: str) -> None:
    """Other commands do not know it, and a name may have any words."""
    assert Screen(Look(json=True)).typed(command) == typed
