"""The provider in memory responds as the one behind a socket: each call is made to both, and the outcomes compared."""

from collections.abc import Iterator
from typing import Any

import httpx
import orjson
import pytest

from local.provider.control import Control
from tests.functions.conftest import API_KEY
from tests.support.belt import request
from tests.support.provider_clients.base import WAIT_SECONDS

pytestmark = pytest.mark.local_aws

HEADERS = {"x-api-key": API_KEY, "anthropic-version": "2023-06-01"}
BATCHES = "/v1/messages/batches"
GENERATED = {"request-id", "date", "server", "transfer-encoding", "content-length"}
"""Headers that differ from call to call, or belong to the connection."""
BODY_FAULTS: list[dict[str, Any]] = [
    {"kind": "cut", "at": at, "ending": ending} for at in (0, 10) for ending in ("clean", "close", "reset")
]
FAULTS: list[dict[str, Any]] = [
    *({"kind": "lose", "when": when, "ending": end} for when in ("before", "after") for end in ("close", "reset")),
    {"kind": "answer", "status": 529, "headers": {"retry-after": "7"}},
    {"kind": "answer", "status": 502, "body": "<html>", "when": "after"},
    *BODY_FAULTS,
]


@pytest.fixture
def both(served_provider: Control, memory_provider: Control) -> Iterator[tuple[Control, Control]]:
    """Return both providers after a reset."""
    for control in (served_provider, memory_provider):
        control.reset()
    yield served_provider, memory_provider
    for control in (served_provider, memory_provider):
        control.reset()


def outcome(control: Control, method: str, path: str, **how: Any) -> object:
    """Return what a client sees of a call: the class of its error, or status, headers and the length of the body."""
    with httpx.Client(base_url=control.url, headers=HEADERS, trust_env=False, timeout=WAIT_SECONDS) as client:
        try:
            response = client.request(method, path, **how)
        except httpx.HTTPError as error:
            return type(error)
    headers = {name: value for name, value in response.headers.items() if name not in GENERATED}
    return response.status_code, headers, len(response.content)


@pytest.mark.parametrize("fault", FAULTS, ids=str)
@pytest.mark.parametrize("call", ["create", "list"])
def test_a_fault_is_seen_by_a_client_in_the_same_way(
    both: tuple[Control, Control], call: str, fault: dict[str, Any]
) -> None:
    """The application ends the connection, and httpx names what it saw."""
    outcomes = []
    for control in both:
        control.fail(call, fault)
        if call == "list":
            outcomes.append(outcome(control, "GET", BATCHES))
        else:
            outcomes.append(outcome(control, "POST", BATCHES, json={"requests": [orjson.loads(request("a"))]}))
        outcomes.append(control.stats()["created"])
    assert outcomes[:2] == outcomes[2:]


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/nowhere"), ("PUT", BATCHES), ("GET", f"{BATCHES}?limit=0"), ("GET", f"{BATCHES}/msgbatch_none%2Fa")],
)
def test_a_call_without_a_fault_gets_the_same_answer(both: tuple[Control, Control], method: str, path: str) -> None:
    """Paths, queries and methods arrive unchanged."""
    one, other = (outcome(control, method, path) for control in both)
    assert one == other
    assert isinstance(one, tuple)


def test_the_control_changes_and_counts_the_same(both: tuple[Control, Control]) -> None:
    """With requests and without."""
    seen = []
    for control in both:
        control.configure(now=1_800_000_000.5, seconds=60, outcomes={2: "expired"}, batch_ids={1: "msgbatch_1"})
        control.fail("create", {"kind": "answer", "status": 429}, times=1)
        for _ in range(2):
            outcome(control, "POST", BATCHES, json={"requests": [orjson.loads(request(each)) for each in "ab"]})
        early = control.stats()
        control.configure(now=1_800_000_061, seconds=30)
        seen.append((early, control.stats()))
        control.reset()
        assert control.stats()["created"] == 0
    assert seen[0] == seen[1]
    assert [batch["processing_status"] for stats in seen[0] for batch in stats["batches"]] == ["in_progress", "ended"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seconds": "long"}, r"\$\.seconds"),
        ({"unknown": 1}, "unknown field `unknown`"),
        ({"faults": [{"call": "other"}]}, r"\$\.faults\[0\]"),
    ],
)
def test_the_control_refuses_the_same(both: tuple[Control, Control], changes: dict[str, Any], words: str) -> None:
    """In the same words."""
    refused = []
    for control in both:
        with pytest.raises(ValueError, match=words) as error:
            control.configure(now=1_800_000_000, **changes)
        refused.append(str(error.value))
    assert refused[0] == refused[1]
