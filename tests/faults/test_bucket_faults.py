"""Histories by name: S3 answers oddly, facts are lost, stacks share a bucket, splits meet; the account stays true."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

import orjson
import pytest

from conveyor.clients import Clients
from conveyor.split.split import AnotherSplits
from tests.functions.conftest import DEFINITION, Services, close
from tests.functions.sending.test_pay_once import executions
from tests.support.belt import Belt, drop_of
from tests.support.faults.hostile_s3 import conflicting, denying, losing_responses
from tests.support.faults.paid_once import check
from tests.support.faults.scenes import LOST, STOP, batch_of, finish_with_retries, inject_faults, write_control
from tests.support.faults.taps import At, Call, When, crash_at, meanwhile, tapped
from tests.support.promises import plain
from tests.support.settings import STACK_SETTINGS

DATA = drop_of(4)


def forget(belt: Belt, run: str) -> None:
    """Delete all of a run's ledger, as somebody may who tidies up."""
    for key in belt.stored(f"runs/{run}/"):
        belt.s3.delete_object(Bucket=belt.bucket, Key=key)
    assert belt.facts(run) == []


@pytest.mark.parametrize("write", ["/attempt-1.json", "/claims/attempts/", "/split-1.json"])
def test_ones_own_intent_written_twice_is_ones_own(belt: Belt, write: str) -> None:
    """The answer to a write is lost, the client repeats it, and S3 says 412: the intent stands, and is ours."""
    with losing_responses(belt.clients, write):
        ending = finish_with_retries(belt, belt.upload(DATA))
    check(belt, ending, DATA)
    assert (ending.creates, ending.created) == (1, 1)
    assert belt.steps == ["split", "report"], "nobody had to wait"
    assert belt.facts(ending.run, "split") == ["batches/1/split-1.json"]


def test_an_s3_that_answers_409_makes_nobody_pay_again(belt: Belt) -> None:
    """Another writer at the same moment decides nothing: each conditional write is asked for again."""
    with conflicting(belt.clients):
        ending = finish_with_retries(belt, belt.upload(DATA))
    check(belt, ending, DATA)
    assert (ending.creates, ending.created) == (1, 1)


def test_a_claim_that_may_not_be_seen_is_no_claim_and_no_proof(lenient_belt: Belt) -> None:
    """S3 answers 403 for what is not there: two runs in doubt, neither of which has claimed its batch, go on."""
    belt = lenient_belt
    inject_faults(belt, {**LOST, "times": 2})
    runs = [belt.upload(DATA, f"inbox/{name}.jsonl") for name in ("one", "other")]
    with denying(belt.clients) as denied:
        assert {finish_with_retries(belt, run).notice["status"] for run in runs} == {"completed"}
    assert any(b"<Key>claims/batches/" in told for told in denied)
    assert belt.creates() == (2, 2)


def test_a_ledger_that_is_lost_while_the_batch_runs_leads_to_no_second_call(belt: Belt, machine: str) -> None:
    """The upload's event comes again: the claim lies outside the ledger, and the results prove the batch ours."""
    inject_faults(belt, seconds=None)
    event = belt.drop(DATA)
    run = belt.submit(event)["run"]
    batch_id = batch_of(belt, run)
    belt.pass_time(4000)
    forget(belt, run)
    assert belt.submit(event)["run"] == run
    assert belt.facts(run, "attempt") == ["batches/1/attempt-1.json"]
    assert belt.facts(run, "batch-1.json") == []
    belt.provider.configure(seconds=0)
    ending = finish_with_retries(belt, run)
    (account,) = check(belt, ending, DATA)["batches"]
    assert (account["id"], account["adopted"]) == (batch_id, True)
    assert (ending.creates, ending.created) == (1, 1)
    assert executions(belt, machine) == [run]


def test_a_ledger_that_is_lost_after_the_end_leads_to_no_second_call(belt: Belt, machine: str) -> None:
    """Also not by a person who starts the machine again."""
    event = belt.drop(DATA)
    first = finish_with_retries(belt, belt.submit(event)["run"])
    forget(belt, first.run)
    for _ in range(2):
        assert belt.submit(event)["run"] == first.run
    assert executions(belt, machine) == [first.run]
    again = finish_with_retries(belt, first.run)
    timeless = {"message": ""}  # which says how long it took, and what was split later took longer
    assert (again.notice | timeless, again.creates) == (first.notice | timeless, 1)
    assert check(belt, again, DATA)["batches"][0]["adopted"] is True


@pytest.mark.parametrize("where", ["GetObject runs/", "ListObjectsV2 control/", "ListObjectsV2 runs/"])
def test_a_ledger_that_is_lost_under_a_poll_is_an_error_and_no_new_beginning(belt: Belt, where: str) -> None:
    """An empty listing must not look like a run that has not begun."""
    run = belt.upload(DATA)
    missing = belt.clients.bucket._client.exceptions.NoSuchKey  # noqa: SLF001

    def go_on() -> None:
        assert belt.poll(run)["next"] == "submit"
        belt.submit({"run": run})

    with meanwhile(belt.clients, At("before", where, partial(forget, belt, run))), pytest.raises(missing):
        go_on()
    assert belt.creates() == (1, 1)


@pytest.fixture
def neighbour(belt: Belt, services: Services, monkeypatch: pytest.MonkeyPatch) -> Iterator[Belt]:
    """Give the functions of another stack on the same bucket, with a machine of its own."""
    _ = belt.clients.settings
    role = "arn:aws:iam::000000000000:role/machine"
    made = services.states.create_state_machine(name=f"{belt.bucket}-2", definition=DEFINITION, roleArn=role)
    monkeypatch.setenv("CONVEYOR_STATE_MACHINE_ARN", made["stateMachineArn"])
    monkeypatch.setenv("CONVEYOR_STACK_ID", STACK_SETTINGS["STACK_ID"].replace("/test/", "/neighbour/"))
    clients = Clients()
    _ = clients.settings
    with denying(clients):
        yield Belt(clients, services.s3, services.states, belt.provider, belt.bucket)
    close(clients)


@pytest.mark.parametrize("when", ["before", "after"])
def test_bytes_that_a_broken_off_run_has_claimed_are_run_once(belt: Belt, when: When) -> None:
    """Around the claim, before the plan: another drop of the bytes comes, and the first one is taken up again."""
    event = belt.drop(DATA)
    with crash_at(belt.clients, when, "PutObject claims/drops/"):
        belt.submit(event)
    (first,) = {key.split("/")[1] for key in belt.stored("runs/")}
    assert belt.facts(first, "plan") == belt.facts(first, "refused") == []
    second = belt.upload(DATA)
    endings = {run: finish_with_retries(belt, run).notice["status"] for run in (first, second)}
    ran, refused = (second, first) if when == "before" else (first, second)
    assert endings == {ran: "completed", refused: "refused"}
    assert belt.creates() == (1, 1)


def test_two_stacks_on_one_bucket_run_an_upload_once(belt: Belt, neighbour: Belt) -> None:
    """Both are told of it; the second refuses it as seen before."""
    event = belt.drop(DATA)
    mine, theirs = belt.submit(event)["run"], neighbour.submit(event)["run"]
    assert mine != theirs
    refused = finish_with_retries(neighbour, theirs).notice
    assert refused["status"] == "refused"
    assert f"run {mine} already" in plain(refused["message"])
    assert finish_with_retries(belt, mine).notice["status"] == "completed"
    assert belt.creates() == (1, 1)


def test_two_stacks_on_one_bucket_do_not_take_each_others_batches(belt: Belt, neighbour: Belt) -> None:
    """Both lost their answers at the same time, of batches of one size."""
    inject_faults(belt, {**LOST, "times": 2})
    mine, theirs = belt.upload(DATA, "inbox/a.jsonl"), neighbour.upload(DATA, "inbox/b.jsonl")
    assert finish_with_retries(neighbour, theirs).notice["status"] == "completed"
    belt.set_clock(neighbour.moment)
    assert finish_with_retries(belt, mine).notice["status"] == "completed"
    assert batch_of(belt, mine) != batch_of(neighbour, theirs)
    assert belt.creates() == (2, 2)


def test_of_two_splits_at_once_one_writes(belt: Belt) -> None:
    """Two that write would mix their files; the other is repeated by the machine, and then finds it done."""
    run = belt.upload(DATA)
    belt.poll(run)
    both = Barrier(2, timeout=30)

    def split(_: int) -> str:
        try:
            return str(belt.split(run)["status"])
        except AnotherSplits:
            return "another splits"

    def at_once(call: Call, when: When) -> None:
        if when == "before" and call.changes and call.name.endswith("/split-1.json"):
            both.wait()

    with tapped(belt.clients, at_once), ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(split, range(2))) == ["another splits", "split"]
    assert belt.facts(run, "split") == ["batches/1/split-1.json"]
    check(belt, finish_with_retries(belt, run), DATA)


def test_a_split_that_is_broken_off_is_waited_for_and_then_done_again(belt: Belt) -> None:
    """Until its function is surely over: it may be at its files still."""
    run = belt.upload(DATA)
    began = belt.moment
    with crash_at(belt.clients, "after", "results.jsonl"):
        belt.split(run)
    with pytest.raises(AnotherSplits):
        belt.split(run)
    belt.pass_time(899)
    with pytest.raises(AnotherSplits):
        belt.split(run)
    belt.pass_time(1)
    assert belt.split(run)["status"] == "split"
    assert (belt.moment - began).total_seconds() == 900
    assert belt.facts(run, "split") == ["batches/1/split-1.json", "batches/1/split-2.json"]
    check(belt, finish_with_retries(belt, run), DATA)


def test_a_plan_that_does_not_hold_every_line_leads_to_an_account_that_names_the_line(belt: Belt) -> None:
    """A result without a place in the files is never dropped in silence."""
    run = belt.upload(DATA)
    checked, planned = map(orjson.loads, belt.read(f"runs/{run}/plan.jsonl").splitlines())
    planned["end_byte"] -= len(DATA.splitlines()[-1]) + 1
    tampered = b"".join(orjson.dumps(line) + b"\n" for line in (checked, planned))
    belt.s3.put_object(Bucket=belt.bucket, Key=f"runs/{run}/plan.jsonl", Body=tampered)
    notice = finish_with_retries(belt, run).notice
    receipt = belt.receipt(run)
    assert notice["status"] == receipt["status"] == "unbalanced"
    assert receipt["unaccounted"] == [4]
    assert "is in no file: 4." in plain(notice["message"])
    assert "Do not send anything again" in plain(notice["message"])


def test_bytes_of_a_stopped_run_that_had_paid_are_not_paid_for_again(belt: Belt) -> None:
    """It was stopped after its batch was created: dropping the file again would pay for the same lines once more."""
    inject_faults(belt, seconds=None)
    stopped = belt.upload(DATA)
    write_control(belt, stopped, "cancel", STOP)
    assert finish_with_retries(belt, stopped).notice["status"] == "stopped"
    again: dict[str, Any] = finish_with_retries(belt, belt.upload(DATA)).notice
    assert again["status"] == "refused"
    assert f"run {stopped} already" in plain(again["message"])
    assert belt.creates() == (1, 1)
