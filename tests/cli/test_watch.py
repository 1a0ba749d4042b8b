"""The command `conveyor watch` as a program: how it ends, for each way in which a run can."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Thread

import pytest

from conveyor_cli.runs.reader import Reader
from tests.support.belt import Belt, drop_of, request
from tests.support.command import SECONDS, Command, Ran
from tests.support.gates import HELD, say, stop
from tests.support.memory_aws.served import Served

NAME = "inbox/support/labels.jsonl"
EVERY = ("--every", "0.05")


@contextmanager
def once_shown(aws: Served, do: Callable[[], object], looks: int = 1) -> Iterator[None]:
    """Do something once the command in the block has looked so often: each look asks for two lists."""

    def late() -> None:
        wanted = time.monotonic() + SECONDS
        while aws.asked["LIST"] <= 2 * looks and time.monotonic() < wanted:
            time.sleep(0.01)
        do()

    aws.asked.clear()
    thread = Thread(target=late)
    thread.start()
    try:
        yield
    finally:
        thread.join()


@pytest.fixture
def followed(desk: Command, belt: Belt, aws: Served) -> Callable[..., Ran]:
    """Return what watches a run while it goes on to its end."""

    def follow(run: str, *options: str) -> Ran:
        with once_shown(aws, lambda: belt.finish(run)):
            return desk.call("watch", run, *EVERY, *options)

    return follow


def test_a_run_is_followed_to_its_end(followed: Callable[..., Ran], belt: Belt) -> None:
    """The verdict is all that stands on stdout; what changed is on stderr, a line for each change, in UTC."""
    run = belt.upload(drop_of(3), NAME)
    ran = followed(run)
    assert ran.exit == 0
    assert ran.out.startswith("✓ All 3 requests of support/labels were answered\n  It took ")
    assert ran.out.endswith(f"\n  Get the files\n    conveyor fetch {run}\n")
    assert "Nothing is running, and nothing more is charged." in ran.out
    lines = ran.error.splitlines()
    assert [line.split()[2] for line in lines][:2] == ["validated", "batches"]
    assert lines[-1].split()[1:5] == ["support/labels", "ended", "All", "3"]


def test_some_failed(followed: Callable[..., Ran], belt: Belt) -> None:
    """Exit code 1."""
    belt.provider.configure(outcomes={"2": "errored:invalid_request_error"})
    ran = followed(belt.upload(drop_of(3), NAME))
    assert ran.exit == 1
    assert ran.out.startswith("◆ 2 of 3 requests of support/labels were answered. 1 failed\n")
    assert "  ✗ all answered" in ran.out


def test_a_refused_drop_shows_its_faults(followed: Callable[..., Ran], belt: Belt) -> None:
    """By line, with the command that sends the others. Exit code 3."""
    run = belt.upload(request("a") + b"\n" + request("b") + b"\n" + request("a") + b"\n", NAME)
    ran = followed(run)
    assert ran.exit == 3
    assert ran.out.startswith("✗ support/labels was refused: 1 of 3 lines is invalid")
    assert "   3  custom-id-duplicate" in ran.out
    assert f"conveyor drop --again {run} --on-invalid skip\n" in ran.out


def test_a_hold_ends_it_where_nobody_can_approve(desk: Command, belt: Belt) -> None:
    """Exit code 4, with the command that lets it go on, and its price."""
    run = belt.upload(drop_of(3), NAME, HELD)
    belt.poll(run)
    ran = desk.call("watch", "labels", *EVERY)
    assert ran.exit == 4
    assert ran.out.startswith("‖ Held: ")
    assert "\n    conveyor approve support/labels --up-to 0." in ran.out
    assert ran.out.endswith("  End the run\n    conveyor stop support/labels --yes\n")
    last = json.loads(desk.call("watch", "labels", *EVERY, "--json").out.splitlines()[-1])
    assert (last["phase"], last["needs"], last["held"][0]["code"]) == ("held", "approve or stop", "asked")


def test_a_run_that_was_approved_is_not_held_any_more(followed: Callable[..., Ran], belt: Belt) -> None:
    """Also before it has looked at the approval: a program may approve it and then watch it."""
    run = belt.upload(drop_of(3), NAME, HELD)
    belt.poll(run)
    say(belt, run, "approve")
    assert followed(run).exit == 0


def test_an_answer_that_opens_nothing_leaves_it_held(belt: Belt) -> None:
    """Once it has had the time of two looks."""
    run = belt.upload(drop_of(3), NAME, HELD)
    belt.poll(run)
    reader = Reader(belt.clients.bucket, belt.clients.context(run, belt.invocation()).run)
    facts = reader.look(belt.moment)
    assert reader.is_held(facts)
    say(belt, run, "up-to 0.000001")
    looks = timedelta(seconds=2 * reader.run.settings.poll_max_seconds)
    assert not reader.is_held(facts)
    assert not reader.is_held(facts._replace(at=facts.at + looks))
    assert reader.is_held(facts._replace(at=facts.at + 2 * looks))


def test_keep_waiting(followed: Callable[..., Ran], belt: Belt) -> None:
    """A hold is waited out. Exit code 5 once a person has stopped the run."""
    run = belt.upload(drop_of(3), NAME, HELD)
    belt.poll(run)
    stop(belt, run)
    ran = followed(run, "--keep-waiting")
    assert ran.exit == 5
    assert ran.out.startswith("– support/labels was stopped before anything was sent")  # noqa: RUF001


def test_as_json(followed: Callable[..., Ran], belt: Belt) -> None:
    """An object for each change; the last one has the verdict."""
    ran = followed(belt.upload(drop_of(3), NAME), "--json")
    assert (ran.exit, ran.error) == (0, "")
    first, *_, last = map(json.loads, ran.out.splitlines())
    assert (first["phase"], first["requests"], first["batches"]["with_provider"]) == ("batches", 3, 1)
    assert (last["phase"], last["verdict"]["status"], last["verdict"]["exit"]) == ("done", "completed", 0)
    assert last["verdict"]["files"]["results"].startswith("s3://")


def test_trouble_has_a_line_when_it_begins_and_one_when_it_is_over(desk: Command, belt: Belt, aws: Served) -> None:
    """Also of one that has begun before."""
    belt.provider.configure(seconds=3600)
    run = belt.upload(drop_of(3), NAME)
    belt.provider.fail("retrieve", {"kind": "answer", "status": 503}, times=None)
    since = f"{belt.moment:%Y-%m-%dT%H:%M:%SZ}"
    for _ in range(2):
        belt.poll(run)
        belt.pass_time(60)

    def mend() -> None:
        belt.provider.configure(faults=[], seconds=0)
        belt.poll(run)
        with once_shown(aws, lambda: belt.finish(run)):
            pass

    with once_shown(aws, mend):
        ran = desk.call("watch", run, *EVERY)
    words = f"The provider is not available (HTTP 503), since {since}"
    lines = ran.error.splitlines()
    told = [line.partition(" support/labels ")[2] for line in lines]
    assert [line for line in told if since in line] == [f"trouble {words}", f"over: {words}"]
    assert "  The provider is asked again at each look, and the run goes on by itself." in lines


def test_the_newest_run_is_followed_without_a_name(desk: Command, belt: Belt, aws: Served) -> None:
    """And it says so if there is none."""
    assert desk.call("watch", *EVERY).exit == 2
    belt.finish(belt.upload(drop_of(3), NAME))
    aws.reset()
    ran = desk.call("watch", *EVERY)
    assert ran.exit == 0
    assert aws.asked["LIST"] + aws.asked["GET"] <= 5
