"""Rules for lines depend on the dialect: one stricter than the provider's would refuse valid drops."""

from typing import Any

import pytest

from conveyor.domain.dialect import Dialect
from conveyor.jsonl.lines import Line
from conveyor.validation.checker import check_drop
from conveyor.validation.params import Rules
from conveyor.validation.rules import Request, read_request
from tests.support.drops import BODY, CHAT, MESSAGES, PARAMS, RUN, files, line, settings

TOOLS = [{"name": "t", "input_schema": {"type": "object"}}]
EMBEDDINGS = files(batch_api="files-openai", batch_endpoint="/v1/embeddings")
FIELDS_OF_EMBEDDINGS: dict[str, Any] = {"messages": None, "max_tokens": None, "input": "Hi"}


def faults(raw: bytes, dialect: Dialect, default_max_tokens: int = 16) -> list[tuple[str, str]]:
    """Return codes and messages of all faults, which must be the same for one line and for many."""
    checked = read_request(Line(1, 0, len(raw), raw), Rules(dialect, default_max_tokens))
    alone = [] if isinstance(checked, Request) else [(fault.code, fault.message) for fault in checked]
    good = line("good")
    drop_settings = settings(default_max_tokens=default_max_tokens)
    for lines in ([raw], [good, raw], [raw, good]):
        checker = check_drop(RUN, drop_settings, dialect, lambda lines=lines: [b"\n".join(lines)])  # type: ignore[misc]
        assert [(fault.code, fault.message) for fault in checker.faults] == alone
    return alone


@pytest.mark.parametrize("tools", [TOOLS, []])
@pytest.mark.parametrize("dialect", [PARAMS, files(batch_endpoint="/v1/chat/completions")])
def test_lines_of_params_in_files_may_not_have_tools(dialect: Dialect, tools: Any) -> None:
    """The line is refused before anything is paid, and the message says what to do."""
    ((code, message),) = faults(line("a", tools=tools), dialect)
    assert code == "field-refused"
    assert message.startswith('"params.tools": ')
    assert "BatchApi=files-openai" in message


def test_a_field_is_refused_however_its_name_is_written() -> None:
    """The provider reads every notation. A field that is null does not count."""
    raw = line("a").replace(b'"model"', b'"tools":[],"model"')
    assert [code for code, _ in faults(raw, PARAMS)] == ["field-refused"]
    assert faults(raw.replace(b"tools", b"t\\u006fols"), PARAMS) == faults(raw, PARAMS)
    assert faults(raw.replace(b"[]", b"null", 1), PARAMS) == []


@pytest.mark.parametrize("dialect", [MESSAGES, BODY, CHAT])
def test_tools_are_accepted_if_the_provider_accepts_them(dialect: Dialect) -> None:
    """The Message Batches API always accepts them."""
    assert faults(line("a", tools=TOOLS), dialect) == []


@pytest.mark.parametrize("dialect", [MESSAGES, PARAMS, BODY])
def test_fields_about_tools_are_accepted_without_tools(dialect: Dialect) -> None:
    """Only the field itself is refused."""
    assert faults(line("a", tool_choice={"type": "auto"}, top_k=1), dialect) == []


@pytest.mark.parametrize(
    ("raw", "codes"),
    [
        (line("a", **FIELDS_OF_EMBEDDINGS), []),
        (line("a", messages="anything"), []),
        (line("a", max_tokens=-1), []),
        (line("a", max_tokens="many"), []),
        (line("a", model=None), ["model-invalid"]),
        (line("a", model=""), ["model-invalid"]),
        (line("a", model=5, **FIELDS_OF_EMBEDDINGS), ["model-invalid"]),
        (b'{"custom_id":"a","params":[]}', ["params-invalid"]),
        (b'{"params":{"model":"m"}}', ["custom-id-missing"]),
    ],
)
@pytest.mark.parametrize("dialect", [CHAT, EMBEDDINGS])
@pytest.mark.parametrize("default", [0, 16])
def test_only_the_model_is_checked_in_a_body_that_is_no_message(
    raw: bytes, codes: list[str], dialect: Dialect, default: int
) -> None:
    """The fields of other endpoints are unknown, but all of them require a model."""
    assert [code for code, _ in faults(raw, dialect, default)] == codes


@pytest.mark.parametrize("params", [FIELDS_OF_EMBEDDINGS, {"max_tokens": None}])
def test_nothing_is_added_to_a_body_that_is_no_message(params: dict[str, Any]) -> None:
    """An endpoint may refuse an unknown `max_tokens`. For the limits the default is assumed."""
    raw = line("a", **params)
    checker = check_drop(RUN, settings(default_max_tokens=16), EMBEDDINGS, lambda: [raw])
    assert [(batch.requests, batch.defaulted, batch.max_tokens) for batch in checker.batches] == [(1, 0, 16)]
    assert checker.batches[0].body_bytes == len(raw) + len(b'"method":"POST","url":"/v1/embeddings",') + len(
        b"\n"
    ) - len("params") + len("body") + len(f"{'0' * 10}-1") - len("a")


@pytest.mark.parametrize("endpoint", ["/v1/messages", "/anthropic/v1/messages"])
def test_messages_are_messages_under_any_path(endpoint: str) -> None:
    """Gateways use other paths."""
    assert files(batch_endpoint=endpoint).is_message
    assert not files(batch_endpoint="/v1/chat/completions").is_message
