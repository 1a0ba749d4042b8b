"""Histories about lost responses: a batch is paid once, or the duplicate is reported."""

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.functions.conftest import API_KEY
from tests.functions.sending.test_pay_once import executions
from tests.support.belt import Belt, drop_of
from tests.support.faults.dialects import IN_DOUBT, MESSAGES, Dialect
from tests.support.faults.paid_once import check
from tests.support.faults.scenes import LOST, UNSENT, batch_of, finish_with_retries, inject_faults, large_drop
from tests.support.faults.taps import At, When, crash_at, meanwhile
from tests.support.promises import plain

DATA = drop_of(3)
KEY = {"x-api-key": API_KEY, "anthropic-version": "2023-06-01"}


@pytest.mark.parametrize(("write", "is_adopted"), [("/batch-1.json", True), ("PutObject claims/batches/", False)])
def test_a_crash_between_the_create_response_and_the_next_writes_does_not_pay_again(
    belt: Belt, *, write: str, is_adopted: bool
) -> None:
    """The batch belongs to the run, whether or not its id was written in time."""
    event = belt.drop(DATA)
    with crash_at(belt.clients, "before", write):
        belt.submit(event)
    assert belt.creates() == (1, 1)
    ending = finish_with_retries(belt, belt.submit(event)["run"])
    assert check(belt, ending, DATA)["batches"][0]["adopted"] is is_adopted
    assert (ending.creates, ending.created) == (1, 1)


def test_a_claim_that_no_invocation_wrote_is_written_by_the_next_poll(belt: Belt) -> None:
    """After the third crash Lambda gives up and only the state machine continues; other runs need the claim."""
    event = belt.drop(DATA)
    for _ in range(3):
        with crash_at(belt.clients, "before", "PutObject claims/batches/"):
            belt.submit(event)
    (run,) = {key.split("/")[1] for key in belt.stored("runs/")}
    assert belt.stored("claims/batches/") == []
    check(belt, finish_with_retries(belt, run), DATA)


@pytest.mark.parametrize("dialect", IN_DOUBT, indirect=True)
def test_a_run_with_a_lost_call_does_not_adopt_another_runs_batch(belt: Belt) -> None:
    """Between the other run's response and its claim, only the results show which run the batch belongs to."""
    inject_faults(belt, UNSENT, seconds=None)
    doubtful = belt.upload(DATA, "inbox/doubtful.jsonl")
    belt.pass_time(901)
    states = list[dict[str, Any]]()
    with meanwhile(belt.clients, At("before", "PutObject claims/batches/", lambda: states.append(belt.poll(doubtful)))):
        healthy = belt.upload(DATA, "inbox/healthy.jsonl")
    assert [state["next"] for state in states] == ["wait"]
    assert belt.facts(doubtful, "absent") == []
    belt.provider.configure(seconds=0)
    for run in (doubtful, healthy):
        assert finish_with_retries(belt, run).notice["status"] == "completed"
        assert belt.receipt(run)["batches"][0]["adopted"] is False
    assert batch_of(belt, doubtful) != batch_of(belt, healthy)
    assert belt.creates() == (3, 2)


def test_a_run_with_a_lost_call_reads_the_results_of_another_runs_batch_and_leaves_it(belt: Belt) -> None:
    """The same moment, with a batch that has ended: its lines are not ours, so our attempt created nothing."""
    inject_faults(belt, UNSENT)
    doubtful = belt.upload(DATA, "inbox/doubtful.jsonl")
    belt.pass_time(901)
    with meanwhile(belt.clients, At("before", "PutObject claims/batches/", lambda: belt.poll(doubtful))):
        healthy = belt.upload(DATA, "inbox/healthy.jsonl")
    assert belt.facts(doubtful, "absent") == ["batches/1/absent-1.json"]
    assert {finish_with_retries(belt, run).notice["status"] for run in (doubtful, healthy)} == {"completed"}
    assert batch_of(belt, doubtful) != batch_of(belt, healthy)
    assert belt.creates() == (3, 2)


def test_two_runs_of_the_same_size_with_lost_calls_each_find_their_own_batch(belt: Belt) -> None:
    """Size and time are the same; only the ids in the results differ."""
    inject_faults(belt, {**LOST, "times": 2})
    runs = [belt.upload(DATA, f"inbox/{name}.jsonl") for name in ("one", "other")]
    assert all(belt.facts(run, "unknown") for run in runs)
    for run in reversed(runs):
        assert finish_with_retries(belt, run).notice["status"] == "completed"
        assert belt.receipt(run)["batches"][0]["adopted"] is True
    assert len({batch_of(belt, run) for run in runs}) == 2
    assert belt.creates() == (2, 2)


@pytest.mark.local_aws
def test_during_a_create_call_no_other_function_pays(belt: Belt, dialect: Dialect) -> None:
    """Other invocations wait until the function that makes the call must have ended."""
    data = large_drop()
    event = belt.drop(data)
    seen = list[dict[str, Any]]()

    def look() -> None:
        belt.pass_time(600)
        before = belt.provider.stats()["calls"]["list"]
        run = belt.submit(event)["run"]
        seen.append(belt.poll(run))
        assert (belt.provider.stats()["calls"][dialect.sending], belt.creates()[1]) == (1, 0), "half the body is sent"
        assert belt.provider.stats()["calls"]["list"] == before, "no batch is searched yet"

    with meanwhile(belt.clients, At("before", "GetObject inbox/", look, nth=4)):
        run = belt.submit(event)["run"]
    assert [(state["next"], state["wait_seconds"]) for state in seen] == [("wait", 301)]
    ending = finish_with_retries(belt, run)
    check(belt, ending, data)
    assert (ending.creates, ending.created) == (1, 1)


def test_a_crash_in_the_middle_of_a_create_call_is_followed_by_one_call(belt: Belt, dialect: Dialect) -> None:
    """Half a body creates nothing, which is known once the function must have ended and a batch would be listed."""
    data = large_drop()
    event = belt.drop(data)
    with crash_at(belt.clients, "before", "GetObject inbox/", nth=4):
        belt.submit(event)
    assert (belt.provider.stats()["calls"][dialect.sending], belt.creates()[1]) == (1, 0)
    ending = finish_with_retries(belt, belt.submit(event)["run"])
    check(belt, ending, data)
    assert (belt.provider.stats()["calls"][dialect.sending], ending.created) == (2, 1)
    first, second = (belt.fact(ending.run, f"batches/1/attempt-{number}.json") for number in (1, 2))
    over = datetime.fromisoformat(first["not_after"])
    assert over - datetime.fromisoformat(first["at"]) == timedelta(seconds=900)
    assert datetime.fromisoformat(second["at"]) - over >= timedelta(seconds=900)


def test_a_batch_listed_after_the_next_attempt_is_reported_as_a_duplicate(belt: Belt) -> None:
    """Such a late listing means paying twice, but it is reported, and no other run can adopt the batch."""
    late = {"call": "create", "do": [{"kind": "unlist", "looks": 8}, {"kind": "lose", "when": "after"}]}
    inject_faults(belt, late, seconds=6 * 3600)
    ending = finish_with_retries(belt, belt.upload(DATA))
    first, second = belt.provider.stats()["batches"]
    assert (ending.creates, ending.created) == (2, 2)
    (account,) = belt.receipt()["batches"]
    assert (account["id"], account["duplicates"]) == (second["id"], [first["id"]])
    assert f"Batch {first['id']} holds the same requests as {second['id']}" in plain(ending.notice["message"])
    assert belt.facts(ending.run, "duplicate") == [f"batches/1/duplicate-{first['id']}.json"]
    claims = [belt.read(f"claims/batches/{batch['id']}") for batch in (first, second)]
    assert claims[0] == claims[1]
    assert ending.run.encode() in claims[0]
    assert [line["custom_id"] for line in belt.lines("results/", "results.jsonl")] == ["r-1", "r-2", "r-3"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_three_crashes_around_starting_the_machine_leave_one_run(belt: Belt, machine: str, when: When) -> None:
    """Crashed before the start, an operator sends the event again; after the start, the state machine continues."""
    event = belt.drop(DATA)
    for _ in range(3):
        with crash_at(belt.clients, when, "StartExecution"):
            belt.submit(event)
    (run,) = {key.split("/")[1] for key in belt.stored("runs/")}
    assert executions(belt, machine) == ([] if when == "before" else [run])
    if when == "before":
        belt.submit(event)
    ending = finish_with_retries(belt, run)
    check(belt, ending, DATA)
    assert executions(belt, machine) == [run]
    assert (ending.creates, ending.created) == (1, 1)


def test_an_incomplete_listing_does_not_prove_absence(belt: Belt, dialect: Dialect) -> None:
    """A page's cursor may be a batch that was deleted meanwhile; then older batches were not seen."""
    inject_faults(belt, {**LOST})
    run = belt.upload(DATA)
    belt.pass_time(901)
    for number in range(3):
        belt.upload(drop_of(1), f"inbox/newer-{number}.jsonl")
    deleted = list[str]()

    def limit_to_two(request: httpx.Request) -> None:
        if f"{request.method} {request.url.path}" == dialect.listing:
            request.url = request.url.copy_set_param("limit", "2")

    def delete_the_cursor(response: httpx.Response) -> None:
        query = response.request.url.params
        if query.get("limit") == "2" and not {"after_id", "after"} & query.keys():
            deleted.append(response.json()["last_id"] if response.read() else "")
            if dialect is not MESSAGES:  # it cannot delete batches, so the page fails in another way
                inject_faults(belt, {"call": "list", "do": {"kind": "answer", "status": 404}})
                return
            httpx.delete(f"{belt.provider.url}/v1/messages/batches/{deleted[0]}", headers=KEY).raise_for_status()

    http = belt.clients.connector.http
    http.event_hooks = {"request": [limit_to_two], "response": [delete_the_cursor]}
    state = belt.poll(run)
    http.event_hooks = {"request": [limit_to_two]}
    assert len(deleted) == 1
    assert (state["next"], state["trouble"]["reason"]) == ("wait", "HTTP 404")
    assert belt.facts(run, "absent") == []
    assert finish_with_retries(belt, run).notice["status"] == "completed"
    assert belt.receipt(run)["batches"][0]["adopted"] is True
    assert belt.creates() == (4, 4)
