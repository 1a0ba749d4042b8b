"""Batches of the file dialect: uploads, outputs, and the files left at the provider."""

from typing import Any

import orjson
import pytest

from tests.support.belt import Belt, drop_of, request
from tests.support.promises import check, plain
from tests.support.settings import STACK_SETTINGS

FILES = STACK_SETTINGS | {"BATCH_API": "files"}
TOOL = {"name": "look_up", "input_schema": {"type": "object"}}


@pytest.fixture
def stack_settings(request: pytest.FixtureRequest) -> dict[str, str]:
    """Return the settings of a stack of the file dialect; a test may change them."""
    return FILES | getattr(request, "param", {})


def settings(**chosen: str) -> pytest.MarkDecorator:
    """Run a test with other settings of the stack."""
    return pytest.mark.parametrize("stack_settings", [chosen], indirect=True)


def uploads(belt: Belt) -> list[dict[str, Any]]:
    """Return the uploaded files, oldest first."""
    return [file for file in belt.provider.stats()["files"] if file["purpose"] == "batch"]


def test_results_and_failures_come_from_two_files_in_the_drops_order(belt: Belt) -> None:
    """Results and failures have the user's ids, and the same format as in the other dialect."""
    data = drop_of(5)
    belt.provider.configure(outcomes={"2": "errored:api_error", "4": "errored:invalid_request_error", "5": "expired"})
    run = belt.upload(data)
    receipt = check(belt, run, belt.finish(run), data)
    assert (receipt["results"], receipt["failures"], receipt["retryable"]) == (2, 3, 2)
    for line in belt.lines("results/", "results.jsonl"):
        assert list(line) == ["custom_id", "response", "error"]
        assert line["error"] is None
        assert line["response"]["content"][0]["text"]
    (upload,) = uploads(belt)
    assert upload["filename"] == f"conveyor-{run}-1.jsonl"
    assert not upload["deleted"]
    (batch,) = belt.provider.stats()["batches"]
    assert batch["metadata"] == {"conveyor_run": run, "conveyor_batch": "1", "conveyor_requests": "5"}


@pytest.mark.parametrize("stack_settings", [{}, {"BATCH_API": "files-openai"}], indirect=True, ids=["params", "body"])
def test_a_server_that_splits_lines_at_other_separators_loses_no_request(belt: Belt) -> None:
    """Characters that some programs treat as line ends are escaped, so the file has one line for each request."""
    belt.provider.configure(naive_lines=True)
    ends = "one\u2028two\u2029three\x85four"
    lines = [
        request(f"r\u2028{number}", system=ends, messages=[{"role": "user", "content": ends}]) for number in (1, 2)
    ]
    data = b"".join(line + b"\n" for line in [*lines, request("r-3").replace(b'",', b'",\r\r'), request("r-4")])
    run = belt.upload(data)
    receipt = check(belt, run, belt.finish(run), data)
    assert (receipt["results"], receipt["failures"]) == (4, 0)
    assert uploads(belt)[0]["bytes"] == belt.lines(f"runs/{run}/", "plan.jsonl")[1]["body_bytes"]


def test_a_batch_that_fails_because_the_queue_is_full_is_sent_again_from_the_same_file(belt: Belt) -> None:
    """Nothing of it ran or was charged; the second batch belongs to the run, and the first is never adopted."""
    data = drop_of(3)
    belt.provider.configure(queue_limit=2)
    run = belt.upload(data)
    state = belt.poll(run)
    assert (state["next"], state["trouble"]["reason"]) == (
        "wait",
        "the provider took the batch, and then ran nothing of it: token_limit_exceeded",
    )
    assert belt.submit({"run": run})["next"] == "wait"
    assert belt.creates() == (1, 1), "a retry must wait"
    belt.provider.configure(queue_limit=None)
    receipt = check(belt, run, belt.finish(run), data)
    first, second = belt.provider.stats()["batches"]
    assert (first["failed"], second["failed"], receipt["batches"][0]["id"]) == (True, False, second["id"])
    assert len(uploads(belt)) == 1
    assert belt.facts(run, "failed") == ["batches/1/failed-1.json"]


def test_a_response_lost_after_a_failed_batch_does_not_adopt_the_failed_batch(belt: Belt) -> None:
    """Both have the run's metadata and its file."""
    data = drop_of(3)
    belt.provider.configure(queue_limit=2)
    run = belt.upload(data)
    belt.poll(run)
    belt.provider.configure(queue_limit=None)
    belt.provider.fail("create", {"kind": "lose", "when": "after"})
    receipt = check(belt, run, belt.finish(run), data)
    assert belt.creates() == (2, 2)
    assert receipt["batches"][0]["adopted"] is True
    assert receipt["batches"][0]["id"] == belt.provider.stats()["batches"][1]["id"]


def test_a_batch_with_a_lost_response_that_fails_is_found_and_sent_again(belt: Belt) -> None:
    """The failed batch is ours, so it is known that the call was not charged."""
    data = drop_of(3)
    belt.provider.configure(queue_limit=2)
    belt.provider.fail("create", {"kind": "lose", "when": "after"})
    run = belt.upload(data)
    belt.poll(run)
    belt.poll(run)
    assert belt.facts(run, "failed") == ["batches/1/failed-1.json"]
    belt.provider.configure(queue_limit=None)
    check(belt, run, belt.finish(run), data)
    assert belt.creates() == (2, 2)


@settings(ON_INVALID="skip")
@pytest.mark.parametrize("base", [1, 0])
def test_the_lines_of_the_providers_faults_are_lines_of_the_drop(belt: Belt, base: int) -> None:
    """The uploaded file has other line numbers, since it has no blank and no invalid lines, and other ids."""
    data = b"\n" + b"\n".join([request("a"), b"nonsense", request("b"), b"", request("c")]) + b"\n"
    belt.provider.configure(blame={"1": "model_not_found", "3": "invalid_json_line"}, error_line_base=base)
    run = belt.upload(data)
    notice = belt.finish(run)
    failures = {line["line"]: line for line in belt.lines("failures/", "failures.jsonl")}
    outcomes = {
        line: (failure["custom_id"], failure["outcome"], failure["retryable"]) for line, failure in failures.items()
    }
    assert outcomes == {
        2: ("a", "errored", False),
        3: (None, "invalid", False),
        4: ("b", "canceled", True),
        6: ("c", "errored", False),
    }
    assert failures[2]["error"]["type"] == "invalid_request_error"
    assert failures[2]["error"]["message"].startswith("model_not_found: ")
    assert "refused the batch as a whole" in failures[4]["error"]["message"]
    (retry,) = belt.lines("failures/", "retry.jsonl")
    assert retry["custom_id"] == "b"
    assert "This line was told to be wrong" not in plain(notice["message"]), "the provider's text is in the message"


def test_lines_of_a_file_that_is_refused_as_a_whole_are_not_retryable(belt: Belt) -> None:
    """The same lines would be refused again."""
    belt.provider.configure(blame_whole="odd_file")
    run = belt.upload(drop_of(3))
    assert belt.finish(run)["status"] == "failed"
    failures = belt.lines("failures/", "failures.jsonl")
    assert {(line["outcome"], line["retryable"]) for line in failures} == {("errored", False)}
    assert all("odd_file" in line["error"]["message"] for line in failures)


def test_a_batch_that_fails_for_its_size_has_retryable_lines_and_names_the_parameters(belt: Belt) -> None:
    """The lines can be sent again unchanged, in smaller batches."""
    belt.provider.configure(max_file_requests=2)
    run = belt.upload(drop_of(3))
    message = plain(belt.finish(run)["message"])
    failures = belt.lines("failures/", "failures.jsonl")
    assert {(line["outcome"], line["retryable"]) for line in failures} == {("canceled", True)}
    assert all("too_many_tasks" in line["error"]["message"] for line in failures)
    assert belt.receipt()["causes"] == {"batch-too-large": 3}
    assert "Tuning=max-requests-per-batch=10000" in message
    assert "When that is fixed, type:" in message


@pytest.mark.parametrize(
    ("code", "cause"),
    [("insufficient_quota", "limit-reached"), ("billing_hard_limit_reached", "limit-reached"), ("billing_not_active",
        "credit-exhausted"), ("invalid_api_key", "key-refused"), ("account_deactivated", "account-disabled")],
)  # fmt: skip
def test_a_batch_that_fails_for_the_account_has_retryable_lines(belt: Belt, code: str, cause: str) -> None:
    """The message says what to fix, and that the lines can then be sent again."""
    belt.provider.configure(blame_whole=code)
    run = belt.upload(drop_of(2))
    message = plain(belt.finish(run)["message"])
    assert (belt.receipt()["causes"], belt.receipt()["retryable"]) == ({cause: 2}, 2)
    assert "2 failures are not the requests' fault" in message


def test_a_batch_that_is_stopped_before_anything_ran_has_no_missing_lines(belt: Belt) -> None:
    """It has no files and no counts, so its lines were not run."""
    belt.provider.configure(seconds=None, finished_share=0, canceling_seconds=0)
    run = belt.upload(drop_of(3))
    belt.poll(run)
    belt.s3.put_object(Bucket=belt.bucket, Key=f"control/{run}/cancel", Body=b"")
    belt.finish(run)
    assert belt.receipt(run)["outcomes"]["canceled"] == 3


@settings(DELETE_FILES="yes")
def test_the_files_of_a_run_are_deleted_at_its_end(belt: Belt) -> None:
    """Uploaded files, including a lost one, and result files are deleted; files of others stay."""
    data = drop_of(4)
    belt.provider.configure(outcomes={"2": "errored:api_error"})
    belt.provider.fail("upload", {"kind": "unlist", "looks": 2}, {"kind": "lose", "when": "after"})
    run = belt.upload(data)
    assert not any(file["deleted"] for file in belt.provider.stats()["files"])
    receipt = check(belt, run, belt.finish(run), data)
    assert receipt["batches"][0]["files_deleted"] is True
    files = belt.provider.stats()["files"]
    assert sorted(file["purpose"] for file in files) == ["batch", "batch", "batch_output", "batch_output"]
    assert all(file["deleted"] for file in files)


@settings(DELETE_FILES="yes")
def test_a_provider_that_cannot_delete_files_delays_a_run_only_by_minutes(belt: Belt) -> None:
    """The results are delivered, and the receipt says that the files still exist."""
    data = drop_of(2)
    run = belt.upload(data)
    belt.provider.configure(faults=[{"call": "delete_file", "do": {"kind": "answer", "status": 500}, "times": None}])
    began = belt.moment
    receipt = check(belt, run, belt.finish(run), data)
    assert receipt["batches"][0]["files_deleted"] is False
    assert (belt.moment - began).total_seconds() < 1200


@settings(DELETE_FILES="yes")
def test_the_file_of_a_batch_that_the_provider_refused_is_deleted_too(belt: Belt) -> None:
    """It is not needed any more."""
    belt.provider.fail("create", {"kind": "answer", "status": 403})
    run = belt.upload(drop_of(2))
    assert belt.finish(run)["status"] == "refused"
    assert all(file["deleted"] for file in uploads(belt))
    assert uploads(belt)


@settings(BATCH_API="files-openai", MAX_REQUESTS_PER_BATCH="2")
def test_each_batch_of_lines_with_a_body_has_one_model(belt: Belt) -> None:
    """A new batch starts where the model changes, and the outputs keep the drop's order."""
    models = ["m-1", "m-1", "m-1", "m-2", "m-1"]
    data = b"".join(request(f"r-{number}", model=model) + b"\n" for number, model in enumerate(models))
    belt.provider.configure(line_form="body")
    run = belt.upload(data)
    receipt = check(belt, run, belt.finish(run), data)
    assert [batch["requests"] for batch in receipt["batches"]] == [2, 1, 1, 1]
    assert not any(batch["failed"] for batch in belt.provider.stats()["batches"])
    assert [line["response"]["model"] for line in belt.lines("results/", "results.jsonl")] == models


@settings(BATCH_API="files-openai", MAX_REQUESTS_PER_BATCH="2")
def test_a_run_of_release_0_1_0_goes_on_with_lines_of_its_form(belt: Belt) -> None:
    """Its settings have the form in a field of its own. The server refuses a file of the other form."""
    belt.provider.configure(line_form="body")
    run = belt.upload(drop_of(4))
    kept = belt.fact(run, "run.json")
    kept["settings"] |= {"batch_api": "files", "line_form": "body", "allow_tools": "no"}
    belt.s3.put_object(Bucket=belt.bucket, Key=f"runs/{run}/run.json", Body=orjson.dumps(kept))
    assert belt.creates() == (1, 1)
    receipt = check(belt, run, belt.finish(run), drop_of(4))
    assert [batch["requests"] for batch in receipt["batches"]] == [2, 2]
    assert not any(batch["failed"] for batch in belt.provider.stats()["batches"])


@settings(BATCH_API="files-openai")
def test_a_drop_whose_models_alternate_is_refused_with_what_to_do(belt: Belt) -> None:
    """Each change of the model would need a new batch."""
    data = b"".join(request(f"r-{number}", model=f"m-{number % 2}") + b"\n" for number in range(103))
    notice = belt.finish(belt.upload(data))
    assert (notice["status"], belt.creates()) == ("refused", (0, 0))
    assert "sort the lines by model" in plain(notice["message"])


def test_tools_are_refused_before_anything_is_sent_with_the_reason(belt: Belt) -> None:
    """Most providers of this dialect would fail the whole batch, or each line hours later."""
    notice = belt.finish(belt.upload(drop_of(1) + request("t", tools=[TOOL])))
    assert (notice["status"], belt.creates()) == ("refused", (0, 0))
    (fault,) = belt.lines("failures/", "invalid.jsonl")
    assert (fault["line"], fault["code"]) == (2, "field-refused")
    assert "BatchApi=files-openai" in fault["message"]


@settings(BATCH_API="files-openai")
def test_tools_are_sent_in_lines_of_openais_form(belt: Belt) -> None:
    """Servers that take such lines take tools."""
    data = request("t", tools=[TOOL])
    run = belt.upload(data)
    check(belt, run, belt.finish(run), data)


@settings(BATCH_ENDPOINT="/v1/chat/completions", BATCH_API="files-openai")
def test_requests_to_another_endpoint_are_sent_unchanged(belt: Belt) -> None:
    """Nothing is added, and only the model is checked."""
    params = {"model": "m", "messages": [{"role": "user", "content": "?"}], "max_completion_tokens": 5}
    data = orjson.dumps({"custom_id": "a", "params": params}) + b"\n"
    run = belt.upload(data)
    receipt = check(belt, run, belt.finish(run), data)
    assert receipt["default_max_tokens"]["requests"] == 0
    (upload,) = uploads(belt)
    plan = [orjson.loads(line) for line in belt.read(f"runs/{run}/plan.jsonl").splitlines()]
    assert upload["bytes"] == plan[1]["body_bytes"]


@settings(AUTH="bearer")
def test_a_bearer_token_is_accepted(belt: Belt) -> None:
    """Gateways use it; the provider refuses a call without a key."""
    data = drop_of(2)
    run = belt.upload(data)
    check(belt, run, belt.finish(run), data)


@settings(DELETE_FILES="yes")
@pytest.mark.parametrize(("call", "status"), [("upload", 429), ("upload", 503), ("files", 429), ("delete_file", 429)])
def test_a_file_server_gets_no_call_before_its_retry_after_time(belt: Belt, call: str, status: int) -> None:
    """Not even a list call for files; upload and create follow after that time."""
    belt.provider.fail(call, {"kind": "answer", "status": status, "headers": {"retry-after": "500"}})
    run = belt.upload(drop_of(2))
    check(belt, run, belt.finish(run), drop_of(2))
    stats = belt.provider.stats()
    assert (stats["faults"][0]["struck"], stats["early"], stats["created"]) == (1, {}, 1)
    assert all(file["deleted"] for file in uploads(belt))
