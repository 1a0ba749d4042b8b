"""What rounds have answered stands where it failed, and each line is counted once."""

from collections import Counter
from typing import Any

import orjson
import pytest

from tests.support.belt import Belt, drop_of
from tests.support.probes import PROBED
from tests.support.promises import check
from tests.support.settings import STACK_SETTINGS, tune

POLLS = {"POLL_MIN_SECONDS": "600", "POLL_MAX_SECONDS": "900"}
DATA = drop_of(9)
TRANSIENT = "errored:overloaded_error"


@pytest.fixture(params=["messages", "files"])
def stack_settings(request: pytest.FixtureRequest) -> dict[str, str]:
    """Return the settings of a stack of each dialect, with rounds."""
    return STACK_SETTINGS | POLLS | {"BATCH_API": request.param, "RETRY_ROUNDS": "2"}


def fail(belt: Belt, data: bytes, outcomes: dict[str, str], **metadata: str) -> str:
    """Send a drop whose requests end so, by their place in the batch, until a round is decided on; return the run."""
    belt.provider.configure(outcomes=outcomes, ids_of_params=True)
    run = belt.upload(data, metadata=metadata)
    for _ in range(30):
        state = belt.poll(run)
        if belt.facts(run, "round"):
            return run
        if state["next"] == "submit":
            belt.submit({"run": run})
        for batch in state["batches"]:
            belt.split(run, batch)
        belt.pass_time(0 if state["batches"] else state["wait_seconds"])
    raise AssertionError("no round was decided on")


def mend(belt: Belt, run: str, outcomes: dict[str, str] | None = None) -> dict[str, Any]:
    """Let the provider answer the requests of rounds, or end them so, and finish the run; return its message."""
    belt.provider.configure(outcomes=outcomes or {}, every={})
    return belt.finish(run)


ABOUT = {"receipt.json", "report.html"}
"""They say what happened, and when."""


def users_files(belt: Belt, run: str) -> dict[str, bytes]:
    """Return the user's files of a run by name."""
    stored = [key for kind in ("results/", "failures/") for key in belt.stored(kind) if f"/{run}/" in key]
    return {key.rsplit("/", 1)[-1]: belt.read(key) for key in stored if "/parts/" not in key}


def lines_of(file: bytes) -> list[Any]:
    """Return the ids of the lines of a file."""
    return [orjson.loads(line)["custom_id"] for line in file.splitlines()]


@pytest.fixture
def batches_of_three(belt: Belt, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut drops into batches of three requests."""
    tune(monkeypatch, max_requests_per_batch=3)
    belt.clients.__dict__.pop("settings", None)


def without_failures(belt: Belt, data: bytes) -> dict[str, bytes]:
    """Return the files of a run of the same drop in which nothing fails."""
    belt.provider.configure(outcomes={}, every={}, ids_of_params=True)
    run = belt.upload(data, "inbox/smooth.jsonl")
    belt.finish(run)
    return {name: file for name, file in users_files(belt, run).items() if name not in ABOUT}


@pytest.mark.usefixtures("batches_of_three")
def test_ranges_are_merged_one_by_one_and_the_files_are_as_if_nothing_had_failed(belt: Belt) -> None:
    """Byte for byte. A range without lines in a round keeps its parts."""
    smooth = without_failures(belt, DATA)
    run = fail(belt, DATA, {"1": TRANSIENT, "3": "expired"})
    receipt = check(belt, run, mend(belt, run), DATA)
    assert {name: file for name, file in users_files(belt, run).items() if name not in ABOUT} == smooth
    assert len(belt.facts(run, "merged")) == 3
    assert [(each["requests"], each["outcomes"]) for each in receipt["rounds"]] == [(6, {"succeeded": 6})]
    assert (receipt["sent_again"], receipt["errors"], receipt["retryable"]) == (6, {}, 0)


def test_what_a_round_leaves_is_in_retry_jsonl_which_appears_at_the_end(belt: Belt) -> None:
    """With the last outcome of each line, and the lineage of the copy."""
    run = fail(belt, DATA, {"1": TRANSIENT, "2": "expired", "4": "canceled", "5": "errored:invalid_request_error"})
    assert users_files(belt, run) == {}
    belt.provider.configure(outcomes={"1": "errored:invalid_request_error", "2": TRANSIENT})
    end = belt.finish(run)
    receipt = check(belt, run, end, DATA)
    files = users_files(belt, run)
    failures = {line["custom_id"]: line for line in map(orjson.loads, files["failures.jsonl"].splitlines())}
    assert {name: line["error"]["type"] for name, line in failures.items()} == {
        "r-1": "invalid_request_error",
        "r-2": "invalid_request_error",
        "r-4": "canceled",
        "r-5": "invalid_request_error",
    }
    assert [line["line"] for line in failures.values()] == [1, 2, 4, 5]
    assert lines_of(files["retry.jsonl"]) == ["r-4"]
    assert {name: count for name, count in receipt["outcomes"].items() if count} == {
        "succeeded": 5,
        "errored": 3,
        "canceled": 1,
    }
    assert (
        "2 requests had failed at first for reasons that pass, and were sent again: none was answered then."
        in " ".join(end["message"].split())
    )
    source = {"Bucket": belt.bucket, "Key": f"failures/three/{run}/retry.jsonl"}
    belt.s3.copy_object(Bucket=belt.bucket, Key="inbox/copy.jsonl", CopySource=source)
    copy = belt.upload(files["retry.jsonl"], "inbox/retry.jsonl", belt.s3.head_object(**source)["Metadata"])
    belt.provider.configure(outcomes={})
    belt.finish(copy)
    assert (belt.receipt(copy)["retry_of"], receipt["retry_of"]) == (run, None)


def test_lines_of_the_probe_go_into_a_round_with_the_batch_that_they_belong_to(belt: Belt) -> None:
    """They were answered by another leg, and failed there."""
    data = drop_of(60)
    smooth = without_failures(belt, data)
    belt.provider.configure(outcomes={}, every={"7": TRANSIENT}, ids_of_params=True)
    run = belt.upload(data, metadata=PROBED)
    while not belt.facts(run, "round"):
        state = belt.poll(run)
        if state["next"] == "submit":
            belt.submit({"run": run})
        for batch in state["batches"]:
            belt.split(run, batch)
        belt.pass_time(0 if state["batches"] else state["wait_seconds"])
    assert "probe/batches/1/again.json" not in belt.facts(run)
    assert belt.fact(run, "batches/1/again.json")["requests"] == 50 // 7 + 10 // 7
    receipt = check(belt, run, mend(belt, run), data)
    assert {name: file for name, file in users_files(belt, run).items() if name not in ABOUT} == smooth
    assert receipt["probe"]["outcomes"] == {"succeeded": 43, "errored": 7}
    assert (receipt["results"], receipt["sent_again"]) == (60, 8)


@pytest.mark.parametrize("sizes", [("1", "1"), ("1", "9500000000"), ("9500000000", "1")])
def test_results_too_large_for_the_disk_are_merged_too(
    belt: Belt, monkeypatch: pytest.MonkeyPatch, sizes: tuple[str, str]
) -> None:
    """Whether the range, the round, or both were written as they came: each line is there once."""
    monkeypatch.setenv("CONVEYOR_SPOOL_BYTES", sizes[0])
    belt.clients.__dict__.pop("environment", None)
    shuffled = {"kind": "spoil", "shuffle": 3}
    belt.provider.configure(faults=[{"call": "results", "do": shuffled, "times": None}])
    run = fail(belt, DATA, {"2": TRANSIENT, "5": "expired", "6": "expired", "8": "canceled"})
    monkeypatch.setenv("CONVEYOR_SPOOL_BYTES", sizes[1])
    belt.clients.__dict__.pop("environment", None)
    mend(belt, run, {"3": "errored:invalid_request_error"})
    receipt, files = belt.receipt(run), users_files(belt, run)
    assert (receipt["ordered"], receipt["status"], receipt["results"]) == (False, "completed", 7)
    ids = lines_of(files["results.jsonl"]) + lines_of(files["failures.jsonl"])
    assert Counter(ids) == Counter(f"r-{number}" for number in range(1, 10))
    assert lines_of(files["retry.jsonl"]) == ["r-8"]


def test_two_mergers_write_the_same_and_a_merged_range_is_not_merged_again(belt: Belt) -> None:
    """They need not know of each other: one may have died, or be late."""
    run = fail(belt, DATA, {"2": TRANSIENT, "4": "canceled"})
    mend(belt, run)
    content = {key: belt.read(key) for key in belt.stored("content/") if "/merged/" in key}
    fact = belt.fact(run, "batches/1/merged.json")
    assert {key.rsplit("/", 1)[-1] for key in content} == {"results.jsonl", "failures.jsonl", "retry.jsonl"}
    assert belt.split(run, "merge/1") == {"batch": "merge/1", "status": "merged"}  # type: ignore[arg-type]
    assert belt.fact(run, "batches/1/merged.json") == fact
    belt.s3.delete_object(Bucket=belt.bucket, Key=f"runs/{run}/batches/1/merged.json")
    belt.split(run, "merge/1")  # type: ignore[arg-type]
    assert {key: belt.read(key) for key in content} == content
    again = belt.fact(run, "batches/1/merged.json")
    assert {name: again[name] for name in again if name not in {"writer", "at"}} == {
        name: fact[name] for name in fact if name not in {"writer", "at"}
    }


def test_what_rounds_have_set_aside_is_beside_what_the_batches_have(belt: Belt) -> None:
    """Lines of strangers are counted with the batch that had them."""
    stray = {"kind": "spoil", "foreign": ["stranger"]}
    belt.provider.configure(faults=[{"call": "results", "do": stray, "times": None}])
    run = fail(belt, DATA, {"2": TRANSIENT})
    receipt = check(belt, run, mend(belt, run), DATA)
    assert len(users_files(belt, run)["aside.jsonl"].splitlines()) == 2
    assert receipt["rounds"][0]["batches"][0]["foreign"] == receipt["batches"][0]["foreign"] == 1
