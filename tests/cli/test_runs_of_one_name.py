"""A name that several runs have: which of them a command takes is said, and how to name another."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from conveyor.s3.bucket import MOST_READS
from conveyor_cli.runs.find import find_named, find_run
from tests.support.belt import Belt, drop_of, request
from tests.support.command import Command, Ran
from tests.support.desk_drops import Reaction
from tests.support.gates import DEAR, HELD
from tests.support.memory_aws.served import Served

NAME = "inbox/support/labels.jsonl"
EVERY = ("--every", "0.05")


def two_runs(belt: Belt) -> list[str]:
    """Drop two files under one name, each of which waits; return the newer run, and the older one."""
    runs = [belt.upload(data, NAME, HELD) for data in (DEAR, DEAR + request("more") + b"\n")]
    for run in runs:
        belt.poll(run)
    return sorted(runs, reverse=True)


DECISIONS: dict[str, tuple[str, ...]] = {
    "approve": ("--yes", "--up-to", "5"),
    "stop": ("--yes",),
}


@pytest.mark.parametrize("word", DECISIONS)
def test_a_decision_says_which_run_it_takes(desk: Command, belt: Belt, word: str) -> None:
    """Before it asks; the id takes the other one, and then there is nothing to say."""
    newer, older = two_runs(belt)
    asked = desk.call_in_terminal(word, "labels", typed="no\n")
    said = " ".join(asked.plain.split())
    assert (
        f'! "labels" is the name of 2 runs; the newest is meant, {newer} To mean another, type its id: {older}' in said
    )
    assert said.index("To mean another") < said.index(f"Type {word} to")
    ran = desk.call(word, "labels", *DECISIONS[word])
    assert (ran.exit, f"the newest is meant, {newer}\n" in ran.error) == (0, True)
    assert [key for key in belt.stored("control/") if newer in key]
    ran = desk.call(word, older, *DECISIONS[word])
    assert (ran.exit, ran.error) == (0, "")
    assert [key for key in belt.stored("control/") if older in key]


def test_to_pause_says_it_too(desk: Command, belt: Belt) -> None:
    """Here of runs that go on."""
    belt.provider.configure(seconds=3600)
    newer, older = sorted((belt.upload(drop_of(count), NAME) for count in (2, 3)), reverse=True)
    error = desk.call("pause", "labels", "--yes").error
    assert f"the newest is meant, {newer}\n  To mean another, type its id: {older}\n" in error


def test_to_erase_says_it_too(desk: Command, belt: Belt) -> None:
    """The other run keeps its files."""
    runs = [belt.upload(drop_of(count), NAME) for count in (2, 3)]
    for run in runs:
        belt.finish(run)
    newer, older = sorted(runs, reverse=True)
    error = desk.call("erase", "support/labels", "--yes").error
    assert f'! "support/labels" is the name of 2 runs; the newest is meant, {newer}\n' in error
    assert belt.stored(f"results/support/labels/{older}/")
    assert not belt.stored(f"results/support/labels/{newer}/")


def test_to_drop_again_says_whose_drop_is_paid_for(conveyor: Command, reaction: Reaction) -> None:
    """Also a dry run, which is to show what would be done."""
    for count in (2, 3):
        (conveyor.home / "labels.jsonl").write_bytes(drop_of(count))
        assert conveyor.call("drop", "labels.jsonl").exit == 0
    newer = max(reaction.runs)
    (conveyor.home / "labels.jsonl").unlink()
    for options in (("--dry-run",), ()):
        ran = conveyor.call("drop", "--again", "labels", *options)
        assert ran.exit == 0
        assert f'! "labels" is the name of 2 runs; the newest is meant, {newer}\n' in ran.error


READS: list[Callable[[Command], Ran]] = [
    lambda desk: desk.call("watch", "labels", *EVERY),
    lambda desk: desk.call("report", "labels", "-o", "page.html"),
    lambda desk: desk.call("fetch", "labels"),
    lambda desk: desk.call("table", "labels", "-o", "answers.csv"),
]


def test_what_only_reads_says_it_in_one_line_beside_the_result(desk: Command, belt: Belt) -> None:
    """Without a word where JSON is asked for, which has the id."""
    runs = [belt.upload(drop_of(count), NAME) for count in (2, 3)]
    for run in runs:
        belt.finish(run)
    newer, older = sorted(runs, reverse=True)
    named = f'"labels" is the name of at least 2 runs; the newest is meant, {newer}'
    line = f"{named}. To mean another, type its id: {older}"
    for read in READS:
        ran = read(desk)
        assert (ran.exit, ran.error.count(line), ran.out.count("is the name of")) == (0, 1, 0)
    assert "is the name of" not in desk.call("watch", older, *EVERY).error
    assert desk.call("fetch", "labels", "--json", "--to", "other").error == ""


def test_a_decision_looks_for_older_runs_among_all(desk: Command, belt: Belt, aws: Served) -> None:
    """What only reads asks for no more than finds the newest; two ids are shown, and how many more there are."""
    moment, runs = datetime.now(UTC) - timedelta(hours=1), list[str]()
    aws.memory.s3.buckets[belt.bucket].now = lambda: moment + timedelta(minutes=len(runs))
    for name in ("labels", *["other"] * MOST_READS, "labels", "labels", "labels"):
        runs.append(belt.upload(drop_of(len(runs) + 1), f"inbox/support/{name}.jsonl"))
    *_, third, second, newest = runs
    bucket = belt.clients.bucket
    assert find_named(bucket, "labels").others == (second, third)
    assert find_named(bucket, "labels", reads_all=True) == (find_run(bucket, newest), (second, third, runs[0]))
    error = desk.call("stop", "labels", "--yes").error
    assert f"To mean another, type its id: {second}, {third}, and 1 more: see conveyor runs\n" in error
