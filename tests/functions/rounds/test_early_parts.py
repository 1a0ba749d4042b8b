"""Parts of results and failures can be read before a run ends, and the user's files appear at its end."""

from base64 import b64encode
from typing import Any

import orjson
import pytest

from tests.functions.rounds.test_merging import DATA, POLLS, TRANSIENT, fail, mend, users_files
from tests.support.belt import Belt
from tests.support.promises import check
from tests.support.settings import STACK_SETTINGS, tune


@pytest.fixture
def stack_settings() -> dict[str, str]:
    """Return the settings of a stack with rounds."""
    return STACK_SETTINGS | POLLS | {"RETRY_ROUNDS": "1"}


def parts(belt: Belt, run: str) -> dict[str, str | None]:
    """Return the parts of a run that people can read, and whether each says that it is final."""
    prefix = f"results/three/{run}/parts/"
    heads: dict[str, Any] = {
        key: belt.s3.head_object(Bucket=belt.bucket, Key=key)["Metadata"] for key in belt.stored(prefix)
    }
    return {key.removeprefix(prefix): metadata.get("final") for key, metadata in heads.items()}


def tags(belt: Belt, key: str) -> dict[str, str]:
    """Return the tags of an object."""
    found = belt.s3.get_object_tagging(Bucket=belt.bucket, Key=key)["TagSet"]
    return {tag["Key"]: tag["Value"] for tag in found}


def test_a_drop_of_one_batch_without_failures_has_files_and_no_parts(belt: Belt) -> None:
    """Nothing is read or written twice."""
    belt.provider.configure(outcomes={"4": "errored:invalid_request_error"})
    run = belt.upload(DATA)
    belt.finish(run)
    assert parts(belt, run) == {}
    assert belt.receipt(run)["parts"] is None
    assert set(users_files(belt, run)) == {"results.jsonl", "failures.jsonl", "receipt.json", "report.html"}
    assert not [key for key in belt.stored("content/") if key.endswith(("again.jsonl", "lines.index"))]


def test_no_file_of_the_user_appears_while_lines_are_in_a_round(belt: Belt) -> None:
    """A2: somebody who sees `retry.jsonl` would drop it, and pay for its lines twice."""
    run = fail(belt, DATA, {"2": TRANSIENT, "3": "canceled"})
    assert users_files(belt, run) == {}
    assert parts(belt, run) == {"results-1.jsonl": "no", "failures-1.jsonl": "no"}
    mend(belt, run)
    assert set(users_files(belt, run)) == {
        "results.jsonl",
        "failures.jsonl",
        "retry.jsonl",
        "receipt.json",
        "report.html",
    }
    assert belt.receipt(run)["parts"] == f"results/three/{run}/parts/"


def test_a_part_says_whether_it_is_final_and_expires_after_the_run(belt: Belt, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch whose lines are in no round is what it will be."""
    tune(monkeypatch, max_requests_per_batch=5)
    belt.clients.__dict__.pop("settings", None)
    run = fail(belt, DATA, {"5": TRANSIENT})
    kinds = ("results", "failures")
    assert parts(belt, run) == {
        f"{kind}-{batch}.jsonl": final for kind in kinds for batch, final in ((1, "no"), (2, "yes"))
    }
    early = [key for key in belt.stored("results/") if "/parts/" in key]
    assert [tags(belt, key) for key in early] == [{}] * 4
    mend(belt, run)
    assert [tags(belt, key) for key in early] == [{"run": "ended"}] * 4
    assert tags(belt, f"results/three/{run}/results.jsonl") == {}


def test_results_that_are_written_as_they_come_are_not_known_to_be_final(
    belt: Belt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failure may be the last line."""
    monkeypatch.setenv("CONVEYOR_SPOOL_BYTES", "1000")
    belt.clients.__dict__.pop("environment", None)
    belt.provider.configure(outcomes={})
    run = belt.upload(DATA)
    belt.finish(run)
    assert parts(belt, run) == {"results-1.jsonl": "no", "failures-1.jsonl": "no"}
    assert belt.receipt(run)["results"] == 9


def broken_off(belt: Belt) -> str:
    """Split a drop whose second result is a failure that passes, break that off before `part.json`; return the run."""
    overloaded = {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}
    line = orjson.dumps({"custom_id": "<wire id>", "result": {"type": "errored", "error": overloaded}})
    belt.provider.fail("results", {"kind": "spoil", "lines": {"2": b64encode(line).decode()}})
    run = belt.upload(DATA)
    belt.poll(run)
    belt.split(run)
    assert belt.fact(run, "batches/1/again.json")["requests"] == 1
    belt.s3.delete_object(Bucket=belt.bucket, Key=f"runs/{run}/batches/1/part.json")
    belt.pass_time(belt.function_seconds + 1)
    return run


def test_a_second_split_takes_back_the_lines_that_a_first_one_kept_for_a_round(belt: Belt) -> None:
    """What has an answer by then is not sent again."""
    run = broken_off(belt)
    belt.split(run)
    assert users_files(belt, run) == {}, "a round is still decided on"
    receipt = check(belt, run, belt.finish(run), DATA)
    assert (receipt["results"], belt.creates(), receipt["rounds"]) == (9, (1, 1), [])
    early = [key for key in belt.stored("results/") if "/parts/" in key]
    assert [tags(belt, key) for key in early] == [{"run": "ended"}] * 2


def test_a_round_without_lines_ends_after_the_provider_has_asked_for_a_pause(belt: Belt) -> None:
    """From then on the batches of a leg are checked in turns, and this one has none."""
    run = broken_off(belt)
    belt.provider.fail("results", {"kind": "answer", "status": 429, "headers": {"retry-after": "60"}})
    receipt = check(belt, run, belt.finish(run), DATA)
    assert belt.facts(run, "wait")
    assert (receipt["results"], belt.creates(), receipt["rounds"]) == (9, (1, 1), [])


def test_lines_are_taken_back_although_the_drop_was_deleted_meanwhile(belt: Belt) -> None:
    """Places that a first split has noted are not those of the second one's parts."""
    run = broken_off(belt)
    drop = belt.fact(run, "run.json")["drop"]
    belt.s3.delete_object(Bucket=belt.bucket, Key=drop["key"], VersionId=drop["version"])
    belt.finish(run)
    receipt = belt.receipt(run)
    assert (receipt["status"], receipt["results"], belt.creates(), receipt["rounds"]) == ("completed", 9, (1, 1), [])


@pytest.mark.parametrize("rounds", ["0", "1"])
def test_a_batch_goes_on_as_it_did_where_rounds_are_off(belt: Belt, rounds: str) -> None:
    """Failures that pass are worth sending again by a person."""
    belt.provider.configure(outcomes={"2": TRANSIENT})
    run = belt.upload(DATA, metadata={"retry-rounds": rounds})
    belt.finish(run)
    assert len(belt.facts(run, "round")) == int(rounds)
    assert bool(parts(belt, run)) is (rounds == "1")
    assert len(belt.lines("failures/", "retry.jsonl")) == (rounds == "0")


def test_an_account_that_is_refused_in_results_is_a_fact_of_its_batch(belt: Belt) -> None:
    """Whether or not there are rounds: what is sent next would be refused, too."""
    belt.provider.configure(outcomes={"3": "errored:billing_error"})
    run = belt.upload(DATA)
    belt.finish(run)
    assert belt.fact(run, "batches/1/account.json")["causes"] == {"credit-exhausted": 1}
    assert belt.facts(run, "again") == [], "an account does not pass by itself"
