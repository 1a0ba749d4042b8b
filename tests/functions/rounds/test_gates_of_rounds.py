"""A round pays like everything else: a stop, a pause, a ceiling and an account in trouble hold it up."""

from typing import Any

import pytest

from tests.support.belt import Belt, drop_of
from tests.support.faults.scenes import LOST, UNSENT
from tests.support.faults.taps import meanwhile
from tests.support.gates import DEAR, message, pause, say, stop
from tests.support.promises import agree, check, plain
from tests.support.rounds import DATA, FAILS, ROUNDS, failing_at_first, mended, of_round, prefixes
from tests.support.settings import STACK_SETTINGS, tune


@pytest.fixture
def stack_settings() -> dict[str, str]:
    """Return the settings of a stack with rounds."""
    return STACK_SETTINGS | ROUNDS | {"POLL_MIN_SECONDS": "600", "POLL_MAX_SECONDS": "900"}


def split_first(belt: Belt, run: str) -> None:
    """Poll and split what was sent first; the round is decided on then, and has not begun."""
    for batch in belt.poll(run)["batches"]:
        belt.split(run, batch)
    assert belt.poll(run)["next"] == "wait"
    assert belt.facts(run, "round") == ["round-1.json"]


def test_a_stop_in_the_pause_before_a_round_ends_the_run(belt: Belt) -> None:
    """What was answered is delivered, and what failed stays as it was."""
    belt.provider.configure(outcomes=FAILS)
    run = belt.upload(DATA)
    split_first(belt, run)
    stop(belt, run)
    receipt = check(belt, run, belt.finish(run), DATA, "stopped")
    assert len(prefixes(belt)) == 1
    assert (receipt["outcomes"]["errored"], receipt["outcomes"]["expired"], receipt["never_sent"]) == (2, 1, 0)


def test_a_pause_in_the_pause_before_a_round_holds_it_up(belt: Belt) -> None:
    """Nothing more is paid until somebody approves it."""
    belt.provider.configure(outcomes=FAILS)
    run = belt.upload(DATA)
    split_first(belt, run)
    belt.provider.configure(outcomes={})
    pause(belt, run)
    message(belt, run)
    belt.pass_time(3600)
    belt.submit({"run": run})
    assert len(prefixes(belt)) == 1
    say(belt, run, "approve", 2)
    check(belt, run, belt.finish(run), DATA)
    assert len(prefixes(belt)) == 2


def test_a_round_above_the_ceiling_asks_first(belt: Belt) -> None:
    """The failed requests cost nothing at first, and may cost something now."""
    belt.provider.configure(outcomes={"2": "expired"}, usage={"output_tokens": 64_000, "input_tokens": 100})
    run = belt.upload(DEAR, metadata={"hold": "always"})
    message(belt, run)
    say(belt, run, "up-to 0.49", 1)
    with meanwhile(belt.clients, mended(belt)):
        receipt = check(belt, run, belt.finish(run), DEAR)
    assert receipt["results"] == 3


def test_an_account_in_trouble_closes_the_gate_before_more_is_sent(belt: Belt, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once for each batch whose results say so; an approval lets it go on."""
    tune(monkeypatch, max_requests_per_batch=3)
    monkeypatch.setenv("CONVEYOR_MAX_QUEUED_REQUESTS", "3")
    belt.clients.__dict__.pop("settings", None)
    belt.provider.configure(outcomes={"2": "errored:billing_error"}, seconds=60, queue_limit=3)
    run = belt.upload(drop_of(9))
    while not belt.notices:
        belt.step(run)
    (notice,) = belt.notices
    assert notice["status"] == "waiting-for-approval"
    assert "the provider refused the account in batch" in plain(notice["message"])
    before = len(prefixes(belt))
    belt.submit({"run": run})
    assert len(prefixes(belt)) == before < 3
    belt.provider.configure(outcomes={})
    for gate in (2, 3):  # what was sent meanwhile may say the same
        say(belt, run, "approve", gate)
    belt.finish(run)
    receipt = agree(belt, run)
    assert receipt["causes"]
    assert receipt["status"] == "completed"


def test_an_account_in_trouble_holds_up_a_call_before_poll_has_closed_the_gate(
    belt: Belt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A1: a hold that only `poll` knows is none. The upload event may come again at any time."""
    tune(monkeypatch, max_requests_per_batch=3)
    belt.clients.__dict__.pop("settings", None)
    belt.provider.configure(outcomes={"2": "errored:billing_error"}, seconds=60, queue_limit=3)
    event = belt.drop(drop_of(6))
    run = belt.submit(event)["run"]
    belt.pass_time(600)
    assert belt.poll(run)["next"] == "split"
    belt.split(run)
    belt.submit(event)
    assert len(prefixes(belt)) == 1
    assert message(belt, run)["status"] == "waiting-for-approval"


def test_an_account_in_trouble_at_the_end_holds_up_nothing(belt: Belt) -> None:
    """The run ends as without rounds: its lines are in `retry.jsonl`."""
    belt.provider.configure(outcomes={"2": "errored:billing_error"})
    run = belt.upload(DATA)
    receipt = check(belt, run, belt.finish(run), DATA)
    assert (belt.notices, receipt["retryable"]) == ([], 1)


@pytest.mark.parametrize("fault", [LOST, UNSENT])
def test_a_lost_answer_to_the_call_of_a_round_is_settled_by_proof(belt: Belt, fault: dict[str, Any]) -> None:
    """Its batch is adopted, or sent again once it is surely not there."""
    with failing_at_first(belt, faults=[fault | {"after": 1}]):
        run = belt.upload(DATA)
        end = belt.finish(run)
    check(belt, run, end, DATA)
    assert [prefix for prefix, _ in prefixes(belt)][1:] == [of_round(run, 1)]


def test_a3_a_round_is_never_taken_for_what_it_repeats(belt: Belt) -> None:
    """A3: all lines failed, so the round has the same size, and its answer is lost."""
    data = drop_of(3)
    with failing_at_first(belt, {str(place): "expired" for place in (1, 2, 3)}, faults=[LOST | {"after": 1}]):
        run = belt.upload(data)
        end = belt.finish(run)
    receipt = check(belt, run, end, data)
    assert receipt["results"] == 3
    assert receipt["rounds"][0]["batches"][0]["id"] != receipt["batches"][0]["id"]


def test_a7_a_round_is_not_paid_again_after_its_ledger_was_lost(belt: Belt) -> None:
    """A7: nobody knows which lines it had; they stay as they were."""
    event = belt.drop(DATA)
    with failing_at_first(belt):
        run = belt.submit(event)["run"]
        for _ in range(12):
            state = belt.poll(run)
            for batch in state["batches"]:
                belt.split(run, batch)
            if state["next"] == "submit":
                belt.submit({"run": run})
            if len(prefixes(belt)) == 2:
                break
            belt.pass_time(state["wait_seconds"])
    assert len(prefixes(belt)) == 2
    for key in [*belt.stored(f"runs/{run}/"), *belt.stored("content/")]:
        belt.s3.delete_object(Bucket=belt.bucket, Key=key)
    belt.submit(event)
    end = belt.finish(run)
    assert len(prefixes(belt)) == 2, "the round is not sent again"
    receipt = check(belt, run, end, DATA)
    assert receipt["code"] == "round-sent-before"
    assert receipt["retryable"] == 3
    assert "was sent before the ledger of this run was lost" in plain(end["message"])
