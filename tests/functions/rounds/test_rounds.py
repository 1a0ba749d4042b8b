"""A failure that passes is the run's own work: its lines go again, and one ordered pair of files is what comes out."""

from datetime import datetime
from typing import Any

import orjson
import pytest

from conveyor.domain.drop import nonce
from tests.support.belt import Belt, drop_of
from tests.support.faults.taps import Call, When, meanwhile, tapped
from tests.support.probes import PROBED
from tests.support.promises import check, plain
from tests.support.rounds import DATA, FAILS, ROUNDS, failing_at_first, mended, of_round, prefixes
from tests.support.settings import STACK_SETTINGS, tune


@pytest.fixture(params=["messages", "files"])
def stack_settings(request: pytest.FixtureRequest) -> dict[str, str]:
    """Return the settings of a stack of each dialect."""
    polls = {"POLL_MIN_SECONDS": "600", "POLL_MAX_SECONDS": "900"}
    return STACK_SETTINGS | ROUNDS | polls | {"BATCH_API": request.param}


def outputs(belt: Belt, run: str) -> dict[str, bytes]:
    """Return the user's files of a run, by name."""
    found = [key for kind in ("results/", "failures/") for key in belt.stored(kind) if f"/{run}/" in key]
    return {key.rsplit("/", 1)[-1]: belt.read(key) for key in found if "/parts/" not in key and key.endswith(".jsonl")}


def test_exactly_the_failed_lines_are_sent_again_and_the_files_are_as_if_nothing_had_failed(belt: Belt) -> None:
    """Byte for byte, and each line is counted once."""
    belt.provider.configure(ids_of_params=True)
    smooth = belt.upload(DATA, "inbox/a.jsonl")
    belt.finish(smooth)
    with failing_at_first(belt):
        run = belt.upload(DATA, "inbox/b.jsonl")
        end = belt.finish(run)
    assert prefixes(belt)[1:] == [(nonce(run), 6), (of_round(run, 1), 3)]
    receipt = check(belt, run, end, DATA)
    assert outputs(belt, run) == outputs(belt, smooth)
    assert (receipt["results"], receipt["failures"], receipt["retryable"]) == (6, 0, 0)
    assert [(each["number"], each["requests"], each["outcomes"]["succeeded"]) for each in receipt["rounds"]] == [
        (1, 3, 3)
    ]


def test_a_round_begins_ten_minutes_later_and_the_next_one_an_hour_after_it(belt: Belt) -> None:
    """What passes by itself takes some time."""
    belt.provider.configure(outcomes=FAILS)
    run = belt.upload(DATA)
    belt.finish(run)
    first, second = (belt.fact(run, f"round-{number}.json") for number in (1, 2))
    assert first["sources"] == [1]
    assert second["sources"] == ["round-1/1"]
    for fact, seconds in ((first, 600), (second, 3600)):
        pause = datetime.fromisoformat(fact["not_before"]) - datetime.fromisoformat(fact["at"])
        assert pause.total_seconds() == seconds


def test_what_still_fails_after_the_last_round_is_left_to_the_user(belt: Belt) -> None:
    """In `retry.jsonl`, as without rounds."""
    belt.provider.configure(every={"1": "errored:overloaded_error"})
    run = belt.upload(DATA)
    receipt = check(belt, run, belt.finish(run), DATA, "failed")
    assert [requests for _, requests in prefixes(belt)] == [6, 6, 6]
    assert (receipt["outcomes"]["errored"], receipt["retryable"]) == (6, 6)
    assert receipt["errors"]["overloaded_error"]["failures"] == 6


def test_a_second_round_mends_what_the_first_did_not(belt: Belt) -> None:
    """Each line's last outcome counts."""
    belt.provider.configure(outcomes=FAILS)
    with meanwhile(belt.clients, mended(belt, nth=2)):
        run = belt.upload(DATA)
        end = belt.finish(run)
    receipt = check(belt, run, end, DATA)
    assert [requests for _, requests in prefixes(belt)] == [6, 3, 1]
    assert [each["outcomes"]["succeeded"] for each in receipt["rounds"]] == [2, 1]
    assert receipt["results"] == 6


@pytest.mark.parametrize("outcome", ["canceled", "missing", "errored:invalid_request_error", "errored:odd_error"])
def test_a8_only_what_surely_passes_is_sent_again(belt: Belt, outcome: str) -> None:
    """A8: what is missing or was cancelled may have been paid for; of an unknown error nobody knows."""
    belt.provider.configure(outcomes={"2": outcome})
    run = belt.upload(DATA)
    check(belt, run, belt.finish(run), DATA)
    assert len(prefixes(belt)) == 1
    assert belt.facts(run, "round") == []


def test_a_drop_decides_how_many_rounds_it_has(belt: Belt) -> None:
    """Also none."""
    belt.provider.configure(every={"1": "expired"})
    for rounds, key in (("0", "inbox/a.jsonl"), ("1", "inbox/b.jsonl")):
        before = len(prefixes(belt))
        run = belt.upload(DATA, key, {"retry-rounds": rounds})
        belt.finish(run)
        assert len(prefixes(belt)) - before == 1 + int(rounds)


def test_a2_no_file_of_the_user_exists_before_the_end(belt: Belt) -> None:
    """A2: somebody would send `retry.jsonl` while a round sends the same lines."""
    with failing_at_first(belt):
        run = belt.upload(DATA)
        for _ in range(8):
            state = belt.poll(run)
            if state["next"] == "report":
                break
            assert outputs(belt, run) == {}
            for batch in state["batches"]:
                belt.split(run, batch)
            if state["next"] == "submit":
                belt.submit({"run": run})
            belt.pass_time(state["wait_seconds"])
        end = belt.finish(run)
    check(belt, run, end, DATA)


def test_the_lines_of_a_round_are_read_once_to_plan_it(belt: Belt) -> None:
    """All of the largest drop may have expired, and one function has no time to read that twice."""
    calls: list[str] = []

    def note(call: Call, when: When) -> None:
        if when == "before":
            calls.append(call.name)

    with failing_at_first(belt), tapped(belt.clients, note):
        run = belt.upload(DATA)
        belt.finish(run)
    planned = calls.index(f"PutObject runs/{run}/round-1/plan.jsonl")
    assert len([call for call in calls[:planned] if "round-1/lines.jsonl bytes=" in call]) == 1


def test_lines_of_many_batches_go_in_one_round(belt: Belt, monkeypatch: pytest.MonkeyPatch) -> None:
    """A24: a round is the run's, and not a batch's."""
    tune(monkeypatch, max_requests_per_batch=4)
    belt.clients.__dict__.pop("settings", None)
    data = drop_of(12)
    belt.provider.configure(outcomes={"2": "expired", "3": "errored:api_error"})
    with meanwhile(belt.clients, mended(belt, nth=3)):
        run = belt.upload(data)
        end = belt.finish(run)
    receipt = check(belt, run, end, data)
    assert [requests for _, requests in prefixes(belt)] == [4, 4, 4, 4, 2]
    assert len(receipt["rounds"][0]["batches"]) == 2
    assert receipt["results"] == 12


def test_lines_of_the_probe_that_failed_go_in_a_round_too(belt: Belt) -> None:
    """They belong to the range that they are in."""
    data = drop_of(60)
    belt.provider.configure(outcomes=FAILS)
    with meanwhile(belt.clients, mended(belt, "batches/1/again.json")):
        run = belt.upload(data, metadata=PROBED)
        end = belt.finish(run)
    receipt = check(belt, run, end, data)
    assert [requests for _, requests in prefixes(belt)] == [50, 10, 6]
    assert (receipt["results"], receipt["probe"]["outcomes"]["succeeded"]) == (60, 47)


def test_a_run_without_failures_makes_no_round_and_no_object_more(belt: Belt) -> None:
    """Not a fact, and not an object beside its files."""
    run = belt.upload(DATA)
    check(belt, run, belt.finish(run), DATA)
    kinds = ("round", "again", "merged")
    assert [fact for kind in kinds for fact in belt.facts(run, kind)] == []
    assert belt.stored("content/") == []


def test_the_final_message_says_what_rounds_have_mended(belt: Belt) -> None:
    """And the receipt names the batches of each."""
    with failing_at_first(belt):
        run = belt.upload(DATA)
        end = belt.finish(run)
    assert "3" in plain(end["message"])
    (each,) = belt.receipt(run)["rounds"]
    (batch,) = each["batches"]
    owner = {"run": f"{run}/round-1", "batch": 1, "project": "default"}
    assert orjson.loads(belt.read(f"claims/batches/{batch['id']}")) == owner


def test_odd_lines_of_a_round_are_set_aside(belt: Belt) -> None:
    """A result of a stranger, once for each batch."""
    spoil: dict[str, Any] = {"kind": "spoil", "foreign": ["stranger"]}
    with failing_at_first(belt, faults=[{"call": "results", "do": spoil, "times": None}]):
        run = belt.upload(DATA)
        end = belt.finish(run)
    receipt = check(belt, run, end, DATA)
    assert [batch["foreign"] for batch in receipt["rounds"][0]["batches"]] == [1]
