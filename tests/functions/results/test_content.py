"""What holds prompts, answers or the provider's words lies under `content/`; facts hold none of it."""

import gzip
from base64 import b64encode
from collections.abc import Callable

import orjson
import pytest

from tests.support.belt import Belt, drop_of, request
from tests.support.settings import tune

QUOTE = "Zanzibar"
"""It is in every prompt, so in every answer of the simulated provider, and in its error texts."""


def secret_drop(count: int) -> bytes:
    """Write a drop whose prompts are secret."""
    turns = [{"role": "user", "content": f"{QUOTE}?"}]
    return b"".join(request(f"r-{number}", messages=turns) + b"\n" for number in range(1, count + 1))


def holding(belt: Belt, prefix: str, text: str = QUOTE) -> list[str]:
    """Return the keys of objects under a prefix that hold a text."""
    return [key for key in belt.stored(prefix) if text.encode() in belt.read(key)]


def tags(belt: Belt, key: str) -> dict[str, str]:
    """Return the tags of an object."""
    found = belt.s3.get_object_tagging(Bucket=belt.bucket, Key=key)["TagSet"]
    return {tag["Key"]: tag["Value"] for tag in found}


def answered(belt: Belt) -> None:
    """Let a batch succeed."""


def failed(belt: Belt) -> None:
    """Let lines fail with a text that quotes them."""
    error = {"type": "invalid_request_error", "message": f"messages.0: {QUOTE} is not allowed"}
    line = orjson.dumps(
        {"custom_id": "<wire id>", "result": {"type": "errored", "error": {"type": "error", "error": error}}}
    )
    belt.provider.fail("results", {"kind": "spoil", "lines": {"1": b64encode(line).decode()}}, times=None)


def refused(belt: Belt) -> None:
    """Let the provider refuse a batch with a text that quotes a line."""
    answer = {"kind": "answer", "status": 400, "type": "invalid_request_error", "message": f"{QUOTE} is not allowed"}
    belt.provider.fail("create", answer, times=None)


def busy(belt: Belt) -> None:
    """Let the provider refuse a batch for a moment, and quote a line."""
    belt.provider.fail("create", {"kind": "answer", "status": 429, "message": f"{QUOTE} has to wait"})


def lost(belt: Belt) -> None:
    """Lose the response to the call that creates a batch."""
    belt.provider.fail("create", {"kind": "answer", "status": 500, "message": f"{QUOTE} broke it"})


def set_aside(belt: Belt) -> None:
    """Let the provider write lines for no request."""
    belt.provider.fail("results", {"kind": "spoil", "foreign": [QUOTE]}, times=None)


@pytest.mark.parametrize("history", [answered, failed, refused, busy, lost, set_aside])
def test_facts_and_claims_hold_no_prompt_no_answer_and_no_words_of_the_provider(
    belt: Belt, monkeypatch: pytest.MonkeyPatch, history: Callable[[Belt], None]
) -> None:
    """A role that may read runs/ and claims/ learns how a run stands, and not what is in it."""
    tune(monkeypatch, max_requests_per_batch=2)
    history(belt)
    invalid = orjson.dumps({"custom_id": "bad", "params": {"model": QUOTE, "max_tokens": -1, "messages": QUOTE}})
    run = belt.upload(gzip.compress(secret_drop(3) + invalid), metadata={"on-invalid": "skip"})
    notice = belt.finish(run)
    assert belt.facts(run)
    assert holding(belt, "runs/") == []
    assert holding(belt, "claims/") == []
    assert QUOTE not in notice["message"] + str(belt.notices)
    assert f"content/default/{run}/unpacked.jsonl" in holding(belt, "content/")


def test_the_receipt_has_the_words_of_a_refusal_and_of_failures(belt: Belt) -> None:
    """They lie under content/ until then."""
    refused(belt)
    run = belt.upload(secret_drop(1))
    belt.finish(run)
    assert belt.receipt(run)["words"] == f"{QUOTE} is not allowed"
    assert holding(belt, "content/") == [f"content/default/{run}/batches/1/refused-1.txt"]
    belt.provider.reset()
    failed(belt)
    other = belt.upload(secret_drop(2), "inbox/other.jsonl")
    belt.finish(other)
    example = {"line": 1, "custom_id": "r-1", "words": f"messages.0: {QUOTE} is not allowed"}
    assert belt.receipt(other)["errors"]["invalid_request_error"] == {
        "failures": 1,
        "words": {f"messages.#: {QUOTE} is not allowed": 1},
        "examples": {f"messages.#: {QUOTE} is not allowed": [example]},
    }
    assert holding(belt, f"content/default/{other}/") == [f"content/default/{other}/batches/1/errors.json"]


def test_a_receipt_is_written_without_words_that_are_gone(belt: Belt) -> None:
    """They are examples: a run must end, whatever somebody has deleted."""
    failed(belt)
    run = belt.upload(secret_drop(2))
    belt.finish(run)
    belt.s3.delete_object(Bucket=belt.bucket, Key=f"content/default/{run}/batches/1/errors.json")
    belt.report(run)
    assert belt.receipt(run)["errors"] == {"invalid_request_error": {"failures": 1, "words": {}, "examples": {}}}


def test_content_lies_under_the_project_and_may_expire_when_its_run_has_ended(
    belt: Belt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run may last for months: without the tag, nothing that is paid for and not yet joined is removed."""
    tune(monkeypatch, max_requests_per_batch=2)
    run = belt.upload(gzip.compress(drop_of(5)), metadata={"project": "research"})
    for batch in (1, 2, 3):
        while belt.poll(run)["next"] != "split":
            belt.submit({"run": run})
        belt.split(run, batch)
    content = belt.stored("content/")
    assert content
    assert all(key.startswith(f"content/research/{run}/") for key in content)
    assert [tags(belt, key) for key in content] == [{}] * len(content)
    assert belt.finish(run)["results"] == 5
    assert belt.stored("content/") == content
    assert [tags(belt, key) for key in content] == [{"run": "ended"}] * len(content)


def before_there_was_content(belt: Belt, run: str) -> None:
    """Make the ledger of a run what the version before wrote: without project and prefix, and all in one place."""
    fact = belt.fact(run, "run.json")
    for field in ("project", "config_faults", "content"):
        del fact[field]
    belt.s3.put_object(Bucket=belt.bucket, Key=f"runs/{run}/run.json", Body=orjson.dumps(fact))
    for key in belt.stored(f"content/default/{run}/"):
        old = key.replace(f"content/default/{run}/", f"runs/{run}/")
        belt.s3.put_object(Bucket=belt.bucket, Key=old, Body=belt.read(key))
        belt.s3.delete_object(Bucket=belt.bucket, Key=key)


@pytest.mark.parametrize("splits", [0, 1])
def test_a_run_of_the_version_before_goes_on_with_what_lies_in_its_ledger(
    belt: Belt, monkeypatch: pytest.MonkeyPatch, splits: int
) -> None:
    """Its unpacked drop, and the parts of a batch that was split, lie under runs/; what comes lies elsewhere."""
    tune(monkeypatch, max_requests_per_batch=2)
    run = belt.upload(gzip.compress(drop_of(5)))
    if splits:
        while belt.poll(run)["next"] != "split":
            belt.submit({"run": run})
        belt.split(run, 1)
        part = belt.fact(run, "batches/1/part.json")
        for file in part["files"]:
            file["key"] = file["key"].replace(f"content/default/{run}/", f"runs/{run}/")
        belt.s3.put_object(Bucket=belt.bucket, Key=f"runs/{run}/batches/1/part.json", Body=orjson.dumps(part))
    before_there_was_content(belt, run)
    notice = belt.finish(run)
    assert (notice["status"], notice["results"], notice["project"]) == ("completed", 5, "default")
    assert [line["custom_id"] for line in belt.lines("results/", "results.jsonl")] == [f"r-{n}" for n in range(1, 6)]
    assert belt.stored("content/") == []
    assert f"results/three/{run}/parts/results-3.jsonl" in belt.stored("results/")


def test_the_words_in_a_ledger_of_the_version_before_are_in_the_receipt(belt: Belt) -> None:
    """They were part of the facts."""
    failed(belt)
    run = belt.upload(secret_drop(2))
    belt.finish(run)
    before_there_was_content(belt, run)
    part = belt.fact(run, "batches/1/part.json")
    part["errors"]["invalid_request_error"]["words"] = {"as it was": 1}
    belt.s3.put_object(Bucket=belt.bucket, Key=f"runs/{run}/batches/1/part.json", Body=orjson.dumps(part))
    belt.report(run)
    assert belt.receipt(run)["errors"]["invalid_request_error"]["words"] == {"as it was": 1}
