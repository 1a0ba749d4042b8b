"""Nothing is paid twice, by the provider's own counters."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.belt import Belt, drop_of
from tests.support.faults.taps import together
from tests.support.promises import plain


def executions(belt: Belt, machine: str) -> list[str]:
    """Return the names of all executions."""
    return [item["name"] for item in belt.states.list_executions(stateMachineArn=machine)["executions"]]


def test_a_repeated_upload_event_leads_to_one_run_one_execution_and_one_batch(belt: Belt, machine: str) -> None:
    """S3 and Lambda's queue may each deliver an event twice, even much later."""
    event = belt.drop(drop_of(3))
    run = belt.submit(event)["run"]
    assert belt.submit(event)["run"] == run
    belt.finish(run)
    assert belt.submit(event)["run"] == run
    assert belt.creates() == (1, 1)
    assert executions(belt, machine) == [run]
    assert len({key.split("/")[1] for key in belt.stored("runs/")}) == 1


def test_two_upload_events_at_once_lead_to_one_batch(belt: Belt, machine: str) -> None:
    """The ledger decides which invocation works, not the order of arrival."""
    belt.finish(belt.upload(drop_of(1), "inbox/first.jsonl"))  # clients are built one at a time, as in a Lambda
    event = belt.drop(drop_of(50))
    with together(belt.clients, 4, "/run.json"), ThreadPoolExecutor(4) as pool:
        runs = {state["run"] for state in pool.map(lambda _: belt.submit(event), range(4))}
    assert len(runs) == 1
    assert belt.finish(runs.pop())["status"] == "completed"
    assert belt.creates() == (2, 2)
    assert len(executions(belt, machine)) == 2


def test_the_same_bytes_under_the_same_key_are_not_paid_for_again(belt: Belt) -> None:
    """Editing an object's metadata in the console also creates a new version."""
    first = belt.upload(drop_of(2))
    again = belt.finish(belt.upload(drop_of(2)))
    assert again["status"] == "refused"
    assert f"run {first}" in plain(again["message"])
    assert belt.finish(first)["status"] == "completed"
    assert belt.finish(belt.upload(drop_of(2)))["status"] == "refused"
    assert belt.creates() == (1, 1)


def test_the_same_content_is_run_again_with_the_metadata_again(belt: Belt) -> None:
    """The message says how. Other content, or another key, runs without it."""
    belt.finish(belt.upload(drop_of(2)))
    refused = belt.finish(belt.upload(drop_of(2)))
    assert f"--metadata again={refused['run']}" in plain(refused["message"])
    assert belt.finish(belt.upload(drop_of(2), metadata={"again": "yes"}))["status"] == "completed"
    assert belt.finish(belt.upload(drop_of(2), "inbox/b.jsonl"))["status"] == "completed"
    assert belt.finish(belt.upload(drop_of(3)))["status"] == "completed"
    assert belt.creates() == (4, 4)


def test_refused_content_can_be_dropped_again(belt: Belt) -> None:
    """Nothing was charged, and the message said to drop it again."""
    belt.provider.fail("create", {"kind": "answer", "status": 402, "type": "billing_error"})
    assert belt.finish(belt.upload(drop_of(2)))["status"] == "refused"
    assert belt.finish(belt.upload(drop_of(2)))["status"] == "completed"


def test_the_same_content_dropped_three_times_at_once_is_run_once(belt: Belt) -> None:
    """Only one run can claim the content, whatever the order."""
    belt.finish(belt.upload(drop_of(1), "inbox/first.jsonl"))
    events = [belt.drop(drop_of(20)) for _ in range(3)]
    with together(belt.clients, 3, "PutObject claims/drops/"), ThreadPoolExecutor(3) as pool:
        runs = [state["run"] for state in pool.map(belt.submit, events)]
    statuses = {run: belt.finish(run)["status"] for run in sorted(runs)}
    assert sorted(statuses.values()) == ["completed", "refused", "refused"]
    assert belt.creates() == (2, 2)


def test_a_batch_whose_create_response_was_lost_is_found_and_adopted(belt: Belt) -> None:
    """There is one POST; the batch's results prove that it is ours."""
    belt.provider.fail("create", {"kind": "lose", "when": "after"})
    notice = belt.finish(belt.upload(drop_of(3)))
    assert notice["status"] == "completed"
    assert belt.creates() == (1, 1)
    assert belt.receipt()["batches"][0]["adopted"] is True


@pytest.mark.parametrize("fault", [{"kind": "lose", "when": "before"}, {"kind": "answer", "status": 503}])
def test_an_attempt_that_created_nothing_is_followed_by_another_after_the_settle_time(
    belt: Belt, fault: dict[str, Any]
) -> None:
    """There are two POSTs and one batch. The second waits until a batch of the first would have been listed."""
    belt.provider.fail("create", fault)
    run = belt.upload(drop_of(3))
    over = datetime.fromisoformat(belt.fact(run, "batches/1/unknown-1.json")["at"])
    assert belt.finish(run)["status"] == "completed"
    assert belt.creates() == (2, 1)
    again = datetime.fromisoformat(belt.fact(run, "batches/1/attempt-2.json")["at"])
    assert timedelta(seconds=900) <= again - over <= timedelta(seconds=910)


def test_a_batch_of_the_same_size_that_is_not_ours_is_not_adopted(belt: Belt) -> None:
    """Its results have other ids, so our batch is sent again."""
    belt.finish(belt.upload(drop_of(3), "inbox/other.jsonl"))
    for key in belt.stored("claims/batches/"):
        belt.s3.delete_object(Bucket=belt.bucket, Key=key)
    belt.provider.fail("create", {"kind": "lose", "when": "before"})
    assert belt.finish(belt.upload(drop_of(3)))["status"] == "completed"
    assert belt.creates() == (3, 2)


def test_while_a_candidate_runs_there_is_no_other_paid_call(belt: Belt) -> None:
    """It could be ours; only its results show it."""
    belt.provider.configure(seconds=None)
    belt.provider.fail("create", {"kind": "lose", "when": "after"})
    run = belt.upload(drop_of(3))
    for _ in range(60):
        state = belt.poll(run)
        assert state["next"] == "wait"
        belt.pass_time(state["wait_seconds"])
    assert belt.creates() == (1, 1)
    belt.provider.configure(seconds=0)
    assert belt.finish(run)["status"] == "completed"
    assert belt.creates() == (1, 1)


@pytest.mark.parametrize("status", [408, 409, 500, 503, 504, 529])
def test_an_error_after_creating_does_not_create_another_batch(belt: Belt, status: int) -> None:
    """An error does not prove that no batch was created."""
    belt.provider.fail("create", {"kind": "answer", "status": status, "when": "after"})
    assert belt.finish(belt.upload(drop_of(2)))["status"] == "completed"
    assert belt.creates() == (1, 1)


def test_a_busy_provider_is_called_again_after_retry_after(belt: Belt) -> None:
    """A 429 proves that nothing was created."""
    belt.provider.fail("create", {"kind": "answer", "status": 429, "headers": {"retry-after": "500"}}, times=2)
    began = belt.moment
    assert belt.finish(belt.upload(drop_of(2)))["status"] == "completed"
    assert belt.creates() == (3, 1)
    assert belt.moment - began >= timedelta(seconds=1000)


def test_a_body_that_was_truncated_on_its_way_is_sent_once_more(belt: Belt) -> None:
    """The provider's error text distinguishes this 400 from others."""
    cut = {"kind": "answer", "status": 400, "message": "The request body is not valid JSON: unexpected end of data"}
    belt.provider.fail("create", cut)
    assert belt.finish(belt.upload(drop_of(2)))["status"] == "completed"
    assert belt.creates() == (2, 1)
    belt.provider.fail("create", cut, times=None)
    assert belt.finish(belt.upload(drop_of(2), "inbox/b.jsonl"))["status"] == "refused"
    assert belt.creates() == (4, 1)


def test_a_paid_call_is_not_started_without_enough_time(belt: Belt) -> None:
    """If a function ends during a POST, the outcome is unknown."""
    belt.function_seconds = 659
    run = belt.upload(drop_of(2))
    assert belt.creates() == (0, 0)
    belt.function_seconds = 900
    belt.finish(run)
    assert belt.creates() == (1, 1)


def test_the_state_machine_continues_after_submit_crashed(belt: Belt, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once the run is written, nothing depends on the invocation that wrote it."""
    event = belt.drop(drop_of(3))
    storage = belt.clients.bucket

    get = storage._client.get_object  # noqa: SLF001

    def crash(**call: Any) -> Any:
        if call["Key"].startswith("inbox/"):
            raise ConnectionError
        return get(**call)

    with monkeypatch.context() as patch:
        patch.setattr(storage._client, "get_object", crash)  # noqa: SLF001
        with pytest.raises(ConnectionError):
            belt.submit(event)
    (run,) = {key.split("/")[1] for key in belt.stored("runs/")}
    assert belt.poll(run)["next"] == "wait"
    assert belt.finish(run)["status"] == "completed"
    assert belt.steps[:3] == ["wait", "wait", "wait"]
    assert "submit" in belt.steps
    assert belt.creates() == (1, 1)


def test_a_busy_provider_gets_the_body_at_growing_intervals(belt: Belt) -> None:
    """A full queue can last for hours, and each attempt sends everything again."""
    belt.provider.fail("create", {"kind": "answer", "status": 429}, times=12)
    began = belt.moment
    assert belt.finish(belt.upload(drop_of(2)))["status"] == "completed"
    assert belt.creates() == (13, 1)
    assert belt.moment - began >= timedelta(minutes=1 + 2 + 4 + 8 + 16 + 7 * 30)


def test_an_unreachable_provider_leaves_no_batch_to_search(belt: Belt) -> None:
    """A call that did not reach the provider created nothing."""
    run = belt.upload(drop_of(2))
    assert belt.finish(run)["status"] == "completed"
    silent = replace(belt.clients.settings, api_url="http://127.0.0.1:9")
    belt.clients.settings = silent
    waiting = belt.upload(drop_of(2), "inbox/b.jsonl")
    assert belt.poll(waiting)["next"] == "wait"
    refused = [key for key in belt.stored(f"runs/{waiting}/batches/") if "refused-1" in key]
    assert b'"type":"unreachable"' in belt.read(refused[0])


def test_trouble_while_listing_is_in_the_state(belt: Belt) -> None:
    """An operator can see in the execution why it waits."""
    belt.provider.fail("create", {"kind": "lose", "when": "after"})
    run = belt.upload(drop_of(2))
    belt.pass_time(901)
    belt.provider.fail("list", {"kind": "answer", "status": 503})
    assert belt.poll(run)["trouble"]["reason"] == "HTTP 503"
    belt.provider.fail("results", {"kind": "answer", "status": 404})
    assert "HTTP 404" in belt.poll(run)["trouble"]["reason"]
    assert belt.finish(run)["status"] == "completed"
    assert belt.creates() == (1, 1)


def test_a_claim_that_could_not_be_written_is_written_when_submit_runs_again(
    belt: Belt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The batch's id is recorded before, so nothing is paid again."""
    storage = belt.clients.bucket
    put = storage._client.put_object  # noqa: SLF001

    def deny_claims(**call: Any) -> Any:
        if call["Key"].startswith("claims/batches/"):
            raise ConnectionError
        return put(**call)

    event = belt.drop(drop_of(1))
    with monkeypatch.context() as patch:
        patch.setattr(storage._client, "put_object", deny_claims)  # noqa: SLF001
        with pytest.raises(ConnectionError):
            belt.submit(event)
    assert belt.stored("claims/batches/") == []
    belt.submit(event)
    assert len(belt.stored("claims/batches/")) == 1
    assert belt.creates() == (1, 1)
