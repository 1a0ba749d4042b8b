"""A drop comes back as results and failures, and every line is accounted for."""

from hashlib import sha256
from typing import Any

import orjson
import pytest

from tests.support.belt import Belt, drop_of, request
from tests.support.settings import change

RETRY, ASIDE = "retry.jsonl", "aside.jsonl"


def test_every_request_has_one_line_in_input_order_under_the_users_id(belt: Belt) -> None:
    """Whatever its outcome, and in whatever order the provider returns results."""
    belt.provider.configure(
        outcomes={
            "2": "errored:overloaded_error",
            "4": "errored:invalid_request_error",
            "5": "expired",
            "7": "canceled",
            "8": "missing",
        }
    )
    notice = belt.finish(belt.upload(drop_of(9)))
    results = belt.lines("results/", "results.jsonl")
    failures = belt.lines("failures/", "failures.jsonl")
    assert [line["custom_id"] for line in results] == ["r-1", "r-3", "r-6", "r-9"]
    assert [(line["custom_id"], line["line"], line["outcome"], line["retryable"]) for line in failures] == [
        ("r-2", 2, "errored", True),
        ("r-4", 4, "errored", False),
        ("r-5", 5, "expired", True),
        ("r-7", 7, "canceled", True),
        ("r-8", 8, "missing", True),
    ]
    assert belt.creates() == (1, 1)
    receipt = belt.receipt()
    assert (receipt["status"], receipt["requests"], receipt["results"], receipt["failures"]) == ("completed", 9, 4, 5)
    assert receipt["outcomes"] == {
        "succeeded": 4, "errored": 2, "expired": 1, "canceled": 1, "missing": 1, "stuck": 0, "invalid": 0,
    }  # fmt: skip
    assert notice["status"] == "completed"


def test_retry_jsonl_can_be_dropped_unchanged(belt: Belt) -> None:
    """It has the original lines in their order, and its run completes."""
    belt.provider.configure(outcomes={"1": "errored:api_error", "3": "expired"})
    data = drop_of(3)
    run = belt.upload(data)
    notice = belt.finish(run)
    (key,) = [key for key in belt.stored("failures/") if key.endswith(RETRY)]
    assert belt.read(key).splitlines() == [data.splitlines()[0], data.splitlines()[2]]
    command = next(line for line in notice["message"].splitlines() if "--copy-props" in line)
    source = f"s3://{belt.bucket}/{key}"
    assert command.split()[3:] == [
        source,
        f"s3://{belt.bucket}/inbox/three-retry.jsonl",
        "--copy-props",
        "metadata-directive",
    ]
    belt.provider.configure(outcomes={})
    again = belt.finish(belt.upload(belt.read(key), "inbox/three-retry.jsonl"))
    assert again["subject"].startswith("Conveyor: done three-retry (all 2 answered, ")
    assert [line["custom_id"] for line in belt.lines("results/three-retry/", "results.jsonl")] == ["r-1", "r-3"]


def test_retry_jsonl_of_an_interrupted_split_is_removed(belt: Belt) -> None:
    """Sending its lines again would be charged, although their results have arrived."""
    run = belt.upload(drop_of(2))
    belt.finish(run)
    receipt = belt.receipt()
    retry, aside = f"failures/three/{run}/{RETRY}", f"failures/three/{run}/{ASIDE}"
    for left in (retry, aside):  # as left by an interrupted split
        belt.s3.put_object(Bucket=belt.bucket, Key=left, Body=drop_of(1))
    belt.s3.delete_object(Bucket=belt.bucket, Key=f"runs/{run}/batches/1/part.json")
    belt.pass_time(belt.function_seconds + 1)
    assert belt.split(run)["status"] == "split"
    assert belt.read(retry) == belt.read(aside) == b""
    message = belt.report(run)["message"]
    assert [file["key"] for file in belt.receipt()["files"]] == [
        *(file["key"] for file in receipt["files"]), retry, aside,
    ]  # fmt: skip
    assert RETRY not in message
    assert ASIDE not in message


def test_the_tutorials_lines_complete_without_max_tokens(belt: Belt) -> None:
    """The default is added, the receipt counts it, and the output has the tutorial's format."""
    data = b"".join(request(f"article_{number}", max_tokens=None) + b"\n" for number in (1, 2))
    belt.finish(belt.upload(data, metadata={"default-max-tokens": "5"}))
    assert belt.receipt()["default_max_tokens"] == {"requests": 2, "value": 5}
    for line in belt.lines("results/", "results.jsonl"):
        assert list(line) == ["custom_id", "response", "error"]
        assert line["error"] is None
        assert line["response"]["content"][0]["type"] == "text"
        assert line["response"]["usage"]["output_tokens"] <= 5


def test_ids_of_any_characters_come_back_as_they_were_written(belt: Belt) -> None:
    """They are not limited to the provider's 64 characters."""
    ids = ['quote " and \\ backslash', "ünïcödé 😀", "line\nfeed\u2028", "x" * 256, "-1"]
    belt.finish(belt.upload(b"\n".join(request(custom_id) for custom_id in ids)))
    assert [line["custom_id"] for line in belt.lines("results/", "results.jsonl")] == ids


def test_ids_that_are_integers_come_back_as_integers(belt: Belt) -> None:
    """In results, failures and retry.jsonl; 7 stays a number, but is the same id as "7"."""
    belt.provider.configure(outcomes={"2": "errored:api_error"})
    ids: list[Any] = [7, -8, 2**53 - 1, 7, "7", "nine"]
    data = b"".join(request("").replace(b'""', orjson.dumps(each), 1) + b"\n" for each in ids) + b'{"custom_id":12}'
    belt.finish(belt.upload(data, metadata={"on-invalid": "skip"}))
    assert [line["custom_id"] for line in belt.lines("results/", "results.jsonl")] == [7, 2**53 - 1, "nine"]
    failures = [(line["custom_id"], line["error"]["type"]) for line in belt.lines("failures/", "failures.jsonl")]
    assert failures == [
        (-8, "api_error"),
        (7, "custom-id-duplicate"),
        ("7", "custom-id-duplicate"),
        (12, "params-missing"),
    ]
    assert [line["custom_id"] for line in belt.lines("failures/", "retry.jsonl")] == [-8]
    assert [line["custom_id"] for line in belt.lines("failures/", "invalid.jsonl")] == [7, "7", 12]


def test_fields_that_are_null_are_not_sent(belt: Belt) -> None:
    """SDKs write them, and the provider refuses some. retry.jsonl has the original line."""
    nulls = b'"params":{"stream":null,"speed" : null,"fallbacks":null,"max_tokens":null,"system":null,'
    lines = [request(f"r-{number}", max_tokens=None).replace(b'"params":{', nulls) for number in (1, 2)]
    belt.provider.configure(outcomes={"2": "expired"})
    run = belt.upload(b"\n".join([*lines, request("r-3")]))
    notice = belt.finish(run)
    assert (notice["status"], notice["results"], notice["failures"]) == ("completed", 2, 1)
    assert [orjson.loads(line) for line in lines[1:]] == belt.lines("failures/", "retry.jsonl")
    receipt = belt.receipt()
    assert (receipt["default_max_tokens"]["requests"], receipt["nulls_removed"]) == (2, 2)


def test_byte_order_mark_blank_lines_and_windows_line_ends_are_tolerated(belt: Belt) -> None:
    """Lines keep their numbers; the last one needs no line feed."""
    belt.provider.configure(outcomes={"2": "expired"})
    data = b"\xef\xbb\xbf\r\n" + request("a") + b"\r\n  \n\n" + request("b")
    belt.finish(belt.upload(data))
    assert [line["custom_id"] for line in belt.lines("results/", "results.jsonl")] == ["a"]
    assert [(line["custom_id"], line["line"]) for line in belt.lines("failures/", "failures.jsonl")] == [("b", 5)]


def test_invalid_lines_can_be_left_out_and_are_failures(belt: Belt) -> None:
    """With on-invalid=skip the others are sent, and requests = results + failures."""
    data = b"\n".join([b"nonsense", request("a"), request("a"), request("b"), b"\xff", request("c", model="")])
    belt.finish(belt.upload(data, metadata={"on-invalid": "skip", "max-invalid-percent": "70"}))
    assert [line["custom_id"] for line in belt.lines("results/", "results.jsonl")] == ["a", "b"]
    failures = belt.lines("failures/", "failures.jsonl")
    assert [(line["line"], line["custom_id"], line["outcome"], line["error"]["type"]) for line in failures] == [
        (1, None, "invalid", "not-json"),
        (3, "a", "invalid", "custom-id-duplicate"),
        (5, None, "invalid", "not-utf8"),
        (6, "c", "invalid", "model-invalid"),
    ]
    assert not any(line["retryable"] for line in failures)
    receipt = belt.receipt()
    assert (receipt["status"], receipt["requests"], receipt["outcomes"]["invalid"]) == ("completed", 6, 4)
    assert receipt["faults"] == len(belt.lines("failures/", "invalid.jsonl"))
    assert receipt["drop"]["sha256"] == sha256(data).hexdigest()
    for file in receipt["files"]:
        assert file["sha256"] == sha256(belt.read(file["key"])).hexdigest()
    assert belt.provider.stats()["batches"][0]["requests"] == 2


@pytest.mark.parametrize(
    ("line", "custom_id"),
    [
        (b'{"custom_id":"caf\xe9","params":{}}', None),
        (b'{"custom_id":1e999,"params":{}}', None),
        (b'{"custom_id":{"a":1},"params":{}}', None),
        (b'{"custom_id":"a","params":' + b"[" * 100_000 + b"}", None),
        (request("x" * 300), "x" * 256),
    ],
)
def test_whatever_is_left_out_the_failures_are_json(belt: Belt, line: bytes, custom_id: str | None) -> None:
    """An id that cannot be read is null; one that is too long is cut."""
    belt.finish(belt.upload(line + b"\n" + request("good"), metadata={"on-invalid": "skip"}))
    (failure,) = belt.lines("failures/", "failures.jsonl")
    assert (failure["line"], failure["custom_id"]) == (1, custom_id)
    assert [result["custom_id"] for result in belt.lines("results/", "results.jsonl")] == ["good"]


def test_the_settings_of_a_drop_apply_to_its_retry(belt: Belt) -> None:
    """retry.jsonl has the same metadata, which a copy keeps."""
    belt.provider.configure(outcomes={"1": "expired"})
    own = {"default-max-tokens": "7", "on-invalid": "skip", "max-invalid-percent": "9"}
    own |= {"betas": "task-budgets-2026-03-13,mcp-client-2025-11-20", "retry-rounds": "0"}
    run = belt.upload(request("a", max_tokens=None), metadata=own)
    belt.finish(run)
    (key,) = [key for key in belt.stored("failures/") if key.endswith(RETRY)]
    source = {"Bucket": belt.bucket, "Key": key}
    belt.s3.copy_object(Bucket=belt.bucket, Key="inbox/again.jsonl", CopySource=source)
    assert belt.s3.head_object(Bucket=belt.bucket, Key="inbox/again.jsonl")["Metadata"] == own | {"retry-of": run}


def test_a_late_result_is_not_missing(belt: Belt) -> None:
    """Results are read again at intervals of ten minutes before a line is missing."""
    belt.provider.fail("results", {"kind": "spoil", "missing": [2]}, times=2)
    began = belt.moment
    belt.finish(belt.upload(drop_of(3)))
    assert [line["custom_id"] for line in belt.lines("results/", "results.jsonl")] == ["r-1", "r-2", "r-3"]
    assert belt.steps.count("split") == 3
    assert (belt.moment - began).total_seconds() >= 1200


def test_repeated_and_foreign_result_lines_are_counted_and_change_nothing(belt: Belt) -> None:
    """The first result of a request counts, and foreign lines belong to no request."""
    spoil = {"kind": "spoil", "repeated": [1], "repeated_as": "expired", "foreign": ["stranger", "other-1"]}
    belt.provider.fail("results", spoil)
    belt.finish(belt.upload(drop_of(2)))
    assert [line["custom_id"] for line in belt.lines("results/", "results.jsonl")] == ["r-1", "r-2"]
    batch = belt.receipt()["batches"][0]
    assert (batch["repeated"], batch["foreign"]) == (1, 2)


def test_running_any_function_again_changes_nothing(belt: Belt) -> None:
    """A duplicate event, a retry or a redrive finds everything done."""
    run = belt.upload(drop_of(3))
    notice = belt.finish(run)
    before = {key: belt.read(key) for key in belt.stored()}
    belt.submit({"run": run})
    belt.split(run)
    assert belt.poll(run)["next"] == "report"
    assert belt.report(run) == notice
    assert {key: belt.read(key) for key in belt.stored()} == before
    assert belt.creates() == (1, 1)


def test_the_state_holds_ids_and_counters_only(belt: Belt) -> None:
    """Operators can read an execution's history for 90 days, so it must have no prompts."""
    data = request("r-1", messages=[{"role": "user", "content": "SECRET"}])
    event = belt.drop(data)
    states = [belt.submit(event)]
    run = states[0]["run"]
    states += [belt.poll(run), belt.split(run), belt.poll(run), belt.report(run)]
    assert b"SECRET" not in orjson.dumps(states)
    assert b"sk-ant" not in orjson.dumps(states)


@pytest.mark.parametrize(
    "limit", ["MAX_REQUESTS_PER_BATCH", "MAX_QUEUED_REQUESTS", "MAX_BYTES_PER_BATCH", "MAX_TOKENS_PER_BATCH"]
)
def test_a_drop_beyond_the_limits_of_one_batch_is_planned_as_several(
    belt: Belt, limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limits are inclusive: with one less, the last request goes into a second batch."""
    data = request("r-1", max_tokens=None) + b"\n" + request("r-2") + b"\n" + request("r-3") + b"\n"
    longer = len('"1234567890-1"') - len('"r-1"')
    body = len('{"requests":[]}') + 2 + sum(len(line) + longer for line in data.splitlines())
    body += len('"max_tokens":15000,')
    limits = {"MAX_BYTES_PER_BATCH": body, "MAX_TOKENS_PER_BATCH": 15_000 + 64 + 64}
    exact = limits.get(limit, 3)
    change(monkeypatch, {limit: str(exact)})
    assert planned(belt, belt.upload(data)) == [(1, 3)]
    del belt.clients.settings
    change(monkeypatch, {limit: str(exact - 1)})
    assert planned(belt, belt.upload(data, "inbox/more.jsonl")) == [(1, 2), (3, 3)]


def planned(belt: Belt, run: str) -> list[tuple[int, int]]:
    """Return the first and last line of each batch in the plan."""
    return [(batch["first_line"], batch["last_line"]) for batch in belt.lines(f"runs/{run}/", "plan.jsonl")[1:]]
