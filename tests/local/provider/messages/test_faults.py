"""Faults: each kind happens in the connection, at the right call, and as often as it should."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.support.provider_clients.base import WAIT_SECONDS
from tests.support.provider_clients.messages import BATCHES, MessagesClient, requests

if TYPE_CHECKING:
    from local.provider.control import Control


def lines(answer: httpx.Response) -> list[bytes]:
    """Split results at newlines."""
    return answer.content.split(b"\n")


def collect(answer: httpx.Response, got: bytearray) -> None:
    """Collect what arrives, even if the connection ends."""
    for chunk in answer.iter_raw():
        got += chunk


@pytest.mark.parametrize("ending", ["close", "reset"])
@pytest.mark.parametrize(("when", "created"), [("before", 0), ("after", 1)])
def test_an_answer_is_lost(client: MessagesClient, provider: Control, ending: str, when: str, created: int) -> None:
    """The connection ends without a byte; the batch exists or not; the next call succeeds."""
    provider.fail("create", {"kind": "lose", "when": when, "ending": ending})
    with pytest.raises(httpx.RemoteProtocolError if ending == "close" else httpx.ReadError):
        client.create(1)
    assert provider.stats()["created"] == created
    assert client.create(1).is_success
    assert provider.stats()["calls"]["create"] == 2


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (408, "api_error"),
        (409, "conflict_error"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (503, "api_error"),
        (504, "timeout_error"),
        (529, "overloaded_error"),
    ],
)
def test_any_status_can_come_before_or_after_the_effect(
    client: MessagesClient, provider: Control, status: int, kind: str, when: str
) -> None:
    """An error does not show whether the batch exists."""
    provider.fail("create", {"kind": "answer", "status": status, "when": when})
    answer = client.create(1)
    assert (answer.status_code, answer.json()["error"]["type"]) == (status, kind)
    assert provider.stats()["created"] == (1 if when == "after" else 0)


def test_an_answer_carries_code_and_headers(client: MessagesClient, provider: Control) -> None:
    """The kinds of 429 differ by `error_code` and `retry-after` only."""
    headers = {"retry-after": "7"}
    provider.fail("create", {"kind": "answer", "status": 429, "error_code": "ramp_limit_exceeded", "headers": headers})
    answer = client.create(1)
    assert answer.headers["retry-after"] == "7"
    assert answer.json()["error"]["details"] == {"error_code": "ramp_limit_exceeded"}
    assert answer.json()["request_id"] == answer.headers["request-id"]


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_calls_before_the_moment_of_retry_after_are_counted(
    client: MessagesClient, provider: Control, form: str
) -> None:
    """Every kind of call; it is answered nevertheless."""
    start = 1_800_000_000
    retry_after = "50" if form == "seconds" else format_datetime(datetime.fromtimestamp(start + 50, UTC), usegmt=True)
    provider.configure(now=start)
    provider.fail("create", {"kind": "answer", "status": 503, "headers": {"Retry-After": retry_after}})
    assert client.create(1).status_code == 503
    assert provider.stats()["early"] == {}
    provider.configure(now=start + 49)
    assert client.get(BATCHES).status_code == 200
    assert client.create(1).status_code == 200
    provider.configure(now=start + 50)
    client.get(BATCHES)
    assert provider.stats()["early"] == {"list": 1, "create": 1}


def test_an_answer_can_come_from_a_proxy(client: MessagesClient, provider: Control) -> None:
    """Its body is not JSON."""
    provider.fail("create", {"kind": "answer", "status": 502, "body": "<h1>Bad Gateway</h1>"})
    assert client.create(1).text == "<h1>Bad Gateway</h1>"


def test_the_connection_is_reset_in_the_middle_of_a_body(client: MessagesClient, provider: Control) -> None:
    """Nothing is created."""
    provider.fail("create", {"kind": "reset", "at": 100_000})
    with pytest.raises((httpx.ReadError, httpx.WriteError)):
        client.create(20_000)
    assert provider.stats()["created"] == 0


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_slow_call_creates_although_the_client_has_disconnected(
    client: MessagesClient, provider: Control, when: str
) -> None:
    """The batch exists after the client's timeout, immediately or later."""
    provider.fail("create", {"kind": "delay", "seconds": 0.5, "when": when})
    with pytest.raises(httpx.ReadTimeout):
        client.post(BATCHES, json={"requests": requests(1)}, timeout=0.1)
    assert provider.stats()["created"] == (1 if when == "after" else 0)
    stop = time.monotonic() + WAIT_SECONDS
    while not provider.stats()["created"] and time.monotonic() < stop:
        time.sleep(0.02)
    assert provider.stats()["created"] == 1


def test_a_late_create_does_not_change_the_state_after_a_reset(client: MessagesClient, provider: Control) -> None:
    """The call ends in the old state."""
    provider.fail("create", {"kind": "delay", "seconds": 0.1, "when": "before"})
    with pytest.raises(httpx.ReadTimeout):
        client.post(BATCHES, json={"requests": requests(1)}, timeout=0.05)
    provider.reset()
    time.sleep(0.15)
    assert provider.stats()["created"] == 0


def test_a_batch_is_listed_late(client: MessagesClient, provider: Control) -> None:
    """A number of listings do not show it, though it can be retrieved."""
    provider.fail("create", {"kind": "unlist", "looks": 2})
    batch_id = client.create(1).json()["id"]
    assert client.get(f"{BATCHES}/{batch_id}").is_success
    assert [len(client.get(BATCHES).json()["data"]) for _ in range(3)] == [0, 0, 1]


@pytest.mark.parametrize("path", ["", "/results"])
def test_a_batch_is_404_for_a_while(client: MessagesClient, provider: Control, path: str) -> None:
    """Then it is found again."""
    batch_id = client.run_batch(1)
    call = "results" if path else "retrieve"
    provider.fail(call, {"kind": "answer", "status": 404}, times=2)
    assert [client.get(f"{BATCHES}/{batch_id}{path}").status_code for _ in range(3)] == [404, 404, 200]


def test_faults_wait_their_turn(client: MessagesClient, provider: Control) -> None:
    """The faults of one call happen one after the other, and each first lets calls pass; other calls do not count."""
    faults = [
        {"call": "list", "after": 1, "times": 2, "do": {"kind": "answer", "status": 500}},
        {"call": "retrieve", "do": {"kind": "answer", "status": 503}},
        {"call": "list", "times": None, "do": [{"kind": "delay", "seconds": 0}, {"kind": "answer", "status": 529}]},
    ]
    provider.configure(faults=faults)
    assert [client.get(BATCHES).status_code for _ in range(5)] == [200, 500, 500, 529, 529]
    assert provider.stats()["faults"] == [
        {"call": "list", "passed": 1, "struck": 2},
        {"call": "retrieve", "passed": 0, "struck": 0},
        {"call": "list", "passed": 0, "struck": 2},
    ]


def test_a_fault_can_mean_one_batch(client: MessagesClient, provider: Control) -> None:
    """The n-th batch created; other batches are not affected."""
    first, second = client.run_batch(1), client.run_batch(1)
    provider.fail("results", {"kind": "answer", "status": 500}, batch=2, times=None)
    assert (client.results(first).status_code, client.results(second).status_code) == (200, 500)


def test_results_are_truncated_with_a_clean_end(client: MessagesClient, provider: Control) -> None:
    """Nothing in HTTP shows that the rest is missing."""
    batch_id = client.run_batch(20)
    whole = client.results(batch_id).content
    provider.fail("results", {"kind": "cut", "at": 1000, "ending": "clean"})
    assert client.results(batch_id).content == whole[:1000]
    assert client.results(batch_id).content == whole


@pytest.mark.parametrize(("ending", "error"), [("close", httpx.RemoteProtocolError), ("reset", httpx.ReadError)])
def test_results_break_off(client: MessagesClient, provider: Control, ending: str, error: type[Exception]) -> None:
    """The first bytes arrive, then the connection ends."""
    batch_id = client.run_batch(5_000)
    provider.fail("results", {"kind": "cut", "at": 150_000, "ending": ending})
    got = bytearray()
    with client.stream("GET", f"{BATCHES}/{batch_id}/results") as answer, pytest.raises(error):
        collect(answer, got)
    assert got == client.results(batch_id).content[:150_000]


def test_the_answer_to_create_is_truncated(client: MessagesClient, provider: Control) -> None:
    """Half a batch object arrives, and the batch exists."""
    provider.fail("create", {"kind": "cut", "at": 20})
    with pytest.raises(httpx.RemoteProtocolError):
        client.create(1)
    assert provider.stats()["created"] == 1


def test_results_lack_and_repeat_lines(client: MessagesClient, provider: Control) -> None:
    """A repeated line may have the same outcome or another one."""
    batch_id = client.run_batch(5)
    provider.fail("results", {"kind": "spoil", "missing": [2], "repeated": [3], "repeated_as": "expired"})
    read = [json.loads(line) for line in lines(client.results(batch_id)) if line]
    assert sorted(line["custom_id"] for line in read) == ["r-1", "r-3", "r-3", "r-4", "r-5"]
    assert read[-1] == {"custom_id": "r-3", "result": {"type": "expired"}}
    provider.fail("results", {"kind": "spoil", "repeated": [3]})
    *rest, last, _ = lines(client.results(batch_id))
    assert rest.count(last) == 1


def test_results_are_shuffled(client: MessagesClient, provider: Control) -> None:
    """The same lines in another order, which depends on the seed."""
    batch_id = client.run_batch(30)
    usual = lines(client.results(batch_id))
    provider.fail("results", {"kind": "spoil", "shuffle": 7}, times=2)
    shuffled, again = lines(client.results(batch_id)), lines(client.results(batch_id))
    assert shuffled == again != usual
    assert sorted(shuffled) == sorted(usual)


def test_results_hold_foreign_and_malformed_lines(client: MessagesClient, provider: Control) -> None:
    """A foreign result comes first, then lines that are not JSON; a malformed line is half a valid one."""
    batch_id = client.run_batch(3)
    good = {json.loads(line)["custom_id"]: line for line in lines(client.results(batch_id)) if line}
    spoil: dict[str, Any] = {"kind": "spoil", "foreign": ["other-1"], "malformed": [2], "extra": ["", "not json"]}
    provider.fail("results", spoil)
    read = lines(client.results(batch_id))
    assert json.loads(read[0])["custom_id"] == "other-1"
    assert read[2:4] == [b"", b"not json"]
    assert good["r-2"] not in read
    assert good["r-2"][: len(good["r-2"]) // 2] in read


def test_results_have_other_line_ends(client: MessagesClient, provider: Control) -> None:
    """CRLF, and no newline at the end."""
    batch_id = client.run_batch(3)
    plain = client.results(batch_id).content
    provider.fail("results", {"kind": "spoil", "crlf": True, "final_newline": False})
    assert client.results(batch_id).content == plain.replace(b"\n", b"\r\n").removesuffix(b"\r\n")


def test_results_are_deleted(client: MessagesClient, provider: Control) -> None:
    """From that call on, the batch is archived."""
    batch_id = client.run_batch(1)
    provider.fail("results", {"kind": "archive"})
    assert client.results(batch_id).status_code == 404
    assert client.get(f"{BATCHES}/{batch_id}").json()["archived_at"] is not None
