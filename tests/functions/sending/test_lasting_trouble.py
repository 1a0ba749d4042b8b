"""Requests about batches under way that fail in two checks in a row are in the ledger, until one check meets none."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from conveyor.domain import keys
from tests.support.belt import FIRST, Belt, drop_of
from tests.support.faults.taps import When, crash_at
from tests.support.gates import stop
from tests.support.settings import STACK_SETTINGS, tune

DOWN = {"kind": "answer", "status": 503}
DENIED = {"kind": "answer", "status": 401}
BUSY = {"kind": "answer", "status": 429}
GONE = {"kind": "answer", "status": 404}
DATA = drop_of(3)


@pytest.fixture
def stack_settings(request: pytest.FixtureRequest) -> dict[str, str]:
    """Return the settings of a stack; a test may change them."""
    return STACK_SETTINGS | getattr(request, "param", {})


def under_way(belt: Belt, data: bytes = DATA) -> str:
    """Send a batch that takes its time."""
    belt.provider.configure(seconds=3600, canceling_seconds=600)
    return belt.upload(data)


def look(belt: Belt, run: str, times: int = 1) -> None:
    """Poll, a minute apart."""
    for _ in range(times):
        belt.poll(run)
        belt.pass_time(60)


def written(belt: Belt, run: str) -> tuple[list[str], list[str]]:
    """Return the kinds of trouble in the ledger, and of trouble that is over."""
    kinds = [[name.split("-")[1] for name in belt.facts(run, kind)] for kind in ("trouble-", "over-")]
    return kinds[0], kinds[1]


def ends(belt: Belt, run: str) -> None:
    """Let all be well again, and the run end: nothing of its trouble is left open."""
    belt.provider.configure(faults=[], seconds=0, canceling_seconds=0)
    belt.finish(run)
    begun, over = belt.facts(run, "trouble-"), belt.facts(run, "over-")
    assert [name.partition("-")[2] for name in begun] == [name.partition("-")[2] for name in over]


@pytest.mark.parametrize(
    ("fault", "kind", "reason"),
    [
        (DOWN, "unavailable", "HTTP 503"),
        ({"kind": "lose", "when": "before"}, "unavailable", "RemoteProtocolError"),
        (DENIED, "credentials", "HTTP 401"),
        (BUSY, "busy", "HTTP 429"),
        (GONE, "gone", "HTTP 404"),
        ({"kind": "answer", "status": 400}, "other", "HTTP 400"),
    ],
)
def test_trouble_is_written_once_with_its_reason_and_since_when(
    belt: Belt, fault: dict[str, Any], kind: str, reason: str
) -> None:
    """However long it lasts."""
    run = under_way(belt)
    belt.provider.fail("retrieve", fault, times=None)
    began = belt.moment
    look(belt, run)
    assert written(belt, run) == ([], []), "one request that failed says nothing"
    look(belt, run, 5)
    (name,) = belt.facts(run, "trouble-")
    assert name == f"trouble-{kind}-{began:%Y%m%dT%H%M%SZ}.json"
    fact = belt.fact(run, name)
    assert (fact["kind"], fact["reason"]) == (kind, reason)
    belt.provider.configure(faults=[])
    look(belt, run)
    assert belt.facts(run, "over-") == [name.replace("trouble-", "over-")]
    look(belt, run, 3)
    assert written(belt, run) == ([kind], [kind])
    ends(belt, run)


def test_a_provider_that_fails_every_other_request_writes_nothing(belt: Belt) -> None:
    """An unstable provider would write thousands of facts."""
    run = under_way(belt)
    for _ in range(6):
        belt.provider.fail("retrieve", DOWN, times=1)
        look(belt, run, 2)
    assert written(belt, run) == ([], [])


@pytest.mark.parametrize("faults", [(DOWN, BUSY), (BUSY, DENIED), (DOWN, GONE, BUSY)])
def test_statuses_that_alternate_are_trouble_until_a_request_succeeds(
    belt: Belt, faults: tuple[dict[str, Any], ...]
) -> None:
    """Each answer is another one, and no request has succeeded for hours: each kind is written once."""
    run = under_way(belt)
    began = belt.moment
    for number in range(24):
        belt.provider.configure(faults=[{"call": "retrieve", "do": faults[number % len(faults)], "times": None}])
        look(belt, run)
    begun, over = written(belt, run)
    assert (len(begun), over) == (len(faults), [])
    moments = {name.rpartition("-")[2] for name in belt.facts(run, "trouble-")}
    assert f"{began:%Y%m%dT%H%M%SZ}.json" in moments, "since the first request that failed"
    belt.provider.configure(faults=[])
    look(belt, run)
    assert written(belt, run) == (begun, begun)
    ends(belt, run)


def test_trouble_that_comes_again_is_another_one(belt: Belt) -> None:
    """Each has a beginning and an end."""
    run = under_way(belt)
    for _ in range(3):
        belt.provider.fail("retrieve", DOWN, times=2)
        look(belt, run, 3)
    assert written(belt, run) == (["unavailable"] * 3, ["unavailable"] * 3)


def test_an_execution_that_remembers_nothing_neither_ends_it_nor_writes_it_again(belt: Belt) -> None:
    """A run that is continued by hand begins without a memory."""
    run = under_way(belt)
    belt.provider.fail("retrieve", DOWN, times=None)
    look(belt, run, 2)
    belt.remember(run, FIRST)
    look(belt, run, 3)
    assert written(belt, run) == (["unavailable"], [])
    belt.remember(run, FIRST)
    ends(belt, run)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("fact", ["trouble-unavailable", "over-unavailable"])
def test_a_poll_that_crashes_writes_the_same_when_it_is_repeated(belt: Belt, when: When, fact: str) -> None:
    """Its memory is that of the poll before it."""
    run = under_way(belt)
    belt.provider.fail("retrieve", DOWN, times=None)
    look(belt, run, 2 if fact.startswith("over") else 1)
    belt.provider.configure(faults=[] if fact.startswith("over") else [{"call": "retrieve", "do": DOWN, "times": None}])
    with crash_at(belt.clients, when, fact):
        belt.poll(run)
    look(belt, run, 2)
    assert len(belt.facts(run, fact)) == 1
    ends(belt, run)


def test_a_failure_after_an_end_that_a_crash_has_hidden_is_new_trouble(belt: Belt) -> None:
    """The poll that is repeated remembers the former one."""
    run = under_way(belt)
    belt.provider.fail("retrieve", DOWN, times=2)
    look(belt, run, 2)
    with crash_at(belt.clients, "after", "over-unavailable"):
        belt.poll(run)
    belt.provider.fail("retrieve", DOWN, times=None)
    look(belt, run, 3)
    assert written(belt, run) == (["unavailable"] * 2, ["unavailable"])
    ends(belt, run)


def test_a_retry_after_neither_begins_nor_ends_trouble(belt: Belt) -> None:
    """Nothing is concluded from calls that were not made; the moment of the next one is in the ledger anyway."""
    run = under_way(belt)
    belt.provider.fail("retrieve", DOWN | {"headers": {"retry-after": "200"}}, times=1)
    look(belt, run, 3)
    assert written(belt, run) == ([], []), "one call has failed"
    look(belt, run, 2)
    belt.provider.fail("retrieve", DENIED, times=None)
    look(belt, run, 2)
    belt.provider.fail("retrieve", DOWN | {"headers": {"retry-after": "200"}}, times=1)
    look(belt, run, 3)
    assert written(belt, run) == (["credentials"], [])
    ends(belt, run)


@pytest.mark.parametrize(("fault", "kind"), [(BUSY, "busy"), (DOWN, "unavailable"), (DENIED, "credentials")])
def test_a_provider_that_answers_nothing_but_retry_after_is_in_trouble(
    belt: Belt, fault: dict[str, Any], kind: str
) -> None:
    """It says when it is called again, and not that this has failed for hours."""
    run = under_way(belt)
    belt.provider.fail("retrieve", fault | {"headers": {"retry-after": "100"}}, times=None)
    look(belt, run, 6)
    assert written(belt, run) == ([kind], [])
    ends(belt, run)


def test_attempts_that_are_refused_are_not_written_again(belt: Belt) -> None:
    """Each has a fact that says why, and when the next one is made."""
    belt.clients.settings = replace(belt.clients.settings, api_url="http://127.0.0.1:9")
    run = belt.upload(DATA)
    while len(belt.facts(run, "refused")) < 3:
        belt.step(run)
    assert written(belt, run) == ([], [])


def test_a_batch_that_waits_for_room_is_no_trouble(belt: Belt) -> None:
    """The queue is full: the provider answers 429 to each attempt, and all is well."""
    belt.provider.fail("create", BUSY, times=None)
    run = belt.upload(DATA)
    while len(belt.facts(run, "refused")) < 3:
        belt.step(run)
    assert written(belt, run) == ([], [])
    ends(belt, run)


def test_results_that_cannot_be_read_are_not_written_again(belt: Belt) -> None:
    """Each read has a fact that says why it came to nothing."""
    run = belt.upload(DATA)
    belt.provider.fail("results", {"kind": "cut", "at": 100}, times=3)
    while len(belt.facts(run, "unread")) < 3:
        belt.step(run)
    assert written(belt, run) == ([], [])
    ends(belt, run)


def stopped(belt: Belt) -> str:
    """Stop a run whose batch is under way."""
    run = under_way(belt)
    stop(belt, run)
    return run


def lost(belt: Belt, seconds: int = 3600) -> str:
    """Send a batch of which the answer is lost. `seconds`: how long it takes."""
    belt.provider.configure(seconds=seconds, faults=[{"call": "create", "do": {"kind": "lose", "when": "after"}}])
    return belt.upload(DATA)


def lost_and_ended(belt: Belt) -> str:
    """Send a batch of which the answer is lost, and that can be known by its results only."""
    run = lost(belt, 0)
    belt.pass_time(3600)
    return run


@pytest.mark.parametrize(("fault", "kind"), [(BUSY, "busy"), (DOWN, "unavailable")])
@pytest.mark.parametrize(
    ("begin", "call", "fact"),
    [(stopped, "cancel", "cancel"), (lost, "list", "unknown"), (lost_and_ended, "results", "doubtful")],
)
def test_a_request_of_poll_that_fails_is_trouble(  # noqa: PLR0913, PLR0917
    belt: Belt, begin: Callable[[Belt], str], call: str, fact: str, fault: dict[str, Any], kind: str
) -> None:
    """The ledger says that a batch is cancelled, or looked for, and not why that lasts."""
    run = begin(belt)
    belt.provider.fail(call, fault, times=None)
    look(belt, run, 3)
    assert belt.facts(run, fact)
    assert written(belt, run) == ([kind], [])
    (place,) = belt.facts(run, "trouble")
    assert "/" not in belt.fact(run, place)["reason"], "an id of the provider's, which who checks the stack may read"
    ends(belt, run)


def test_an_answer_to_a_person_does_not_hide_that_calls_fail(belt: Belt) -> None:
    """What a person wrote is not understood: that is all that a message says, and the list still cannot be read."""
    run = lost(belt)
    belt.provider.fail("list", DOWN, times=None)
    look(belt, run, 3)
    belt.s3.put_object(Bucket=belt.bucket, Key=keys.release(run, 1, 1), Body=b"I do not know")
    look(belt, run, 3)
    (notice,) = belt.notices
    assert "by itself once it is known" in " ".join(notice["message"].split()), "not before the words are put in order"
    assert written(belt, run) == (["unavailable"], [])
    belt.s3.delete_object(Bucket=belt.bucket, Key=keys.release(run, 1, 1))
    ends(belt, run)


def test_a_batch_that_is_not_asked_about_neither_ends_its_trouble_nor_forgets_since_when(
    belt: Belt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a Retry-After, no others are asked about while the results of one that has ended are due."""
    tune(monkeypatch, max_requests_per_batch=1)
    run = under_way(belt)
    while len(belt.facts(run, "batch-")) < 3:
        belt.step(run)
    belt.provider.fail("retrieve", DOWN | {"headers": {"retry-after": "20"}}, times=1)
    look(belt, run, 2)
    gone = {"call": "retrieve", "batch": 2, "do": GONE, "times": None}
    belt.provider.configure(seconds=0, faults=[gone])
    belt.pass_time(3600)
    since = set[str]()
    for _ in range(8):
        belt.step(run)
        since |= {trouble["since"] for trouble in [belt.state_of(run)["trouble"]] if trouble}
    assert len(belt.facts(run, "part")) == 2
    assert (written(belt, run), len(since)) == ((["gone"], []), 1)
    ends(belt, run)


@pytest.mark.parametrize("stack_settings", [{"BATCH_API": "files", "DELETE_FILES": "yes"}], indirect=True)
@pytest.mark.parametrize("call", ["files", "retrieve", "delete_file"])
def test_a_run_ends_with_its_trouble_though_a_retry_after_lasts(belt: Belt, call: str) -> None:
    """Also if each deletion is answered so: the files are left there in the end, as results are after 29 days."""
    run = belt.upload(DATA)
    belt.provider.fail("delete_file", DOWN, times=None)
    while not belt.facts(run, "part"):
        belt.step(run)
    look(belt, run, 3)
    belt.provider.configure(faults=[])
    belt.provider.fail(call, DOWN | {"headers": {"retry-after": "2000"}}, times=None)
    look(belt, run)
    belt.pass_time(29 * 86_400)
    belt.finish(run)
    assert belt.facts(run, "wait")
    assert written(belt, run) == (["unavailable"], ["unavailable"])


@pytest.mark.parametrize("stack_settings", [{"BATCH_API": "files", "DELETE_FILES": "yes"}], indirect=True)
def test_a_deletion_that_fails_is_trouble_until_it_is_given_up(belt: Belt) -> None:
    """The report waits for it."""
    run = belt.upload(DATA)
    belt.provider.fail("delete_file", DOWN, times=None)
    while not belt.facts(run, "part"):
        belt.step(run)
    look(belt, run, 3)
    assert written(belt, run) == (["unavailable"], [])
    belt.finish(run)
    assert written(belt, run) == (["unavailable"], ["unavailable"])
    assert belt.fact(run, "batches/1/discarded.json")["left"]


def test_a_batch_that_is_given_up_is_no_other_trouble_beside_one_that_is_gone(
    belt: Belt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the provider does not know is one trouble until the last such batch is given up."""
    tune(monkeypatch, max_requests_per_batch=1)
    belt.provider.configure(seconds=10**7)
    run = belt.upload(drop_of(2))
    belt.pass_time(2 * 3600)
    while len(belt.facts(run, "batch-")) < 2:
        belt.step(run)
    belt.provider.fail("retrieve", GONE, times=None)
    belt.finish(run)
    first, second = (belt.fact(run, f"batches/{number}/stuck.json")["at"] for number in (1, 2))
    assert first < second
    assert written(belt, run) == (["gone"], ["gone"])


def test_a_cancel_that_fails_otherwise_does_not_end_that_a_batch_is_gone(belt: Belt) -> None:
    """The provider does not know the batch, and answers the cancel with an error of its own for a while, or always."""
    run = stopped(belt)
    for cancel in (DOWN, GONE) * 2:
        answers = (("retrieve", GONE), ("cancel", cancel))
        belt.provider.configure(faults=[{"call": call, "do": do, "times": None} for call, do in answers])
        look(belt, run, 8)
    begun, over = written(belt, run)
    assert (begun.count("gone"), over.count("gone")) == (1, 0)
    fact = belt.fact(run, next(name for name in belt.facts(run, "trouble-") if "gone" in name))
    assert (fact["reason"], bool(fact["ends"])) == ("HTTP 404", True)
    assert begun.count("unavailable") == 2, "it is trouble, too, while it lasts"
    assert belt.state_of(run)["trouble"]["reason"] == "HTTP 404"
    belt.provider.configure(faults=[])
    ends(belt, run)
