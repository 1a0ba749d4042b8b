"""What a person says of a paid call whose response was lost, and what is written of that."""

import json

import pytest

from conveyor.domain import keys
from tests.support.belt import Belt, drop_of
from tests.support.command import Command
from tests.support.faults.scenes import GONE, HOUR, LOST, UNSENT, finish_with_retries, inject_faults, write_control
from tests.support.settings import tune

DATA = drop_of(4)
NAME = "inbox/labels.jsonl"
DECISION = "batches/1/attempt-1"


def undecided(belt: Belt, metadata: dict[str, str] | None = None) -> tuple[str, str]:
    """Lose the response of a create request whose batch cannot be read; return the run, and the id of the batch."""
    inject_faults(belt, LOST, GONE)
    run = belt.upload(DATA, NAME, metadata)
    belt.poll(run)
    return run, belt.provider.stats()["batches"][0]["id"]


def written(belt: Belt) -> dict[str, bytes]:
    """Return what people have written."""
    return {key: belt.read(key) for key in belt.stored("control/")}


def test_the_batches_that_may_be_it_are_shown_and_the_words_of_the_message_are_typed(desk: Command, belt: Belt) -> None:
    """The run follows them: nothing is paid again."""
    run, batch = undecided(belt)
    ran = desk.call_in_terminal("decide", "labels", typed=f"adopt {batch}\n")
    assert ran.exit == 0
    said = " ".join(ran.plain.split())
    assert said.startswith("? labels: looking for a batch The response to the create request for batch 1 was lost")
    assert "batch 1 4 requests" in said
    assert "paid twice $0.01 at most, if you submit again and the batch exists" in said, "never less than it may be"
    assert f"{batch}, created {belt.moment:%d %b}" in said
    assert "If this batch belongs to the run, and its results are yours:" in said
    assert f"conveyor decide labels --adopt {batch}\n" in ran.plain
    assert written(belt) == {f"control/default/{run}/{DECISION}": f"adopt {batch}\n".encode()}
    belt.poll(run)
    fact = belt.fact(run, "batches/1/batch-1.json")
    assert (fact["id"], fact["released"]) == (batch, True)
    assert belt.creates() == (1, 1)


@pytest.mark.parametrize(("typed", "code"), [("\n", 0), ("yes\n", 2), ("adopt a b\n", 2)])
def test_other_words_decide_nothing(desk: Command, belt: Belt, typed: str, code: int) -> None:
    """An empty line leaves the attempt open."""
    undecided(belt)
    ran = desk.call_in_terminal("decide", "labels", typed=typed)
    assert ("Left open: batch 1" in ran.plain, ran.exit, written(belt)) == (not code, code, {})


def test_a_program_says_by_an_option_that_the_run_pays_again(desk: Command, belt: Belt) -> None:
    """The batch is then sent once more."""
    run, _ = undecided(belt, {"project": "legal"})
    assert desk.call("decide", run, "--submit-again").error.startswith("✗ decide needs a terminal, or --yes\n")
    ran = desk.call("decide", run, "--submit-again", "--yes", "--json")
    told = {"v": 1, "run": run, "done": "decide", "batch": "1", "attempt": 1, "words": "submit again"}
    assert json.loads(ran.out) == told
    assert written(belt) == {f"control/legal/{run}/{DECISION}": b"submit again\n"}
    inject_faults(belt)
    assert finish_with_retries(belt, run).notice["status"] == "completed"
    assert belt.creates() == (2, 2)


def test_without_a_choice_nothing_is_written(desk: Command, belt: Belt) -> None:
    """What could be said is shown."""
    run, batch = undecided(belt)
    ran = desk.call("decide", run, "--yes")
    assert (ran.exit, written(belt)) == (2, {})
    assert ran.error.startswith("✗ Without a question, --adopt ID or --submit-again must say what became of the call\n")
    assert f"    conveyor decide {run} --adopt {batch} --yes\n" in ran.out


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (
            ("--adopt", "not an id"),
            "✗ --adopt needs the id of a batch, such as msgbatch_01HkcT\n",
        ),
        (("--adopt", "msgbatch_1", "--submit-again"), "✗ --adopt and --submit-again exclude each other\n"),
        (("--adopt", "msgbatch_1", "--batch", "2"), "✗ Batch 2 is not undecided; undecided: 1\n"),
    ],
)
def test_what_the_run_would_not_follow_is_not_written(
    desk: Command, belt: Belt, options: tuple[str, ...], told: str
) -> None:
    """It would answer with a message."""
    run, _ = undecided(belt)
    ran = desk.call("decide", run, "--yes", *options)
    assert (ran.exit, written(belt)) == (2, {})
    assert ran.error.startswith(told)


def test_a_batch_of_another_run_is_not_adopted(desk: Command, belt: Belt) -> None:
    """Its claim names the other run; the words are those of the run's answer."""
    inject_faults(belt, seconds=72_000)
    belt.upload(DATA, "inbox/first.jsonl")
    theirs = belt.provider.stats()["batches"][0]["id"]
    inject_faults(belt, UNSENT, seconds=72_000)
    run = belt.upload(DATA, NAME)
    belt.poll(run)
    ran = desk.call("decide", run, "--adopt", theirs, "--yes")
    assert ran.error.startswith(f"✗ {theirs} cannot be adopted: it belongs to another run\n")
    write_control(belt, run, DECISION, f"adopt {theirs}".encode())
    belt.pass_time(HOUR.total_seconds())
    assert "cannot be adopted: it belongs to another run" in " ".join(belt.poll(run)["notice"]["message"].split())


def test_a_batch_with_other_requests_is_not_adopted(desk: Command, belt: Belt) -> None:
    """A fact says so, once the run has read its results."""
    run, _ = undecided(belt)
    belt.s3.put_object(Bucket=belt.bucket, Key=f"runs/{run}/batches/1/foreign-msgbatch_2.json", Body=b"{}")
    ran = desk.call("decide", run, "--adopt", "msgbatch_2", "--yes")
    assert ran.error.startswith("✗ msgbatch_2 cannot be adopted: its results answer other requests\n")


def test_a_decision_replaces_one_that_was_written_elsewhere(desk: Command, belt: Belt) -> None:
    """Of two that differ the run would follow none."""
    run, batch = undecided(belt)
    write_control(belt, run, DECISION, b"adopt: it")
    desk.call("decide", run, "--adopt", batch, "--yes")
    said = f"adopt {batch}\n".encode()
    assert written(belt) == {f"control/{run}/{DECISION}": said, f"control/default/{run}/{DECISION}": said}


def test_several_attempts_are_decided_one_after_the_other(
    desk: Command, belt: Belt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An option is about one of them, which is named."""
    tune(monkeypatch, max_requests_per_batch=2)
    inject_faults(belt, LOST | {"times": 2}, GONE)
    run = belt.upload(DATA, NAME)
    belt.poll(run)
    belt.submit({"run": run})
    belt.poll(run)
    ran = desk.call("decide", run, "--submit-again", "--yes")
    assert ran.error.startswith("✗ Several batches are undecided: say which with --batch (1, 2)\n")
    assert desk.call("decide", run, "--submit-again", "--batch", "2", "--yes").exit == 0
    own = f"control/default/{run}/batches"
    assert written(belt) == {f"{own}/2/attempt-1": b"submit again\n"}
    ran = desk.call_in_terminal("decide", run, typed="submit again\n" * 2)
    assert ran.exit == 0
    assert written(belt) == {f"{own}/{number}/attempt-1": b"submit again\n" for number in (1, 2)}


def test_a_run_that_is_not_undecided_needs_no_decision(desk: Command, belt: Belt) -> None:
    """Its state is said instead."""
    belt.upload(DATA, NAME)
    ran = desk.call("decide", "labels", "--submit-again", "--yes")
    assert (ran.exit, ran.out) == (2, "")
    assert ran.error.startswith("✗ labels is not undecided; it is with the provider\n")


def test_a_call_that_may_still_be_answered_is_not_decided(desk: Command, belt: Belt) -> None:
    """Its intent says until when that is."""
    run = belt.upload(DATA, NAME)
    belt.s3.delete_object(Bucket=belt.bucket, Key=f"{keys.batch(run, 1)}batch-1.json")
    assert desk.call("decide", run, "--submit-again", "--yes").error.startswith(
        "✗ labels is not undecided; it is sending"
    )
