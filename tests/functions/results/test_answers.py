"""A paid result is delivered, or reported with its place, whatever the provider writes, in both dialects."""

from base64 import b64encode
from typing import Any

import orjson
import pytest

from tests.support.belt import Belt, drop_of
from tests.support.promises import plain
from tests.support.settings import STACK_SETTINGS, tune

ODD = (
    rb'{"id":"m","model":"claude-haiku-4-5","content":[{"type":"text","text":"cut \ud83d"}],"usage":{"input_tokens":9}}'
)
BAD_BYTES = ODD.replace(rb"\ud83d", b"\xff\x01")


@pytest.fixture(params=["messages", "files"])
def stack_settings(request: pytest.FixtureRequest) -> dict[str, str]:
    """Return the settings of a stack of each dialect."""
    return STACK_SETTINGS | {"BATCH_API": request.param}


def line_of(belt: Belt, answer: bytes) -> bytes:
    """Return a successful result line in the provider's format."""
    if belt.clients.settings.batch_api == "messages":
        return b'{"custom_id":"<wire id>","result":{"type":"succeeded","message":%b}}' % answer
    return b'{"custom_id":"<wire id>","response":{"status_code":200,"body":%b},"error":null}' % answer


def write(belt: Belt, lines: dict[int, bytes], times: int | None = None, **spoil: Any) -> None:
    """Let the provider write the given lines for the requests at some positions."""
    encoded = {str(place): b64encode(line).decode() for place, line in lines.items()}
    belt.provider.fail("results", {"kind": "spoil", "lines": encoded, **spoil}, times=times)


def set_aside(belt: Belt, run: str) -> list[bytes]:
    """Read aside.jsonl, and compare it with the receipt's counts."""
    receipt = belt.receipt(run)
    counts = [receipt["repaired"], receipt["unreadable"]]
    counts += [batch[name] for batch in receipt["batches"] for name in ("foreign", "repeated")]
    key = f"failures/three/{run}/aside.jsonl"
    lines = belt.read(key).splitlines() if key in belt.stored("failures/") else []
    assert len(lines) == sum(counts)
    assert sum(file["lines"] for file in receipt["files"] if file["key"] == key) == len(lines)
    return lines


@pytest.mark.parametrize("answer", [ODD, BAD_BYTES])
def test_a_result_that_is_not_strict_json_is_delivered_and_its_original_is_kept(belt: Belt, answer: bytes) -> None:
    """It is delivered at the first read, in order, and every line of our files is valid JSON."""
    line = line_of(belt, answer)
    write(belt, {2: line})
    run = belt.upload(drop_of(3))
    message = plain(belt.finish(run)["message"])
    results = belt.lines("results/", "results.jsonl")
    assert [result["custom_id"] for result in results] == ["r-1", "r-2", "r-3"]
    assert results[1]["response"]["content"][0]["text"].startswith("cut \ufffd")
    (kept,) = set_aside(belt, run)
    assert kept.split(b",", 1)[1] == line.split(b",", 1)[1]
    receipt = belt.receipt(run)
    assert (receipt["repaired"], receipt["retryable"], receipt["failures"]) == (1, 0, 0)
    assert receipt["tokens"]["claude-haiku-4-5"]["usage"]["input_tokens"] >= 9
    assert f"set aside in s3://{belt.bucket}/failures/three/{run}/aside.jsonl" in message
    assert "1 result held characters that are not valid JSON text" in message
    assert belt.steps.count("split") == 1


@pytest.mark.parametrize("answer", [b'"no object"', b"5", b'"{\\"cut\\":"'])
def test_a_result_that_cannot_be_delivered_is_reported_kept_and_not_paid_for_again(belt: Belt, answer: bytes) -> None:
    """The failure says where its line is, and with which id."""
    write(belt, {2: line_of(belt, answer)})
    run = belt.upload(drop_of(3))
    message = plain(belt.finish(run)["message"])
    (failure,) = belt.lines("failures/", "failures.jsonl")
    assert (failure["custom_id"], failure["retryable"]) == ("r-2", False)
    assert failure["error"]["type"] == "unreadable_result"
    (kept,) = set_aside(belt, run)
    assert "aside.jsonl" in failure["error"]["message"]
    assert orjson.loads(kept)["custom_id"] in failure["error"]["message"]
    assert "1 failure has a result line that could not be read" in message
    assert belt.lines("failures/", "retry.jsonl") == []
    assert belt.steps.count("split") == 1


def test_a_truncated_line_is_read_again_before_it_is_unreadable(belt: Belt) -> None:
    """After three complete reads that agree it is a failure. It may have been charged, so it is not retryable."""
    belt.provider.fail("results", {"kind": "spoil", "malformed": [2]}, times=None)
    run = belt.upload(drop_of(3))
    belt.finish(run)
    (failure,) = belt.lines("failures/", "failures.jsonl")
    fields = (failure["custom_id"], failure["outcome"], failure["error"]["type"], failure["retryable"])
    assert fields == ("r-2", "errored", "unreadable_result", False)
    assert len(set_aside(belt, run)) == 1
    assert belt.steps.count("split") == 3


def test_a_line_that_was_truncated_once_is_a_result_when_it_is_complete(belt: Belt) -> None:
    """Nothing of the first read is kept."""
    belt.provider.fail("results", {"kind": "spoil", "malformed": [2]}, times=1)
    run = belt.upload(drop_of(3))
    belt.finish(run)
    assert len(belt.lines("results/", "results.jsonl")) == 3
    assert set_aside(belt, run) == []


def test_a_missing_result_is_not_retryable_if_a_line_has_no_readable_id(belt: Belt) -> None:
    """The line may be its result, and the failure says so."""
    belt.provider.fail("results", {"kind": "spoil", "missing": [2], "extra": ['{"result":{"type":"succ']}, times=None)
    run = belt.upload(drop_of(3))
    belt.finish(run)
    (failure,) = belt.lines("failures/", "failures.jsonl")
    assert (failure["custom_id"], failure["outcome"], failure["retryable"]) == ("r-2", "missing", False)
    assert "1 line of the provider's results has no readable id" in failure["error"]["message"]
    assert len(set_aside(belt, run)) == 1
    assert belt.lines("failures/", "retry.jsonl") == []


def test_more_foreign_lines_than_fit_on_the_disk_are_set_aside_as_they_arrive(
    belt: Belt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They count towards the disk limit like results."""
    monkeypatch.setenv("CONVEYOR_SPOOL_BYTES", "2000")
    foreign = [f"stranger-{number}" for number in range(30)]
    belt.provider.fail("results", {"kind": "spoil", "foreign": foreign}, times=None)
    run = belt.upload(drop_of(2))
    belt.finish(run)
    assert (belt.receipt(run)["results"], belt.receipt(run)["ordered"]) == (2, False)
    assert len(set_aside(belt, run)) == 30


def test_a_valid_line_beside_a_damaged_one_counts(belt: Belt) -> None:
    """Their order does not matter."""
    belt.provider.fail("results", {"kind": "spoil", "malformed": [2], "repeated": [2]}, times=None)
    run = belt.upload(drop_of(3))
    belt.finish(run)
    assert len(belt.lines("results/", "results.jsonl")) == 3
    assert len(set_aside(belt, run)) == 1
    assert belt.receipt(run)["batches"][0]["repeated"] == 1


def test_results_too_large_for_the_disk_are_also_repaired_and_set_aside(
    belt: Belt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only their order differs."""
    monkeypatch.setenv("CONVEYOR_SPOOL_BYTES", "1")
    lines = {1: line_of(belt, ODD), 2: line_of(belt, b"5"), 3: line_of(belt, ODD)[:-40]}
    write(belt, lines, foreign=["other-1"], repeated=[4])
    run = belt.upload(drop_of(4))
    belt.finish(run)
    receipt = belt.receipt(run)
    assert (receipt["ordered"], receipt["repaired"], receipt["unreadable"]) == (False, 1, 2)
    assert sorted(line["custom_id"] for line in belt.lines("results/", "results.jsonl")) == ["r-1", "r-4"]
    assert len(set_aside(belt, run)) == 5


def test_foreign_and_repeated_lines_are_kept_unchanged_in_aside(belt: Belt) -> None:
    """The message says where they are, for an operator to look at them."""
    belt.provider.fail("results", {"kind": "spoil", "repeated": [1], "foreign": ["stranger"]})
    run = belt.upload(drop_of(2))
    message = plain(belt.finish(run)["message"])
    assert sorted(b"stranger" in line for line in set_aside(belt, run)) == [False, True]
    assert f"set aside in s3://{belt.bucket}/failures/three/{run}/aside.jsonl" in message


def test_what_several_batches_set_aside_is_one_file(belt: Belt, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is joined like results and failures."""
    tune(monkeypatch, max_requests_per_batch=2)
    write(belt, {1: line_of(belt, ODD)})
    run = belt.upload(drop_of(5))
    belt.finish(run)
    assert len(set_aside(belt, run)) == belt.receipt(run)["repaired"] == 3


REFUSAL = "Your credit balance is too low to access the Anthropic API."


def errored(belt: Belt, words: str) -> bytes:
    """Return the line of a request that failed with a type that blames the request."""
    error = orjson.dumps({"type": "invalid_request_error", "message": words})
    if belt.clients.settings.batch_api == "messages":
        return b'{"custom_id":"<wire id>","result":{"type":"errored","error":{"type":"error","error":%b}}}' % error
    return b'{"custom_id":"<wire id>","response":{"status_code":400,"body":{"error":%b}},"error":null}' % error


def test_lines_that_failed_because_of_the_account_are_retryable(belt: Belt) -> None:
    """The message says what is wrong with the account, and how many lines failed only because of it."""
    write(belt, {1: errored(belt, REFUSAL), 2: errored(belt, "max_tokens: too large"), 3: errored(belt, REFUSAL)})
    run = belt.upload(drop_of(4))
    message = plain(belt.finish(run)["message"])
    assert [failure["retryable"] for failure in belt.lines("failures/", "failures.jsonl")] == [True, False, True]
    assert [line["custom_id"] for line in belt.lines("failures/", "retry.jsonl")] == ["r-1", "r-3"]
    assert (belt.receipt(run)["causes"], belt.receipt(run)["retryable"]) == ({"credit-exhausted": 2}, 2)
    assert "2 failures are not the requests' fault: the account has no credit left" in message
    assert "Add credit to the account" in message
    assert "2 of 3 failures are worth sending again. When that is fixed, type:" in message
    assert REFUSAL not in message


HALF_WAY = [
    (400, "invalid_request_error", REFUSAL, "credit-exhausted", "Add credit to the account"),
    (400, "invalid_request_error", "This organization has been disabled.", "account-disabled", "Ask the provider"),
    (400, "invalid_request_error", "requests: odd", "provider-refused", "the provider's error text"),
    (401, "authentication_error", "invalid x-api-key", "key-refused", "Put a valid key"),
    (402, "billing_error", "pay", "credit-exhausted", "Add credit to the account"),
    (403, "permission_error", "this key may not do that", "provider-stopped", "Fix the key, the permission"),
    (413, "request_too_large", "too large", "batch-too-large", "Tuning=max-requests-per-batch=10000"),
    (
        400,
        "invalid_request_error",
        "Too many requests in batch: at most 1",
        "batch-too-large",
        "Tuning=max-bytes-per-batch=100000000",
    ),
]


@pytest.mark.parametrize(("status", "kind", "words", "code", "advice"), HALF_WAY)
def test_a_refusal_half_way_reports_its_cause_and_what_to_fix_before_the_command(  # noqa: PLR0913, PLR0917
    belt: Belt, monkeypatch: pytest.MonkeyPatch, status: int, kind: str, words: str, code: str, advice: str
) -> None:
    """Without the fix, the command to send the lines again would be refused again."""
    tune(monkeypatch, max_requests_per_batch=2)
    refusal = {"kind": "answer", "status": status, "type": kind, "message": words}
    belt.provider.fail("create", refusal, after=1, times=None)
    run = belt.upload(drop_of(5))
    notice = belt.finish(run)
    receipt = belt.receipt(run)
    fields = [receipt[name] for name in ("status", "code", "results", "never_sent", "retryable", "words")]
    assert fields == ["completed", code, 2, 3, 3, words]
    assert notice["subject"].startswith("Conveyor: done three (2 answered, 3 not, refused half-way")
    message = plain(notice["message"])
    assert "three was refused half-way: 2 of 5 requests were answered" in message
    assert f"(HTTP {status}" in message
    assert "3 requests were not sent, and nothing was charged for them." in message
    assert message.index(advice) < message.index("When that is fixed, type:") < message.index("retry.jsonl s3://")
    assert words not in message
    assert belt.creates()[1] == 1


@pytest.mark.parametrize(("status", "kind", "words", "code", "advice"), HALF_WAY)
def test_a_refusal_of_the_first_batch_reports_the_same(  # noqa: PLR0913, PLR0917
    belt: Belt, status: int, kind: str, words: str, code: str, advice: str
) -> None:
    """Nothing was charged."""
    belt.provider.fail("create", {"kind": "answer", "status": status, "type": kind, "message": words}, times=None)
    run = belt.upload(drop_of(2))
    notice = belt.finish(run)
    assert (belt.receipt(run)["status"], belt.receipt(run)["code"]) == ("refused", code)
    assert advice in plain(notice["message"])
    assert words not in plain(notice["message"])
    if code == "batch-too-large":
        assert "in one batch than batch 1 has, 2 requests, " in belt.receipt(run)["reason"]
