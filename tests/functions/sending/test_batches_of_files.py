"""Batches made of files: what is uploaded, what comes back, and what is left at the provider."""

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
    """Give the settings of a stack that speaks to a server of files; a test may choose others."""
    return FILES | getattr(request, "param", {})


def settings(**chosen: str) -> pytest.MarkDecorator:
    """Deploy a test's stack with other settings."""
    return pytest.mark.parametrize("stack_settings", [chosen], indirect=True)


def uploads(belt: Belt) -> list[dict[str, Any]]:
    """Return what was uploaded, the oldest first."""
    return [file for file in belt.provider.stats()["files"] if file["purpose"] == "batch"]


def test_results_and_failures_come_from_two_files_in_the_drops_order(belt: Belt) -> None:
    """Under the user's ids, in the one shape there is."""
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


@pytest.mark.parametrize("stack_settings", [{}, {"LINE_FORM": "body"}], indirect=True, ids=["params", "body"])
def test_a_server_that_cuts_lines_where_json_does_not_loses_no_request(belt: Belt) -> None:
    """Characters that some programs take for line ends are escaped: the file has a line for each request."""
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


def test_a_batch_that_fails_for_want_of_room_is_sent_again_from_the_same_file(belt: Belt) -> None:
    """Nothing of it was run or paid; the second one is the run's, and the first one is never taken for it."""
    data = drop_of(3)
    belt.provider.configure(queue_limit=2)
    run = belt.upload(data)
    state = belt.poll(run)
    assert (state["next"], state["trouble"]["reason"]) == (
        "wait",
        "the provider took the batch, and then ran nothing of it: token_limit_exceeded",
    )
    assert belt.submit({"run": run})["next"] == "wait"
    assert belt.creates() == (1, 1), "not at once"
    belt.provider.configure(queue_limit=None)
    receipt = check(belt, run, belt.finish(run), data)
    first, second = belt.provider.stats()["batches"]
    assert (first["failed"], second["failed"], receipt["batches"][0]["id"]) == (True, False, second["id"])
    assert len(uploads(belt)) == 1
    assert belt.facts(run, "failed") == ["batches/1/failed-1.json"]


def test_an_answer_that_is_lost_after_a_failed_batch_does_not_adopt_the_failed_one(belt: Belt) -> None:
    """Both say that they are the run's, and both are made of its file."""
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


def test_an_answer_that_is_lost_before_a_batch_failed_ends_in_a_batch_that_is_sent_again(belt: Belt) -> None:
    """The failed one is found, and found to be ours: so the call is known to have cost nothing."""
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
def test_lines_that_the_provider_blames_are_the_users_own(belt: Belt, base: int) -> None:
    """The file at the provider has neither the blank nor the invalid lines of the drop, nor its ids."""
    data = b"\n" + b"\n".join([request("a"), b"nonsense", request("b"), b"", request("c")]) + b"\n"
    belt.provider.configure(blame={"1": "model_not_found", "3": "invalid_json_line"}, error_line_base=base)
    run = belt.upload(data)
    notice = belt.finish(run)
    failures = {line["line"]: line for line in belt.lines("failures/", "failures.jsonl")}
    told = {line: (each["custom_id"], each["outcome"], each["retryable"]) for line, each in failures.items()}
    assert told == {
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
    assert "This line was told to be wrong" not in plain(notice["message"]), "the provider's words stay out of messages"


def test_a_file_that_is_refused_for_no_line_of_it_would_be_refused_again(belt: Belt) -> None:
    """No line is worth sending again as it is."""
    belt.provider.configure(blame_whole="odd_file")
    run = belt.upload(drop_of(3))
    assert belt.finish(run)["status"] == "failed"
    failures = belt.lines("failures/", "failures.jsonl")
    assert {(line["outcome"], line["retryable"]) for line in failures} == {("errored", False)}
    assert all("odd_file" in line["error"]["message"] for line in failures)


def test_a_batch_that_fails_for_its_size_is_no_lines_fault_and_names_the_parameters(belt: Belt) -> None:
    """The lines are sent again as they are, in smaller batches."""
    belt.provider.configure(max_file_requests=2)
    run = belt.upload(drop_of(3))
    message = plain(belt.finish(run)["message"])
    failures = belt.lines("failures/", "failures.jsonl")
    assert {(line["outcome"], line["retryable"]) for line in failures} == {("canceled", True)}
    assert all("too_many_tasks" in line["error"]["message"] for line in failures)
    assert belt.receipt()["causes"] == {"batch-too-large": 3}
    assert "lower MaxRequestsPerBatch" in message
    assert "When that is fixed, type:" in message


@pytest.mark.parametrize(
    ("code", "cause"),
    [("insufficient_quota", "limit-reached"), ("billing_hard_limit_reached", "limit-reached"), ("billing_not_active",
        "credit-exhausted"), ("invalid_api_key", "key-refused"), ("account_deactivated", "account-disabled")],
)  # fmt: skip
def test_a_batch_that_fails_for_the_account_is_no_lines_fault(belt: Belt, code: str, cause: str) -> None:
    """The message says what to put in order, and that the lines can be sent again then."""
    belt.provider.configure(blame_whole=code)
    run = belt.upload(drop_of(2))
    message = plain(belt.finish(run)["message"])
    assert (belt.receipt()["causes"], belt.receipt()["retryable"]) == ({cause: 2}, 2)
    assert "2 failures are not the requests' fault" in message


def test_a_batch_that_is_stopped_before_anything_ran_is_no_mystery(belt: Belt) -> None:
    """It has no file and counts nothing: so its lines were not run, and are not missing."""
    belt.provider.configure(seconds=None, finished_share=0, canceling_seconds=0)
    run = belt.upload(drop_of(3))
    belt.poll(run)
    belt.s3.put_object(Bucket=belt.bucket, Key=f"control/{run}/cancel", Body=b"")
    belt.finish(run)
    assert belt.receipt(run)["outcomes"]["canceled"] == 3


@settings(DELETE_FILES="yes")
def test_the_files_of_a_run_are_deleted_when_all_is_done(belt: Belt) -> None:
    """Those it uploaded, one that was lost among them, and those with its results; another's stay."""
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
def test_a_provider_that_deletes_nothing_holds_a_run_up_for_minutes_only(belt: Belt) -> None:
    """The results are there; the receipt says that the files are, too."""
    data = drop_of(2)
    run = belt.upload(data)
    belt.provider.configure(faults=[{"call": "delete_file", "do": {"kind": "answer", "status": 500}, "times": None}])
    began = belt.moment
    receipt = check(belt, run, belt.finish(run), data)
    assert receipt["batches"][0]["files_deleted"] is False
    assert (belt.moment - began).total_seconds() < 1200


@settings(DELETE_FILES="yes")
def test_the_file_of_a_batch_that_the_provider_refused_is_deleted_too(belt: Belt) -> None:
    """It was uploaded for nothing."""
    belt.provider.fail("create", {"kind": "answer", "status": 403})
    run = belt.upload(drop_of(2))
    assert belt.finish(run)["status"] == "refused"
    assert all(file["deleted"] for file in uploads(belt))
    assert uploads(belt)


@settings(LINE_FORM="body", MAX_REQUESTS_PER_BATCH="2")
def test_lines_with_a_body_are_of_one_model_in_each_batch(belt: Belt) -> None:
    """A batch ends where another model follows, and the files come back in the drop's order all the same."""
    models = ["m-1", "m-1", "m-1", "m-2", "m-1"]
    data = b"".join(request(f"r-{number}", model=model) + b"\n" for number, model in enumerate(models))
    belt.provider.configure(line_form="body")
    run = belt.upload(data)
    receipt = check(belt, run, belt.finish(run), data)
    assert [batch["requests"] for batch in receipt["batches"]] == [2, 1, 1, 1]
    assert not any(batch["failed"] for batch in belt.provider.stats()["batches"])
    assert [line["response"]["model"] for line in belt.lines("results/", "results.jsonl")] == models


@settings(LINE_FORM="body")
def test_a_drop_whose_models_alternate_is_refused_with_what_to_do(belt: Belt) -> None:
    """Each change would be a batch of its own."""
    data = b"".join(request(f"r-{number}", model=f"m-{number % 2}") + b"\n" for number in range(103))
    notice = belt.finish(belt.upload(data))
    assert (notice["status"], belt.creates()) == ("refused", (0, 0))
    assert "sort the lines by model" in plain(notice["message"])


def test_tools_are_refused_before_anything_is_sent_with_the_reason(belt: Belt) -> None:
    """Most providers of this dialect would fail the whole batch for it, or each line hours later."""
    notice = belt.finish(belt.upload(drop_of(1) + request("t", tools=[TOOL])))
    assert (notice["status"], belt.creates()) == ("refused", (0, 0))
    (fault,) = belt.lines("failures/", "invalid.jsonl")
    assert (fault["line"], fault["code"]) == (2, "field-refused")
    assert "AllowTools=yes" in fault["message"]


@settings(ALLOW_TOOLS="yes")
def test_tools_go_through_where_the_stack_allows_them(belt: Belt) -> None:
    """Whoever deploys knows what the provider takes."""
    data = request("t", tools=[TOOL])
    run = belt.upload(data)
    check(belt, run, belt.finish(run), data)


@settings(BATCH_ENDPOINT="/v1/chat/completions", LINE_FORM="body")
def test_requests_to_another_endpoint_are_passed_on_as_they_are(belt: Belt) -> None:
    """Nothing is put in, and only the model is looked at."""
    params = {"model": "m", "messages": [{"role": "user", "content": "?"}], "max_completion_tokens": 5}
    data = orjson.dumps({"custom_id": "a", "params": params}) + b"\n"
    run = belt.upload(data)
    receipt = check(belt, run, belt.finish(run), data)
    assert receipt["default_max_tokens"]["requests"] == 0
    (upload,) = uploads(belt)
    plan = [orjson.loads(line) for line in belt.read(f"runs/{run}/plan.jsonl").splitlines()]
    assert upload["bytes"] == plan[1]["body_bytes"]


@settings(AUTH="bearer")
def test_a_bearer_token_lets_in_as_well(belt: Belt) -> None:
    """For gateways; the provider refuses whoever has no key."""
    data = drop_of(2)
    run = belt.upload(data)
    check(belt, run, belt.finish(run), data)


@settings(DELETE_FILES="yes")
@pytest.mark.parametrize(("call", "status"), [("upload", 429), ("upload", 503), ("files", 429), ("delete_file", 429)])
def test_a_server_of_files_that_named_a_moment_is_asked_nothing_before_it(belt: Belt, call: str, status: int) -> None:
    """Not even for the list of its files; the lines are uploaded, and the batch asked for, when it has come."""
    belt.provider.fail(call, {"kind": "answer", "status": status, "headers": {"retry-after": "500"}})
    run = belt.upload(drop_of(2))
    check(belt, run, belt.finish(run), drop_of(2))
    stats = belt.provider.stats()
    assert (stats["faults"][0]["struck"], stats["early"], stats["created"]) == (1, {}, 1)
    assert all(file["deleted"] for file in uploads(belt))
