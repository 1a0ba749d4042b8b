"""The gate after the probe opens by itself, or says why it is closed; until it is passed nothing more is paid."""

from decimal import Decimal
from typing import Any

import orjson
import pytest

from tests.support.belt import Belt, request
from tests.support.faults.scenes import commands, run_command
from tests.support.gates import HOLD, message, pause, say, stop
from tests.support.probes import DATA, HOUR, IN_PROBE, REST, answer_probe, of_probe, of_rest, sent, upload
from tests.support.promises import agree, check, plain
from tests.support.settings import STACK_SETTINGS, tune

DEAR = b"".join(request(f"r-{number}", max_tokens=64_000) + b"\n" for number in range(1, 61))
"""Sixty requests that may cost about $10 in all."""
HELD_ABOVE = {"HOLD_ABOVE_USD": "9.00"}
PREFILLED = [{"role": "user", "content": "Is it?"}, {"role": "assistant", "content": "It is"}]


@pytest.fixture
def stack_settings() -> dict[str, str]:
    """Return the settings of a stack that sends up to $9 unasked."""
    return STACK_SETTINGS | HELD_ABOVE | {"POLL_MIN_SECONDS": "600", "POLL_MAX_SECONDS": "900"}


def gate(belt: Belt, run: str, number: int) -> dict[str, Any]:
    """Read a gate."""
    return belt.fact(run, f"gate-{number}.json")


def test_the_gate_opens_by_itself_and_has_the_forecast(belt: Belt) -> None:
    """Although the run could cost more than the limit at most: the probe has shown that it will not."""
    run = upload(belt, DEAR)
    check(belt, run, belt.finish(run), DEAR)
    after = gate(belt, run, 2)
    assert (after["open"], after["after_probe"], after["reasons"]) == (True, True, [])
    assert Decimal(after["forecast"]["high_usd"]) < 9 < Decimal(belt.receipt(run)["at_most_usd"])
    assert belt.notices == []


@pytest.mark.parametrize("kind", ["invalid_request_error", "not_found_error"])
def test_a_setting_that_the_model_refuses_costs_one_probe_and_one_message(belt: Belt, kind: str) -> None:
    """The provider checks requests only at the end; the same would come of all others."""
    belt.provider.configure(every={"1": f"errored:{kind}"})
    run = upload(belt)
    answer_probe(belt, run)
    (notice,) = belt.notices
    text = plain(notice["message"])
    assert notice["status"] == "waiting-for-approval"
    assert f"{IN_PROBE} of {IN_PROBE} requests for claude-haiku-4-5 that were run failed, and would fail again" in text
    assert f"{kind} ({IN_PROBE})" in text
    assert "simulated" not in text, "the provider's words may quote a prompt"
    belt.submit({"run": run})
    assert sent(belt) == [(of_probe(run), IN_PROBE)]
    say(belt, run, "approve", 2)
    end = belt.finish(run)
    assert sent(belt)[1:] == [(of_rest(run), REST)]
    assert check(belt, run, end, DATA, "failed")["outcomes"]["errored"] == 60


@pytest.mark.parametrize(
    "params",
    [
        {"model": "claude-opus-5-5", "temperature": 0.2},
        {"model": "claude-opus-5-5", "thinking": {"type": "disabled"}},
        {
            "model": "claude-opus-5-5",
            "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}],
        },
        {"model": "claude-sonet-5"},
        {"max_tokens": 10_000_000},
    ],
    ids=["sampling", "thinking", "prefill", "misspelled model", "too many tokens"],
)
def test_whatever_a_model_refuses_costs_one_probe(belt: Belt, params: dict[str, Any]) -> None:
    """Each of these passes all checks at first, and would fail in all lines, hours later."""
    data = b"".join(request(f"r-{number}", **params) + b"\n" for number in range(1, 61))
    run = belt.upload(data, "inbox/odd.jsonl", {"probe": "yes"})
    say(belt, run, "no-limit", 1)  # needed where so many tokens may cost too much
    answer_probe(belt, run)
    codes = [reason["code"] for reason in gate(belt, run, 2)["reasons"]]
    assert codes[0] == "probe-failed"
    belt.submit({"run": run})
    assert sent(belt) == [(of_probe(run), IN_PROBE)]


def test_every_command_of_the_message_works(belt: Belt) -> None:
    """Also the one that shows the provider's words."""
    belt.provider.configure(every={"1": "errored:invalid_request_error"})
    run = upload(belt)
    answer_probe(belt, run)
    show, approve, stopping = commands(belt.notices[0])
    key = show.split(f"s3://{belt.bucket}/")[1].split()[0]
    assert orjson.loads(belt.read(key))
    assert "cancel" in stopping
    run_command(belt, approve)
    assert belt.finish(run)["status"] == "failed"


def test_half_of_the_answers_cut_off_close_the_gate(belt: Belt) -> None:
    """If `max_tokens` is too low for half of the answers, half of the money is wasted."""
    data = DATA.replace(b'"max_tokens":64', b'"max_tokens":256')
    belt.provider.configure(every={"2": "succeeded:max_tokens"})
    run = upload(belt, data)
    answer_probe(belt, run)
    assert "25 of 50 answers of claude-haiku-4-5 are cut off at max_tokens" in plain(belt.notices[0]["message"])
    say(belt, run, "approve", 2)
    check(belt, run, belt.finish(run), data)


def test_a18_a_deliberate_max_tokens_closes_nothing(belt: Belt) -> None:
    """A18: a classification ends at `max_tokens` on every line by design."""
    belt.provider.configure(every={"1": "succeeded:max_tokens"})
    run = upload(belt)
    check(belt, run, belt.finish(run), DATA)
    assert belt.notices == []


def test_a_forecast_above_the_limit_closes_the_gate_and_the_approved_amount_holds(belt: Belt) -> None:
    """The upper end is compared. The message has the interval, and the command names the amount."""
    belt.provider.configure(usage={"output_tokens": 64_000})
    run = upload(belt, DEAR)
    answer_probe(belt, run)
    after = gate(belt, run, 2)
    assert [reason["code"] for reason in after["reasons"]] == ["hold-above"]
    text = plain(belt.notices[0]["message"])
    assert "will cost about $9." in text
    approve, _ = commands(belt.notices[0])
    assert f"up-to {Decimal(after['need_usd']).quantize(Decimal('0.01'), 'ROUND_CEILING')}" in approve
    run_command(belt, approve)
    receipt = check(belt, run, belt.finish(run), DEAR)
    assert Decimal(receipt["cost_usd"]) <= Decimal(receipt["gates"][0]["up_to_usd"])


def test_a_run_without_an_answer_for_an_hour_goes_on_where_it_may_cost_that(belt: Belt) -> None:
    """The probe's answers come later, and take their places."""
    belt.provider.configure(seconds=3 * HOUR)
    run = upload(belt)
    belt.pass_time(HOUR - 1)
    assert belt.poll(run)["next"] == "wait"
    belt.pass_time(1)
    assert belt.poll(run)["next"] == "submit"
    belt.submit({"run": run})
    assert sent(belt) == [(of_probe(run), IN_PROBE), (of_rest(run), REST)]
    assert (gate(belt, run, 2)["open"], gate(belt, run, 2)["unanswered"]) == (True, True)
    check(belt, run, belt.finish(run), DATA)
    assert belt.facts(run, "gate") == ["gate-1.json", "gate-2.json"]


def test_the_rest_waits_for_the_probe_to_be_split(belt: Belt) -> None:
    """A range that ended first would lack the outcomes of its probe lines."""
    belt.provider.configure(seconds=3 * HOUR)
    run = upload(belt)
    belt.pass_time(HOUR)
    belt.poll(run)
    belt.submit({"run": run})
    slow = {"kind": "answer", "status": 503}
    belt.provider.configure(faults=[{"call": "retrieve", "batch": 1, "do": slow, "times": None}])
    belt.pass_time(3 * HOUR)
    for _ in range(3):
        state = belt.poll(run)
        assert state["batches"] == [], "the rest has ended, and waits"
        belt.pass_time(600)
    belt.provider.configure(faults=[])
    check(belt, run, belt.finish(run), DATA)


def test_a20_a_run_that_may_cost_too_much_waits_for_the_answer_and_says_so_after_an_hour(belt: Belt) -> None:
    """A20: it opens by itself when the answer comes."""
    belt.provider.configure(seconds=3 * HOUR)
    run = upload(belt, DEAR)
    belt.pass_time(HOUR)
    text = plain(message(belt, run)["message"])
    assert "the probe of 50 requests has had no answer for 1 h" in text
    belt.submit({"run": run})
    assert len(sent(belt)) == 1
    check(belt, run, belt.finish(run), DEAR)
    assert belt.fact(run, "passed-2.json")["how"] == "answered"
    assert gate(belt, run, 3)["open"]
    assert len(belt.notices) == 1


def test_a20_a_person_lets_a_run_go_on_without_the_answer(belt: Belt) -> None:
    """The message has the command; what the probe shows later closes nothing that it was approved for."""
    belt.provider.configure(seconds=3 * HOUR)
    run = upload(belt, DEAR)
    belt.pass_time(HOUR)
    approve, _ = commands(message(belt, run))
    run_command(belt, approve)
    belt.pass_time(600)
    assert belt.poll(run)["next"] == "submit"
    belt.submit({"run": run})
    assert len(sent(belt)) == 2
    check(belt, run, belt.finish(run), DEAR)


def test_a_failing_probe_that_answers_late_stops_what_is_not_sent_yet(
    belt: Belt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Batches that wait for room need not fail too."""
    tune(monkeypatch, max_requests_per_batch=55)
    monkeypatch.setenv("CONVEYOR_MAX_QUEUED_REQUESTS", "55")
    belt.clients.__dict__.pop("settings", None)
    belt.provider.configure(seconds=2 * HOUR, every={"1": "errored:invalid_request_error"}, queue_limit=55)
    data = b"".join(request(f"r-{number}") + b"\n" for number in range(1, 111))
    run = upload(belt, data)
    while not belt.notices:
        belt.advance(run)
    belt.pass_time(HOLD)
    belt.finish(run)
    receipt = agree(belt, run)
    assert receipt["status"] == "declined"
    assert [g["reasons"][0]["code"] for g in receipt["gates"]] == ["probe-failed"]
    assert sum(requests for _, requests in sent(belt)) < 110


@pytest.mark.parametrize("outcome", ["expired", "canceled"])
def test_a_probe_without_any_answer_closes_the_gate(belt: Belt, outcome: str) -> None:
    """Nothing is known of the rest."""
    belt.provider.configure(every={"1": outcome})
    run = upload(belt)
    answer_probe(belt, run)
    assert [reason["code"] for reason in gate(belt, run, 2)["reasons"]] == ["probe-stuck"]
    belt.provider.configure(every={})
    say(belt, run, "approve", 2)
    receipt = check(belt, run, belt.finish(run), DATA)
    assert receipt["outcomes"][outcome] == IN_PROBE
    assert receipt["outcomes"]["succeeded"] == REST


def test_hold_always_waits_before_the_probe_and_after_it(belt: Belt) -> None:
    """The first approval is about the probe; with the forecast known, the second is about the rest."""
    belt.provider.configure(usage={"input_tokens": 120, "output_tokens": 64})
    run = upload(belt, hold="always")
    approve, _ = commands(message(belt, run))
    assert belt.creates() == (0, 0)
    say(belt, run, "approve", 1)
    answer_probe(belt, run)
    assert [reason["code"] for reason in gate(belt, run, 2)["reasons"]] == ["over-approved"]
    run_command(belt, commands(belt.notices[-1])[0])
    receipt = check(belt, run, belt.finish(run), DATA)
    assert [each["how"] for each in receipt["gates"]] == ["approved", "approved"]
    assert "approve-1" in approve


def test_an_amount_that_covers_the_whole_run_is_approved_once(belt: Belt) -> None:
    """A later gate within it opens by itself."""
    run = upload(belt, hold="always")
    say(belt, run, "up-to 5", 1)
    check(belt, run, belt.finish(run), DATA)
    assert gate(belt, run, 2)["open"]
    assert len(belt.notices) <= 1


def test_a30_a_declined_run_does_not_say_that_nothing_was_paid(belt: Belt) -> None:
    """A30: its probe was, and is delivered."""
    belt.provider.configure(every={"2": "errored:invalid_request_error"})
    run = upload(belt)
    answer_probe(belt, run)
    belt.pass_time(HOLD)
    end = belt.finish(run)
    receipt = check(belt, run, end, DATA, "declined")
    assert (receipt["results"], receipt["never_sent"]) == (25, REST)
    assert "nothing was charged." not in plain(end["message"]).replace("nothing was charged for them", "")


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_run_is_stopped_while_its_probe_is_under_way(belt: Belt, when: str) -> None:
    """Before the answer, or after it at the closed gate: what was answered is delivered."""
    belt.provider.configure(seconds=HOUR / 2, every={"2": "errored:invalid_request_error"})
    run = upload(belt)
    if when == "after":
        belt.pass_time(HOUR / 2)
        answer_probe(belt, run)
    stop(belt, run)
    receipt = check(belt, run, belt.finish(run), DATA, "stopped")
    assert receipt["never_sent"] == REST
    assert len(sent(belt)) == 1


def test_a_pause_during_the_probe_does_not_replace_the_gate_after_it(belt: Belt) -> None:
    """A13: an approval of the pause does not count for what the probe shows later."""
    belt.provider.configure(seconds=HOUR / 2, every={"1": "errored:invalid_request_error"})
    run = upload(belt)
    pause(belt, run)
    message(belt, run)
    say(belt, run, "approve", 2)
    belt.pass_time(HOUR / 2)
    answer_probe(belt, run)
    assert [reason["code"] for reason in gate(belt, run, 3)["reasons"]] == ["probe-failed"]
    belt.submit({"run": run})
    assert len(sent(belt)) == 1


def test_a_probe_that_the_provider_refused_is_not_said_to_be_sent(belt: Belt) -> None:
    """Its queue is full: the attempt created nothing."""
    belt.provider.configure(queue_limit=10)
    run = upload(belt)
    assert (belt.creates(), sent(belt)) == ((1, 0), [])
    pause(belt, run)
    text = plain(message(belt, run)["message"])
    assert "Nothing was sent, and nothing was charged." in text
    assert f"First a probe of {IN_PROBE} requests is sent" in text


def test_a_pause_after_the_probe_keeps_what_it_has_shown(belt: Belt) -> None:
    """The forecast, and that the rest may be sent once the pause is over."""
    belt.provider.configure(seconds=HOUR / 2)
    run = upload(belt)
    belt.pass_time(HOUR / 2)
    assert answer_probe(belt, run)["next"] == "submit"
    pause(belt, run)
    message(belt, run)
    assert gate(belt, run, 3)["forecast"] == gate(belt, run, 2)["forecast"]
    say(belt, run, "approve", 3)
    check(belt, run, belt.finish(run), DATA)


def test_a_repeated_upload_event_between_answer_and_gate_pays_nothing(belt: Belt) -> None:
    """A1: the probe is split, and poll has not decided: only a fact that says so lets a run pay."""
    event = belt.drop(DATA, metadata={"probe": "yes"})
    run = belt.submit(event)["run"]
    for batch in belt.poll(run)["batches"]:
        belt.split(run, batch)
    belt.submit(event)
    belt.submit({"run": run})
    assert len(sent(belt)) == 1
    check(belt, run, belt.finish(run), DATA)
