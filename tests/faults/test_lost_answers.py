"""Histories by name: however a paid call ends, and whoever looks meanwhile, it is paid once or it is told."""

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
def test_a_crash_between_the_answer_and_any_write_after_it_is_no_reason_to_pay_again(
    belt: Belt, *, write: str, is_adopted: bool
) -> None:
    """The batch is the run's, whether or not its id was written down in time."""
    event = belt.drop(DATA)
    with crash_at(belt.clients, "before", write):
        belt.submit(event)
    assert belt.creates() == (1, 1)
    ending = finish_with_retries(belt, belt.submit(event)["run"])
    assert check(belt, ending, DATA)["batches"][0]["adopted"] is is_adopted
    assert (ending.creates, ending.created) == (1, 1)


def test_a_claim_that_no_invocation_came_to_is_made_by_the_next_poll(belt: Belt) -> None:
    """After the third crash Lambda gives up, and only the machine goes on; others must know whose the batch is."""
    event = belt.drop(DATA)
    for _ in range(3):
        with crash_at(belt.clients, "before", "PutObject claims/batches/"):
            belt.submit(event)
    (run,) = {key.split("/")[1] for key in belt.stored("runs/")}
    assert belt.stored("claims/batches/") == []
    check(belt, finish_with_retries(belt, run), DATA)


@pytest.mark.parametrize("dialect", IN_DOUBT, indirect=True)
def test_a_run_in_doubt_does_not_take_a_healthy_runs_batch_for_its_own(belt: Belt) -> None:
    """Between the other's answer and its claim nothing but the results can tell whose it is."""
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


def test_a_run_in_doubt_reads_the_results_of_a_healthy_runs_batch_and_leaves_it(belt: Belt) -> None:
    """The same moment, with a batch that has ended: its lines are not ours, so the attempt came to nothing."""
    inject_faults(belt, UNSENT)
    doubtful = belt.upload(DATA, "inbox/doubtful.jsonl")
    belt.pass_time(901)
    with meanwhile(belt.clients, At("before", "PutObject claims/batches/", lambda: belt.poll(doubtful))):
        healthy = belt.upload(DATA, "inbox/healthy.jsonl")
    assert belt.facts(doubtful, "absent") == ["batches/1/absent-1.json"]
    assert {finish_with_retries(belt, run).notice["status"] for run in (doubtful, healthy)} == {"completed"}
    assert batch_of(belt, doubtful) != batch_of(belt, healthy)
    assert belt.creates() == (3, 2)


def test_two_runs_of_one_size_in_doubt_at_once_each_find_their_own_batch(belt: Belt) -> None:
    """Size and time are the same; the ids in the results are not."""
    inject_faults(belt, {**LOST, "times": 2})
    runs = [belt.upload(DATA, f"inbox/{name}.jsonl") for name in ("one", "other")]
    assert all(belt.facts(run, "unknown") for run in runs)
    for run in reversed(runs):
        assert finish_with_retries(belt, run).notice["status"] == "completed"
        assert belt.receipt(run)["batches"][0]["adopted"] is True
    assert len({batch_of(belt, run) for run in runs}) == 2
    assert belt.creates() == (2, 2)


def test_while_a_call_is_under_way_nobody_else_pays(belt: Belt, dialect: Dialect) -> None:
    """Whoever looks meanwhile waits until the function that makes it is surely over."""
    data = large_drop()
    event = belt.drop(data)
    seen = list[dict[str, Any]]()

    def look() -> None:
        belt.pass_time(600)
        before = belt.provider.stats()["calls"]["list"]
        run = belt.submit(event)["run"]
        seen.append(belt.poll(run))
        assert (belt.provider.stats()["calls"][dialect.sending], belt.creates()[1]) == (1, 0), "half of it is sent"
        assert belt.provider.stats()["calls"]["list"] == before, "there is nothing to look for yet"

    with meanwhile(belt.clients, At("before", "GetObject inbox/", look, nth=4)):
        run = belt.submit(event)["run"]
    assert [(state["next"], state["wait_seconds"]) for state in seen] == [("wait", 301)]
    ending = finish_with_retries(belt, run)
    check(belt, ending, data)
    assert (ending.creates, ending.created) == (1, 1)


def test_a_function_that_ends_in_the_middle_of_its_call_is_followed_by_one_call(belt: Belt, dialect: Dialect) -> None:
    """Half a body creates nothing; that is known only when the function is over and what it made would be listed."""
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


def test_a_batch_listed_after_the_next_attempt_is_told_as_a_duplicate(belt: Belt) -> None:
    """The assumption's limit: it is paid for twice, but never in silence, and no other run can take it."""
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
    """Before it started, the alarm's reader hands the event over again; after it, the machine needs nobody."""
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


def test_half_a_listing_is_no_proof_of_absence(belt: Belt, dialect: Dialect) -> None:
    """A page may begin at a batch that was deleted since the page before: what is further back was not seen."""
    inject_faults(belt, {**LOST})
    run = belt.upload(DATA)
    belt.pass_time(901)
    for number in range(3):
        belt.upload(drop_of(1), f"inbox/newer-{number}.jsonl")
    deleted = list[str]()

    def by_two(request: httpx.Request) -> None:
        if f"{request.method} {request.url.path}" == dialect.listing:
            request.url = request.url.copy_set_param("limit", "2")

    def delete_the_cursor(response: httpx.Response) -> None:
        asked = response.request.url.params
        if asked.get("limit") == "2" and not {"after_id", "after"} & asked.keys():
            deleted.append(response.json()["last_id"] if response.read() else "")
            if dialect is not MESSAGES:  # where no batch can be deleted, so that the page must be lost otherwise
                inject_faults(belt, {"call": "list", "do": {"kind": "answer", "status": 404}})
                return
            httpx.delete(f"{belt.provider.url}/v1/messages/batches/{deleted[0]}", headers=KEY).raise_for_status()

    http = belt.clients.connector.http
    http.event_hooks = {"request": [by_two], "response": [delete_the_cursor]}
    state = belt.poll(run)
    http.event_hooks = {"request": [by_two]}
    assert len(deleted) == 1
    assert (state["next"], state["trouble"]["reason"]) == ("wait", "HTTP 404")
    assert belt.facts(run, "absent") == []
    assert finish_with_retries(belt, run).notice["status"] == "completed"
    assert belt.receipt(run)["batches"][0]["adopted"] is True
    assert belt.creates() == (4, 4)
