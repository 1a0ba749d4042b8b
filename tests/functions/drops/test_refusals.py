"""A drop that cannot be sent is refused with a message that says what to do, and nothing is charged."""

import gzip

import pytest

from conveyor.validation.checker import MOST_FAULTS
from tests.functions.conftest import Services
from tests.support.belt import Belt, drop_of, request
from tests.support.promises import plain
from tests.support.settings import STACK_SETTINGS, change, tune


def refused(belt: Belt, data: bytes, key: str = "inbox/a.jsonl", metadata: dict[str, str] | None = None) -> str:
    """Upload a drop, check that it is refused, and return the message."""
    notice = belt.finish(belt.upload(data, key, metadata))
    assert notice["status"] == belt.receipt()["status"] == "refused"
    assert notice["subject"].startswith("Conveyor: refused ")
    assert belt.lines("results/", "results.jsonl") == []
    return plain(notice["message"])


def test_one_invalid_line_refuses_the_drop_and_all_faults_are_listed(belt: Belt) -> None:
    """Each fault has a line, a byte offset, a custom_id, a code and a message."""
    data = b"\n".join([request("a"), b"nonsense", request("a"), request("b", max_tokens=0, stream=True)])
    message = refused(belt, data)
    faults = belt.lines("failures/", "invalid.jsonl")
    assert [(fault["line"], fault["custom_id"], fault["code"]) for fault in faults] == [
        (2, None, "not-json"),
        (3, "a", "custom-id-duplicate"),
        (4, "b", "max-tokens-invalid"),
        (4, "b", "field-refused"),
    ]
    assert [data[fault["byte"] :][:8] for fault in faults[:2]] == [b"nonsense", request("a")[:8]]
    assert "line 1" in faults[1]["message"]
    assert "4 faults are listed (4 lines were read)" in message
    assert f"s3://{belt.bucket}/failures/a/" in message
    assert belt.creates() == (0, 0)
    assert [belt.receipt()[field] for field in ("requests", "results", "failures", "not_run")] == [4, 0, 0, 4]


def test_faults_beyond_ten_thousand_are_not_listed(belt: Belt) -> None:
    """The list of faults ends there, and on-invalid=skip does not apply."""
    message = refused(belt, b"{}\n" * (MOST_FAULTS // 2 + 5), metadata={"on-invalid": "skip"})
    assert len(belt.lines("failures/", "invalid.jsonl")) == MOST_FAULTS
    assert "The first 10,000 faults are listed" in message
    assert belt.receipt()["requests"] == 0


def test_ten_thousand_faults_can_still_be_skipped(belt: Belt) -> None:
    """The limit is inclusive."""
    metadata = {"on-invalid": "skip", "max-invalid-percent": "100"}
    run = belt.upload(b"nonsense\n" * MOST_FAULTS + drop_of(1), metadata=metadata)
    assert belt.finish(run)["status"] == "completed"
    assert (belt.receipt()["faults"], belt.receipt()["failures"]) == (MOST_FAULTS, MOST_FAULTS)


@pytest.mark.parametrize("metadata", [{}, {"on-invalid": "skip"}])
def test_a_mostly_invalid_drop_is_refused_even_with_skip_and_skipping_is_not_offered(
    belt: Belt, metadata: dict[str, str]
) -> None:
    """It is probably the wrong file; sending the rest would be reported as a success."""
    message = refused(belt, drop_of(2) + b"nonsense\n" * 3, metadata=metadata)
    assert "3 of 5 lines are invalid, and the limit is 50 % (Tuning=max-invalid-percent=50)" in message
    assert "on-invalid=skip," not in message.replace("on-invalid=skip s3", "")
    assert belt.receipt()["code"] == "mostly-invalid"
    assert belt.creates() == (0, 0)
    assert [belt.receipt()[field] for field in ("requests", "not_run", "faults")] == [5, 5, 3]


def test_skipping_half_of_a_drop_is_offered_and_works(belt: Belt) -> None:
    """The limit is inclusive, and counts lines, not faults."""
    data = drop_of(2) + request("a", max_tokens=0, stream=True) + b"\nnonsense\n"
    assert "To send the other 2 lines only" in refused(belt, data)
    assert belt.finish(belt.upload(data, "inbox/b.jsonl", {"on-invalid": "skip"}))["status"] == "completed"


def test_metadata_sets_how_much_of_a_drop_may_be_invalid(belt: Belt) -> None:
    """It may be less or more than the stack's limit."""
    data = drop_of(3) + b"nonsense\n"
    less = {"on-invalid": "skip", "max-invalid-percent": "20"}
    assert "1 of 4 lines is invalid, and the limit is 20 %" in refused(belt, data, metadata=less)
    more = {"on-invalid": "skip", "max-invalid-percent": "100"}
    assert belt.finish(belt.upload(b"no\n" * 9 + drop_of(1), "inbox/b.jsonl", more))["status"] == "completed"
    assert "no request" in refused_again(belt, b"{}\n", "inbox/c.jsonl", more)


def refused_again(belt: Belt, data: bytes, key: str, metadata: dict[str, str]) -> str:
    """Upload a drop after others, check that it is refused, and return the message."""
    notice = belt.finish(belt.upload(data, key, metadata))
    assert notice["status"] == "refused"
    return plain(notice["message"])


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("inbox/a.csv", "does not end in one of .jsonl, .ndjson, .json, with or without .gz: rename it"),
        ("inbox/a.gz", "does not end in one of .jsonl, .ndjson, .json, with or without .gz: rename it"),
    ],
)
def test_a_file_with_another_extension_is_refused(belt: Belt, key: str, expected: str) -> None:
    """Every upload is answered with a message."""
    assert expected in refused(belt, drop_of(1), key)
    assert belt.receipt()["code"] == "wrong-name"


def test_an_invalid_metadata_value_refuses_the_drop(belt: Belt) -> None:
    """Running it with another setting than intended could cost money."""
    assert '"on-invalid" is "no"; expected "refuse" or "skip"' in refused(
        belt, drop_of(1), metadata={"on-invalid": "no"}
    )


@pytest.mark.parametrize("name", ["on_invalid", "oninvalid", "skip-invalid"])
def test_misspelt_metadata_refuses_the_drop(belt: Belt, name: str) -> None:
    """Ignoring it would run the drop with other settings than intended."""
    assert f'unknown metadata "{name}"; did you mean "on-invalid"?' in refused(
        belt, drop_of(1), metadata={name: "skip"}
    )


@pytest.mark.parametrize("name", ["max-requests-per-drop", "MaxRequestsPerDrop", "max_queued_requests"])
def test_a_parameter_of_the_stack_in_the_metadata_refuses_the_drop(belt: Belt, name: str) -> None:
    """It has no effect there, and the user may rely on it."""
    assert "is a parameter of the stack" in refused(belt, drop_of(1), metadata={name: "300"})


def test_metadata_of_other_tools_is_ignored(belt: Belt) -> None:
    """Many tools add their own metadata."""
    others = {"mtime": "1", "s3cmd-attrs": "x", "author": "a", "against": "b", "default": "c", "valid": "d"}
    assert belt.finish(belt.upload(drop_of(1), metadata=others))["status"] == "completed"


def test_again_must_be_exactly_yes(belt: Belt) -> None:
    """It allows the same content to be charged again."""
    assert '"again" must be "yes"' in refused(belt, drop_of(1), metadata={"again": "Yes, please"})


@pytest.mark.local_aws
def test_an_object_without_a_version_is_refused(belt: Belt) -> None:
    """It could be overwritten while it is read."""
    belt.s3.put_bucket_versioning(Bucket=belt.bucket, VersioningConfiguration={"Status": "Suspended"})
    event = belt.drop(drop_of(1))
    notice = belt.finish(belt.submit(event)["run"])
    assert "has no version" in plain(notice["message"])
    assert belt.creates() == (0, 0)


@pytest.mark.parametrize(
    ("setting", "value", "expected"),
    [
        ("MAX_REQUESTS_PER_DROP", 2, "has 10 requests; the stack's MaxRequestsPerDrop is 2"),
        (
            "MAX_BYTES_PER_DROP",
            1000,
            "limit is 1,000 (Tuning=max-bytes-per-drop=1000): split it, with split -C 1000 --additional-suffix=.jsonl",
        ),
    ],
)
def test_a_drop_beyond_a_limit_is_refused_with_the_name_of_the_limit(
    belt: Belt, monkeypatch: pytest.MonkeyPatch, setting: str, value: int, expected: str
) -> None:
    """A drop that is larger than intended is not queued."""
    change(monkeypatch, {setting: str(value)})
    assert expected in refused(belt, drop_of(10))
    assert belt.creates() == (0, 0)


def test_a_request_too_large_for_any_batch_is_a_fault_of_its_line(belt: Belt, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other lines have no fault."""
    tune(monkeypatch, max_bytes_per_batch=400)
    refused(belt, drop_of(1) + request("long", system="x" * 400))
    assert [(fault["line"], fault["code"]) for fault in belt.lines("failures/", "invalid.jsonl")] == [
        (2, "request-too-large")
    ]


@pytest.mark.parametrize("data", [b"", b"\n \n\r\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\r\n\t"])
def test_an_empty_file_is_refused(belt: Belt, data: bytes) -> None:
    """It may come from an export that failed."""
    assert "has only blank lines" in refused(belt, data)
    assert belt.receipt()["code"] == "file-is-empty"
    assert belt.creates() == (0, 0)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            {"status": 401, "type": "authentication_error", "message": "invalid x-api-key"},
            "HTTP 401 authentication_error",
        ),
        ({"status": 402, "type": "billing_error"}, "HTTP 402 billing_error"),
        (
            {"status": 429, "type": "rate_limit_error", "error_code": "enforced_spend_limit_reached"},
            "enforced_spend_limit_reached",
        ),
        ({"status": 400, "type": "invalid_request_error", "message": "requests: too odd"}, "HTTP 400"),
        ({"status": 413, "body": "<html>"}, "HTTP 413"),
    ],
)
def test_a_refusal_by_the_provider_ends_the_run_after_one_post(
    belt: Belt, answer: dict[str, str], expected: str
) -> None:
    """Nothing was created, and a retry fails until a person has acted."""
    belt.provider.fail("create", {"kind": "answer", **answer}, times=None)
    assert expected in refused(belt, drop_of(2))
    assert belt.creates() == (1, 0)
    assert belt.steps == ["report"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"key":"sk-ant-secret"}', "holds JSON (key/value)"),
        ("\ufeffsk-ant-secret", "must be one line of plain ASCII text"),
        ("sk-ant\nsecret", "must be one line of plain ASCII text"),
        (None, "there is no secret"),
    ],
)
def test_a_secret_that_cannot_be_a_key_refuses_the_drop_before_any_attempt(
    belt: Belt, services: Services, monkeypatch: pytest.MonkeyPatch, text: str | None, expected: str
) -> None:
    """The message has the secret's name, never its content; no attempt is left with an unknown outcome."""
    name = f"conveyor/{belt.bucket}"
    monkeypatch.setenv("CONVEYOR_API_KEY_SECRET", name)
    if text is not None:
        services.secrets.create_secret(Name=name, SecretString=text)
    text_of = belt.finish(belt.upload(drop_of(1)))["message"]
    message = plain(text_of)
    assert expected in message
    assert name in message
    assert "sk-ant" not in message
    verb = "create-secret --name" if text is None else "put-secret-value --secret-id"
    assert f'    aws secretsmanager {verb} {name} --secret-string "${{API_KEY:?}}"\n' in text_of
    assert not [key for key in belt.stored("runs/") if "attempt" in key]


def test_the_providers_error_text_is_only_in_the_receipt(belt: Belt) -> None:
    """It may quote a prompt, and more people read messages and states; newlines are replaced by spaces."""
    error = {"message": "requests.0: XYZZY\n  aws s3 rm, with key sk-ant-simulated", "type": "odd type\n"}
    belt.provider.fail("create", {"kind": "answer", "status": 400, **error}, times=None)
    message = refused(belt, drop_of(1))
    assert "HTTP 400" in message
    assert belt.receipt()["words"] == "requests.0: XYZZY aws s3 rm, with key …"
    belt.provider.fail("create", {"kind": "answer", "status": 429, **error}, times=None)
    state = belt.poll(belt.upload(drop_of(1), "inbox/busy.jsonl"))
    assert "HTTP 429" in state["trouble"]["reason"]
    assert "XYZZY" not in message + str(state)


def test_the_message_about_a_refused_key_has_the_command_to_replace_it(belt: Belt) -> None:
    """The command writes the stack's secret."""
    belt.provider.fail("create", {"kind": "answer", "status": 401, "type": "authentication_error"})
    message = belt.finish(belt.upload(drop_of(1)))["message"]
    secret = STACK_SETTINGS["API_KEY_SECRET"]
    command = f'    aws secretsmanager put-secret-value --secret-id {secret} --secret-string "${{API_KEY:?}}"\n'
    assert command in message
    assert belt.receipt()["key_secret"] == secret


def test_a_drop_too_large_to_check_in_one_invocation_is_refused(belt: Belt) -> None:
    """Otherwise the state machine would retry it for a day. The message says to split the file."""
    belt.function_seconds = 59
    assert "does not suffice to check more than 0 bytes: split it" in refused(belt, drop_of(1))
    assert belt.creates() == (0, 0)


def test_a_large_drop_of_blank_lines_is_refused_as_empty(belt: Belt) -> None:
    """A gigabyte of blank lines compresses to a megabyte."""
    assert "has only blank lines" in refused(belt, gzip.compress(b"\r\n" * 5_000_000, 1), "inbox/blank.jsonl.gz")
