"""Histories about the bucket: S3 errors, lost facts, stacks that share a bucket, and concurrent splits."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
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
from tests.support.faults.taps import At, When, crash_at, meanwhile, together
from tests.support.promises import plain
from tests.support.settings import STACK_SETTINGS

DATA = drop_of(4)


def forget(belt: Belt, run: str) -> None:
    """Delete a run's ledger, as an operator might by mistake."""
    for key in belt.stored(f"runs/{run}/"):
        belt.s3.delete_object(Bucket=belt.bucket, Key=key)
    assert belt.facts(run) == []


@pytest.mark.parametrize("write", ["/attempt-1.json", "/claims/attempts/", "/split-1.json"])
def test_a_retried_write_of_our_own_attempt_counts_as_ours(belt: Belt, write: str) -> None:
    """The response to a write is lost, the client retries it, and S3 answers 412: the attempt is still ours."""
    with losing_responses(belt.clients, write):
        ending = finish_with_retries(belt, belt.upload(DATA))
    check(belt, ending, DATA)
    assert (ending.creates, ending.created) == (1, 1)
    assert belt.steps == ["split", "report"], "no poll had to wait"
    assert belt.facts(ending.run, "split") == ["batches/1/split-1.json"]


def test_a_409_from_s3_leads_to_no_second_payment(belt: Belt) -> None:
    """A conflict with a concurrent writer decides nothing: each conditional write is retried."""
    with conflicting(belt.clients):
        ending = finish_with_retries(belt, belt.upload(DATA))
    check(belt, ending, DATA)
    assert (ending.creates, ending.created) == (1, 1)


def test_a_403_for_a_missing_claim_does_not_count_as_a_claim(lenient_belt: Belt) -> None:
    """S3 answers 403 for a missing object: two runs with unclaimed candidate batches still complete."""
    belt = lenient_belt
    inject_faults(belt, {**LOST, "times": 2})
    runs = [belt.upload(DATA, f"inbox/{name}.jsonl") for name in ("one", "other")]
    with denying(belt.clients) as denied:
        assert {finish_with_retries(belt, run).notice["status"] for run in runs} == {"completed"}
    assert any(b"<Key>claims/batches/" in body for body in denied)
    assert belt.creates() == (2, 2)


def test_a_ledger_that_is_lost_while_the_batch_runs_leads_to_no_second_call(belt: Belt, machine: str) -> None:
    """After a repeated upload event, the claim outside the ledger and the results prove that the batch is ours."""
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
    """Even if an operator starts the state machine again."""
    event = belt.drop(DATA)
    first = finish_with_retries(belt, belt.submit(event)["run"])
    forget(belt, first.run)
    for _ in range(2):
        assert belt.submit(event)["run"] == first.run
    assert executions(belt, machine) == [first.run]
    again = finish_with_retries(belt, first.run)
    timeless: dict[str, Any] = {"message": "", "data": None}  # they have times, which are later after the later split
    assert (again.notice | timeless, again.creates) == (first.notice | timeless, 1)
    assert check(belt, again, DATA)["batches"][0]["adopted"] is True


@pytest.mark.parametrize("where", ["GetObject runs/", "ListObjectsV2 control/", "ListObjectsV2 runs/"])
def test_a_ledger_that_is_lost_during_a_poll_is_an_error_and_no_new_start(belt: Belt, where: str) -> None:
    """An empty listing must not look like a run that has not started."""
    run = belt.upload(DATA)
    missing = belt.clients.bucket._client.exceptions.NoSuchKey  # noqa: SLF001

    def poll_and_submit() -> None:
        assert belt.poll(run)["next"] == "submit"
        belt.submit({"run": run})

    with meanwhile(belt.clients, At("before", where, partial(forget, belt, run))), pytest.raises(missing):
        poll_and_submit()
    assert belt.creates() == (1, 1)


@pytest.fixture
def neighbour(belt: Belt, services: Services, monkeypatch: pytest.MonkeyPatch) -> Iterator[Belt]:
    """Return the functions of another stack on the same bucket, with its own state machine."""
    _ = belt.clients.settings
    role = "arn:aws:iam::000000000000:role/machine"
    made = services.states.create_state_machine(name=f"{belt.bucket}-2", definition=DEFINITION, roleArn=role)
    monkeypatch.setenv("CONVEYOR_STATE_MACHINE_ARN", made["stateMachineArn"])
    monkeypatch.setenv("CONVEYOR_STACK_ID", STACK_SETTINGS["STACK_ID"].replace("/test/", "/neighbour/"))
    clients = Clients()
    _ = clients.settings
    with denying(clients):
        yield Belt(clients, services.s3, services.states, belt.provider, belt.bucket, services.objects(belt.bucket))
    close(clients)


@pytest.mark.parametrize("when", ["before", "after"])
def test_content_that_an_interrupted_run_has_claimed_is_run_once(belt: Belt, when: When) -> None:
    """It crashed around the claim, before the plan; then the same content is dropped again, and both runs continue."""
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
    """Both get the event; the second refuses the drop as seen before."""
    event = belt.drop(DATA)
    mine, theirs = belt.submit(event)["run"], neighbour.submit(event)["run"]
    assert mine != theirs
    refused = finish_with_retries(neighbour, theirs).notice
    assert refused["status"] == "refused"
    assert f"run {mine} already" in plain(refused["message"])
    assert finish_with_retries(belt, mine).notice["status"] == "completed"
    assert belt.creates() == (1, 1)


def test_two_stacks_on_one_bucket_do_not_take_each_others_batches(belt: Belt, neighbour: Belt) -> None:
    """Both lost the create responses at the same time, for batches of the same size."""
    inject_faults(belt, {**LOST, "times": 2})
    mine, theirs = belt.upload(DATA, "inbox/a.jsonl"), neighbour.upload(DATA, "inbox/b.jsonl")
    assert finish_with_retries(neighbour, theirs).notice["status"] == "completed"
    belt.set_clock(neighbour.moment)
    assert finish_with_retries(belt, mine).notice["status"] == "completed"
    assert batch_of(belt, mine) != batch_of(neighbour, theirs)
    assert belt.creates() == (2, 2)


def test_of_two_splits_at_once_one_writes(belt: Belt) -> None:
    """Two writers would mix their files; the other one fails, and its retry finds the work done."""
    run = belt.upload(DATA)
    belt.poll(run)

    def split(_: int) -> str:
        try:
            return str(belt.split(run)["status"])
        except AnotherSplits:
            return "another splits"

    with together(belt.clients, 2, "/split-1.json"), ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(split, range(2))) == ["another splits", "split"]
    assert belt.facts(run, "split") == ["batches/1/split-1.json"]
    check(belt, finish_with_retries(belt, run), DATA)


def test_a_split_that_was_interrupted_is_done_again_after_its_time_limit(belt: Belt) -> None:
    """Until its function must have ended, it may still write its files."""
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


def test_a_line_that_is_missing_from_the_plan_is_named_in_the_receipt(belt: Belt) -> None:
    """A result that belongs to no planned line is reported."""
    run = belt.upload(DATA)
    validated, planned = map(orjson.loads, belt.read(f"runs/{run}/plan.jsonl").splitlines())
    planned["end_byte"] -= len(DATA.splitlines()[-1]) + 1
    tampered = b"".join(orjson.dumps(line) + b"\n" for line in (validated, planned))
    belt.s3.put_object(Bucket=belt.bucket, Key=f"runs/{run}/plan.jsonl", Body=tampered)
    notice = finish_with_retries(belt, run).notice
    receipt = belt.receipt(run)
    assert notice["status"] == receipt["status"] == "unbalanced"
    assert receipt["unaccounted"] == [4]
    assert "is in no file: 4." in plain(notice["message"])
    assert "before you send anything again" in plain(notice["message"])


def test_content_of_a_stopped_run_with_a_batch_is_not_paid_for_again(belt: Belt) -> None:
    """It was stopped after its batch was created, so running the content again would pay for the same lines twice."""
    inject_faults(belt, seconds=None)
    stopped = belt.upload(DATA)
    write_control(belt, stopped, "cancel", STOP)
    assert finish_with_retries(belt, stopped).notice["status"] == "stopped"
    again: dict[str, Any] = finish_with_retries(belt, belt.upload(DATA)).notice
    assert again["status"] == "refused"
    assert f"run {stopped} already" in plain(again["message"])
    assert belt.creates() == (1, 1)
