"""The gate after validation: nothing is paid before a person says so, and one end is the only one."""

from decimal import Decimal
from typing import Any

import orjson
import pytest

from tests.support.belt import Belt, drop_of, request
from tests.support.faults.scenes import commands, run_command
from tests.support.gates import HELD, HOLD, HOUR, message, say
from tests.support.promises import check, plain

DATA = drop_of(3)


@pytest.fixture
def held(belt: Belt) -> str:
    """Return a run of three requests that waits at its first gate."""
    return belt.upload(DATA, metadata=HELD)


def test_a_drop_that_asks_for_it_waits_and_its_message_has_the_price_and_the_command(belt: Belt, held: str) -> None:
    """What the message says is typed, and the run goes on."""
    notice = message(belt, held)
    assert notice["status"] == "waiting-for-approval"
    assert "3 requests" in notice["subject"]
    assert "metadata hold=always" in plain(notice["message"])
    most = belt.fact(held, "gate-1.json")["need_usd"]
    assert Decimal(most) > 0
    approve, stop = commands(notice)
    assert f"up-to {Decimal(most).quantize(Decimal('0.01'), 'ROUND_CEILING')}" in approve
    assert "cancel" in stop
    assert belt.creates() == (0, 0)
    run_command(belt, approve)
    receipt = check(belt, held, belt.finish(held), DATA)
    assert [gate["how"] for gate in receipt["gates"]] == ["approved"]
    assert belt.creates() == (1, 1)


def test_a1_a_repeated_upload_event_at_a_closed_gate_pays_nothing(belt: Belt) -> None:
    """A1: only a fact that says so lets a run pay, and submit does not know what poll knows."""
    event = belt.drop(DATA, metadata=HELD)
    run = belt.submit(event)["run"]
    for _ in range(3):
        belt.submit(event)
        belt.submit({"run": run})
        belt.poll(run)
    assert belt.creates() == (0, 0)
    assert belt.facts(run, "attempt") == []


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("up-to 0.000001", "it allows $0.000001, and it must allow at least"),
        ("up-to 61,40", '"61,40" has a comma: write US dollars as 1234.50'),
        ("up-to inf", 'the word after "up-to" is no amount'),
        ("up-to -5", '"-5" is no amount'),
        ("yes please", 'it must say "up-to <US dollars>"'),
        ("", 'it must say "up-to <US dollars>"'),
    ],
)
def test_an_approval_that_opens_nothing_is_answered_at_once_and_only_once(
    belt: Belt, held: str, words: str, reason: str
) -> None:
    """The gate stays closed, and its end stays where it was."""
    until = belt.fact(held, "gate-1.json")["until"]
    message(belt, held)
    assert belt.poll(held)["next"] == "wait"
    say(belt, held, words)
    assert reason in plain(message(belt, held)["message"])
    assert belt.poll(held)["next"] == "wait"
    assert belt.fact(held, "gate-1.json")["until"] == until
    assert belt.creates() == (0, 0)
    say(belt, held, "approve")
    assert belt.finish(held)["status"] == "completed"


def test_a_run_is_told_again_after_a_day_and_six_hours_before_its_end_and_then_declined(belt: Belt, held: str) -> None:
    """A declined run has its receipt and its message, and nothing was paid."""
    end = belt.finish(held)
    assert [notice["status"] for notice in belt.notices] == ["waiting-for-approval"] * 3
    assert (end["status"], belt.creates()) == ("declined", (0, 0))
    receipt = belt.receipt(held)
    assert (receipt["code"], receipt["not_run"], receipt["gates"][0]["how"]) == ("declined", 3, "declined")
    assert "nothing was charged" in plain(end["message"])
    assert "nobody approved the run within 72 hours" in plain(end["message"])


def test_a21_a_person_who_approves_just_in_time_is_not_declined(belt: Belt, held: str) -> None:
    """A21: the approval is read before the clock."""
    message(belt, held)
    belt.pass_time(73 * HOUR)
    say(belt, held, "approve")
    assert belt.finish(held)["status"] == "completed"


def test_a21_a_declined_run_is_not_opened_by_a_late_approval(belt: Belt, held: str) -> None:
    """A21: a gate has one end."""
    belt.pass_time(73 * HOUR)
    belt.poll(held)
    say(belt, held, "approve")
    assert belt.finish(held)["status"] == "declined"
    assert belt.creates() == (0, 0)


def test_a_run_is_stopped_at_its_gate(belt: Belt, held: str) -> None:
    """A stop comes before an approval."""
    say(belt, held, "approve")
    belt.s3.put_object(Bucket=belt.bucket, Key=f"control/{held}/cancel", Body=b"")
    assert belt.finish(held)["status"] == "stopped"
    assert belt.fact(held, "passed-1.json")["how"] == "stopped"
    assert belt.creates() == (0, 0)


def test_a32_the_same_bytes_while_the_first_run_waits_are_refused_with_the_gate_named(belt: Belt, held: str) -> None:
    """A32: the person looks for an approval to give, not for results."""
    end = belt.finish(belt.upload(DATA))
    assert end["status"] == "refused"
    assert f"run {held} already, which waits for an approval (gate 1)" in plain(end["message"])
    approve, again = commands(end)
    assert f"again={end['run']}" in again
    run_command(belt, approve)
    assert belt.finish(held)["status"] == "completed"


def test_a_run_that_was_declined_unpaid_does_not_keep_its_content(belt: Belt, held: str) -> None:
    """Nobody has to say again=yes for bytes that were never paid for."""
    belt.pass_time(HOLD)
    assert belt.finish(held)["status"] == "declined"
    run = belt.upload(DATA)
    assert belt.finish(run)["status"] == "completed"


@pytest.mark.parametrize(
    ("metadata", "problem"),
    [
        ({"hold": "yes"}, '"always"'),
        ({"dry-run": "no"}, '"yes"'),
        ({"probe": "maybe"}, '"yes" or "no"'),
    ],
)
def test_a_value_that_is_not_known_refuses_the_drop(belt: Belt, metadata: dict[str, str], problem: str) -> None:
    """A drop that its owner wanted to hold must not be sent."""
    end = belt.finish(belt.upload(DATA, metadata=metadata))
    assert end["status"] == "refused"
    assert f"it must be {problem}, or be left out" in plain(end["message"])


def test_a_dry_run_estimates_and_sends_nothing(belt: Belt) -> None:
    """The message has the price and the command that runs it after all."""
    end = belt.finish(belt.upload(DATA, metadata={"dry-run": "yes"}))
    assert end["status"] == "estimated"
    assert "3 requests, up to $" in end["subject"]
    receipt = belt.receipt(end["run"])
    assert Decimal(str(receipt["estimate"]["at_most_usd"])) > 0
    assert belt.creates() == (0, 0)
    assert "dry-run" not in commands(end)[0]


def test_a_dry_run_says_whether_the_drop_would_wait(belt: Belt) -> None:
    """Nobody finds out only when the real drop is made."""
    put_config(belt, "budgets", {"default": {"usd_per_drop": 0.0001}})
    end = belt.finish(belt.upload(DATA, metadata={"dry-run": "yes"}))
    assert "without that it would wait for an approval: it may cost up to" in plain(end["message"])


@pytest.mark.parametrize(("requests", "sample"), [(60, 50), (20, 20)])
def test_a_dry_run_says_whether_a_sample_would_be_sent_first(belt: Belt, requests: int, sample: int) -> None:
    """It is written nowhere then: a dry run leaves no lines behind."""
    end = belt.finish(belt.upload(drop_of(requests), metadata={"dry-run": "yes", "probe": "yes"}))
    assert f"without that a probe of {sample} requests would be sent first" in plain(end["message"])
    assert end["status"] == "estimated"
    assert belt.stored("content/") == []


def test_a_dry_run_compares_the_limits_with_what_would_be_paid_first(belt: Belt) -> None:
    """The drop is above the limit and its probe is not: so nobody would be asked before the probe."""
    put_config(belt, "budgets", {"default": {"usd_per_drop": 0.02}})
    data, metadata = drop_of(100), {"dry-run": "yes", "probe": "yes"}
    end = belt.finish(belt.upload(data, metadata=metadata))
    assert Decimal(str(belt.receipt(end["run"])["estimate"]["at_most_usd"])) > Decimal("0.02")
    assert "wait for an approval" not in plain(end["message"])
    assert "without that a probe of 50 requests would be sent first" in plain(end["message"])


def test_a31_a_dry_run_does_not_make_the_real_drop_seen_before(belt: Belt) -> None:
    """A31: it claims no content, before the real drop or after it."""
    belt.finish(belt.upload(DATA, metadata={"dry-run": "yes"}))
    assert belt.finish(belt.upload(DATA))["status"] == "completed"
    assert belt.finish(belt.upload(DATA, metadata={"dry-run": "yes"}))["status"] == "estimated"


def test_a_dry_run_of_invalid_lines_is_refused_as_the_drop_would_be(belt: Belt) -> None:
    """It shows what is wrong."""
    end = belt.finish(belt.upload(DATA + b"nonsense\n", metadata={"dry-run": "yes"}))
    assert (end["status"], belt.receipt(end["run"])["code"]) == ("refused", "invalid-lines")


def put_config(belt: Belt, name: str, content: Any) -> None:
    """Write what an administrator does."""
    data = content if isinstance(content, bytes) else orjson.dumps(content)
    belt.s3.put_object(Bucket=belt.bucket, Key=f"config/{name}.json", Body=data)


def test_a_drop_over_the_ceiling_of_its_project_waits(belt: Belt) -> None:
    """At most is compared, since nothing else is known before a sample is answered."""
    put_config(belt, "budgets", {"projects": {"team": {"usd_per_drop": 0.0001}}})
    run = belt.upload(DATA, "inbox/team/three.jsonl")
    text = plain(message(belt, run)["message"])
    assert 'a drop of the project "team" may cost' in text
    assert f"control/team/{run}/approve-1" in text
    assert belt.creates() == (0, 0)


def test_a_model_outside_the_projects_list_needs_a_word_of_its_own(belt: Belt) -> None:
    """An amount alone does not allow another model."""
    put_config(belt, "budgets", {"default": {"models": ["claude-opus-5"]}})
    run = belt.upload(DATA)
    (approve, _) = commands(message(belt, run))
    say(belt, run, "approve")
    assert 'add "any-model"' in plain(message(belt, run)["message"])
    run_command(belt, approve)
    assert belt.finish(run)["status"] == "completed"


def test_a17_a_model_without_a_price_waits_only_where_a_ceiling_is_set(belt: Belt) -> None:
    """A17: with the default settings every normal drop is sent."""
    unpriced = request("r-1", model="somebody-elses-model") + b"\n"
    assert belt.finish(belt.upload(unpriced, "inbox/a.jsonl"))["status"] == "completed"
    put_config(belt, "budgets", {"default": {"usd_per_drop": 1000}})
    run = belt.upload(unpriced, "inbox/b.jsonl")
    notice = message(belt, run)
    assert "no bound (1 request with models without a known price)" in plain(notice["message"])
    say(belt, run, "up-to 1000")
    assert 'write "no-limit"' in plain(message(belt, run)["message"])
    say(belt, run, "no-limit")
    assert belt.finish(run)["status"] == "completed"


@pytest.mark.parametrize("name", ["budgets", "prices"])
def test_a15_limits_that_cannot_be_read_close_the_gate_with_the_fault(belt: Belt, name: str) -> None:
    """A15: neither an exception in every run, nor ceilings that are off when a file breaks."""
    put_config(belt, name, b"{]")
    run = belt.upload(DATA)
    assert f"config/{name}.json: line 1, column 2" in plain(message(belt, run)["message"])
    assert belt.creates() == (0, 0)
    say(belt, run, "approve")
    assert belt.finish(run)["status"] == "completed"


def test_a14_a_change_of_limits_and_prices_does_not_reach_a_run_that_is_validated(belt: Belt) -> None:
    """A14: they are copied into the plan, so that an approved run is not suddenly over."""
    run = belt.upload(DATA, metadata=HELD)
    put_config(belt, "budgets", {"default": {"usd_per_drop": 0.0001, "models": []}})
    say(belt, run, "approve")
    assert belt.finish(run)["status"] == "completed"
