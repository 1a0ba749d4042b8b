"""What `conveyor watch` asks of AWS: few requests, however large a run is, or however many there are."""

import json
import time

import msgspec
import pytest
from msgspec.structs import replace

from conveyor.domain import keys
from conveyor.domain.drop import PROJECT
from conveyor.domain.plan import Batch, Plan, ValidatedDrop, encode_plan
from conveyor.domain.status import Status
from conveyor.ledger.batch_facts import Submitted
from conveyor.ledger.gate_facts import Gate
from conveyor.ledger.part import Part
from conveyor.ledger.run_facts import Run
from conveyor.spend.index_entry import IndexEntry, StartEntry
from conveyor_cli.frames.snapshot import snapshot_of
from conveyor_cli.runs.reader import MOST_FACTS, Reader
from conveyor_cli.watching.every import MOST_FOLLOWED
from tests.cli.test_docs import the_bucket
from tests.cli.test_watch import EVERY, once_shown
from tests.support.belt import Belt, drop_of
from tests.support.command import Command
from tests.support.desk_runs import ago
from tests.support.examples import NOW, RUN
from tests.support.gates import HELD
from tests.support.memory_aws.bucket import BucketInMemory
from tests.support.memory_aws.served import Served
from tests.support.watched import CLOSED

_encode = msgspec.json.Encoder(decimal_format="number").encode


def write_large_run(bucket: BucketInMemory, batches: int, gate: Gate) -> str:
    """Write a run of which two batches of three are done, and the rest is not sent, but for ten batches."""
    run = ago(1, hours=5)
    bucket.put(Run.key(run), _encode(replace(RUN, run=run)), {})
    cut = [Batch(number, 1, 0, requests=10) for number in range(1, batches + 1)]
    bucket.put(keys.plan(run), encode_plan(Plan(ValidatedDrop(batches * 10, "f00", is_gated=True), cut)), {})
    bucket.put(Gate.key(run, 1), _encode(gate), {})
    bucket.put(StartEntry(RUN.project, run, 1).key, b"", {})
    part = _encode(Part("w", NOW, {"succeeded": 9, "errored": 1}, 0, 0, 0, {}, [], NOW))
    sent = _encode(Submitted("w", NOW, "msgbatch_1", NOW, NOW))
    done = batches * 2 // 3
    for number in range(1, done + 11):
        prefix = keys.batch(run, number)
        bucket.put(f"{prefix}attempt-1.json", b"{}", {})
        bucket.put(f"{prefix}batch-1.json", sent, {})
        if number <= done:
            bucket.put(f"{prefix}part.json", part, {})
    return run


def test_a_look_at_three_thousand_batches(desk: Command, aws: Served) -> None:
    """A list of its facts, and of those that are new 256: so the first frame is soon there, and the rest follows.

    A request lists 1,000 facts: here 6,033. One asks whether the run has ended, and two what people have said of it.
    """
    run = write_large_run(the_bucket(aws), 3000, CLOSED)
    aws.reset()
    begun = time.monotonic()
    ran = desk.call("watch", run, *EVERY, "--json")
    seconds = time.monotonic() - begun
    (told,) = map(json.loads, ran.out.splitlines())
    assert (ran.exit, told["phase"]) == (4, "held")
    assert (told["batches"]["all"], told["batches"]["with_provider"], told["batches"]["to_send"]) == (3000, 10, 990)
    assert told["unread"] == 2000 + 10 + 1 - MOST_FACTS
    assert aws.asked["LIST"] == 1 + 7 + 2
    assert aws.asked["GET"] == MOST_FACTS + len(["run", "plan", "gate"])
    assert seconds < 20, "of a machine that is busy with other tests; less than two of an idle one"


def test_facts_are_read_once(aws: Served, belt: Belt) -> None:
    """Once all were read, a look is a list, and nothing else."""
    bucket = the_bucket(aws)
    run = write_large_run(bucket, 600, CLOSED)
    reader = Reader(belt.clients.bucket, replace(RUN, run=run))
    looks = [reader.look(NOW), reader.look(NOW)]
    assert [look.unread_facts for look in looks] == [400 + 10 + 1 - MOST_FACTS, 0]
    assert snapshot_of(looks[1], NOW).total.answered == 9 * 400
    for key in belt.stored(keys.ledger(run)):
        bucket.put(key, b"unreadable", {})
    assert snapshot_of(reader.look(NOW), NOW).total.answered == 9 * 400
    with pytest.raises(msgspec.DecodeError):
        Reader(belt.clients.bucket, replace(RUN, run=run)).look(NOW)


def test_a_thousand_runs(desk: Command, belt: Belt, aws: Served) -> None:
    """Those that have ended are not read; of the others the newest, with a list each."""
    bucket = the_bucket(aws)
    for number in range(1000):
        run = ago(number, minutes=10 + number)
        bucket.put(StartEntry("shop", run, 1).key, b"", {})
        if number % 10:
            bucket.put(IndexEntry("shop", run, Status.COMPLETED, 10, 10, 0, None).key, b"", {})
        else:
            bucket.put(Run.key(run), _encode(replace(RUN, run=run, name=f"run-{number}", project="shop")), {})
    held = belt.upload(drop_of(3), "inbox/held.jsonl", HELD | {PROJECT: "shop"})
    belt.poll(held)
    aws.reset()
    ran = desk.call("watch", "--all", *EVERY)
    assert ran.exit == 4
    assert len(ran.error.splitlines()) == MOST_FOLLOWED
    assert " held waiting for approval\n" in ran.error
    assert aws.asked["LIST"] <= 2 + 3 + MOST_FOLLOWED
    assert aws.asked["GET"] <= MOST_FOLLOWED + 5


def test_of_all_runs_one_in_trouble_has_its_reason(desk: Command, belt: Belt, aws: Served) -> None:
    """It has one line as long as it lasts, since its words do not change with the clock."""
    belt.provider.configure(seconds=3600)
    run = belt.upload(drop_of(3), "inbox/going.jsonl")
    belt.provider.fail("retrieve", {"kind": "answer", "status": 503}, times=None)
    for _ in range(2):
        belt.pass_time(60)
        belt.poll(run)

    def mend() -> None:
        belt.provider.configure(faults=[], seconds=0)
        belt.finish(run)

    with once_shown(aws, mend, looks=3):
        ran = desk.call("watch", "--all", *EVERY)
    lines = [line.partition(" going ")[2] for line in ran.error.splitlines()]
    assert lines.count("The provider is not available (HTTP 503)") == 1
    assert lines[-1] == "done"


def test_all_runs_to_their_end(desk: Command, belt: Belt, aws: Served) -> None:
    """The lines of those that have ended stay; at the end the code is 0."""
    runs = [belt.upload(drop_of(3), f"inbox/{name}.jsonl") for name in ("a", "b")]

    def both() -> None:
        for run in runs:
            belt.finish(run)

    with once_shown(aws, both, looks=2):
        ran = desk.call("watch", "--all", *EVERY, "--json")
    assert ran.exit == 0
    told = [json.loads(line) for line in ran.out.splitlines()]
    assert [(each["name"], each["state"]) for each in told[-2:]] in (
        [("a", "done"), ("b", "done")], [("b", "done"), ("a", "done")],
    )  # fmt: skip
    assert {each["phase"] for each in told} >= {"batches", "done"}


@pytest.mark.slow
def test_all_runs_in_a_terminal(desk: Command, belt: Belt, aws: Served) -> None:
    """A line for each, in place; the last frame stays."""
    run = belt.upload(drop_of(3), "inbox/support/labels.jsonl")
    with once_shown(aws, lambda: belt.finish(run), looks=2):
        ran = desk.call_in_terminal("watch", "--all", *EVERY)
    assert ran.exit == 0
    assert "► support/labels  with the provider" in ran.plain
    assert "✓ support/labels  done" in ran.plain


def test_all_runs_and_a_name_exclude_each_other(desk: Command) -> None:
    """Wrong usage."""
    assert desk.call("watch", "labels", "--all").exit == 2
    assert desk.call("watch", "labels", "--until", "held", "--keep-waiting").exit == 2
