"""What users drop, on the deployed stack: the same template, IAM enforced."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.belt import drop_of, request

if TYPE_CHECKING:
    from local.stack.stack import Stack

PROJECT = Path(__file__).parents[2]
SAMPLE = PROJECT / "samples" / "humaneval-164.jsonl"
TUTORIAL = PROJECT / "samples" / "articles.jsonl"


def creates(stack: Stack) -> int:
    """Return the provider's count of create calls so far."""
    calls: int = stack.provider_stats()["calls"].get("create", 0)
    return calls


def invoke(stack: Stack, event: dict[str, Any], kind: str = "RequestResponse") -> dict[str, Any]:
    """Invoke submit with an event, as EventBridge does; return the response of a synchronous call."""
    payload = json.dumps(event).encode()
    name = stack.functions["submit"]
    answer = stack.lambdas.invoke(FunctionName=name, InvocationType=kind, Payload=payload)  # type: ignore[arg-type]
    body = answer["Payload"].read()
    assert "FunctionError" not in answer, body
    return json.loads(body) if body else {}


def test_the_demos_drop_is_accounted_for_line_by_line_after_one_post(stack: Stack) -> None:
    """Results and failures are the requests, in their order, under the user's ids."""
    stack.provider_settings(
        {"outcomes": {"8": "errored:overloaded_error", "23": "errored:invalid_request_error", "42": "expired"}}
    )
    before = creates(stack)
    stack.drop(SAMPLE, "inbox/demo.jsonl")
    message = stack.wait_for_message("inbox/demo.jsonl")
    assert creates(stack) - before == 1
    asked = [json.loads(line)["custom_id"] for line in SAMPLE.read_bytes().splitlines()]
    results = [line["custom_id"] for line in stack.lines(f"results/demo/{message.run}/results.jsonl")]
    failures = stack.lines(f"failures/demo/{message.run}/failures.jsonl")
    assert [(line["line"], line["custom_id"]) for line in failures] == [(n, asked[n - 1]) for n in (8, 23, 42)]
    assert results == [custom_id for n, custom_id in enumerate(asked, 1) if n not in (8, 23, 42)]
    retry = stack.object(f"failures/demo/{message.run}/retry.jsonl").splitlines()
    assert retry == [SAMPLE.read_bytes().splitlines()[n - 1] for n in (8, 42)]
    receipt = json.loads(stack.object(f"results/demo/{message.run}/receipt.json"))
    assert (receipt["requests"], receipt["results"], receipt["failures"]) == (164, 161, 3)
    assert message.subject.startswith("Conveyor: done demo (161 answered, 3 failed, $")


def test_the_tutorials_two_lines_complete(stack: Stack) -> None:
    """They have no max_tokens, so the stack's default applies."""
    stack.drop(TUTORIAL, "inbox/articles.jsonl")
    message = stack.wait_for_message("inbox/articles.jsonl")
    results = stack.lines(f"results/articles/{message.run}/results.jsonl")
    assert [(line["custom_id"], line["error"]) for line in results] == [("article_1", None), ("article_2", None)]
    receipt = json.loads(stack.object(f"results/articles/{message.run}/receipt.json"))
    assert receipt["default_max_tokens"] == {"requests": 2, "value": 15_000}


@pytest.mark.parametrize("kind", ["RequestResponse", "Event"])
def test_repeated_and_concurrent_upload_events_start_one_run(stack: Stack, kind: str) -> None:
    """There are four more events besides the real one."""
    key = f"inbox/repeated {kind}.jsonl"
    before = creates(stack)
    version = stack.drop(drop_of(20), key)
    stored = {"key": key, "size": 1, "version-id": version}
    event = {"detail": {"bucket": {"name": stack.bucket}, "object": stored}}
    with ThreadPoolExecutor(4) as pool:
        runs = {answer.get("run") for answer in pool.map(lambda _: invoke(stack, event, kind), range(4))}
    message = stack.wait_for_message(key)
    assert message.status == "completed"
    assert runs <= {message.run, None}
    assert invoke(stack, event)["run"] == message.run
    assert creates(stack) - before == 1
    assert sum(execution["name"] == message.run for execution in stack.executions()) == 1


def test_a_refused_drop_is_one_message_with_its_faults_listed(stack: Stack) -> None:
    """And nothing reaches the provider."""
    before = creates(stack)
    stack.drop(request("a") + b"\nnonsense\n", "inbox/bad.jsonl")
    message = stack.wait_for_message("inbox/bad.jsonl")
    assert message.attributes == {
        "event": "ended", "status": "refused", "needs": "user", "run": message.run, "name": "bad", "project": "default",
    }  # fmt: skip
    (fault,) = stack.lines(f"failures/bad/{message.run}/invalid.jsonl")
    assert (fault["line"], fault["code"]) == (2, "not-json")
    assert creates(stack) == before


@pytest.mark.parametrize(
    ("kind", "stored", "words"),
    [
        ("archived", {"StorageClass": "GLACIER"}, "aws s3api restore-object"),
        ("sealed", {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": b"k" * 32}, "upload the file without that key"),
    ],
)
def test_a_drop_that_cannot_be_read_is_one_message_with_what_to_do(
    stack: Stack, kind: str, stored: dict[str, Any], words: str
) -> None:
    """Whether or not HeadObject works; submit's role can search for an earlier run of it."""
    before = creates(stack)
    key = f"inbox/{kind}.jsonl"
    stack.s3.put_object(Bucket=stack.bucket, Key=key, Body=request("a"), **stored)
    message = stack.wait_for_message(key)
    assert message.attributes == {
        "event": "ended", "status": "refused", "needs": "user", "run": message.run, "name": kind, "project": "default",
    }  # fmt: skip
    assert words in " ".join(message.text.split())
    assert creates(stack) == before


def test_an_upload_that_is_gone_before_submit_looks_is_refused_or_ignored(stack: Stack) -> None:
    """S3 answers 403 to submit, which may not list the bucket. The event is no failure, and waits in no queue."""
    event = json.loads((PROJECT / "events" / "upload-put.json").read_text())
    event["detail"]["bucket"]["name"] = stack.bucket
    event["detail"]["object"] |= {"key": "inbox/removed.jsonl", "version-id": "removed"}
    run = invoke(stack, event)["run"]
    message = stack.wait_for_message(run)
    assert message.status == "refused"
    assert "this version of the object was deleted" in " ".join(message.text.split())
    del event["detail"]["object"]["version-id"]
    assert invoke(stack, event) == {"ignored": "inbox/removed.jsonl"}


def test_a_drop_overrides_a_setting_by_its_metadata(stack: Stack) -> None:
    """The invalid line is skipped and is a failure."""
    stack.drop(request("a") + b"\nnonsense\n", "inbox/skip.jsonl", {"on-invalid": "skip"})
    message = stack.wait_for_message("inbox/skip.jsonl")
    assert message.subject.startswith("Conveyor: done skip (1 answered, 1 left out as invalid, ")


def test_a_table_and_an_empty_file_are_refused_and_folders_and_system_files_are_ignored(stack: Stack) -> None:
    """The ignored files were dropped before the table, so their messages would have come before its message."""
    for key in ("inbox/folder/", "inbox/.DS_Store", "inbox/Empty.NDJSON"):
        stack.drop(b"", key)
    stack.drop(b"id,text\n", "inbox/table.csv")
    text = " ".join(stack.wait_for_message("inbox/table.csv").text.split())
    assert "a table (CSV) with commas between its columns" in text
    text = " ".join(stack.wait_for_message("inbox/Empty.NDJSON").text.split())
    assert "has only blank lines" in text
    assert stack.run_of("inbox/folder/") is None
    assert stack.run_of("inbox/.DS_Store") is None


def test_neither_key_nor_prompts_nor_answers_reach_logs_or_executions(stack: Stack) -> None:
    """Searched in everything that operators can read."""
    data = request("secret-id", messages=[{"role": "user", "content": "XYZZY prompt"}])
    stack.drop(data, "inbox/secret.jsonl")
    message = stack.wait_for_message("inbox/secret.jsonl")
    logs = "\n".join(line for name in stack.functions for line in stack.logs(name))
    arn = next(item["executionArn"] for item in stack.executions() if item["name"] == message.run)
    history = json.dumps(stack.states.get_execution_history(executionArn=arn, maxResults=1000), default=str)
    answer = stack.object(f"results/secret/{message.run}/results.jsonl").decode()
    assert "XYZZY" in answer
    assert message.run in logs
    assert message.run in history
    for secret in ("XYZZY", "sk-ant"):
        assert secret not in logs
        assert secret not in history
        assert secret not in message.text
