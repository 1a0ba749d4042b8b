"""What a line must keep depends on the dialect: a rule stricter than the provider's would lock somebody out."""

from typing import Any

import pytest

from conveyor.domain.dialect import Dialect
from conveyor.jsonl.lines import Line
from conveyor.validation.checker import check_drop
from conveyor.validation.params import Rules
from conveyor.validation.rules import Request, read_request
from tests.support.drops import BODY, CHAT, MESSAGES, PARAMS, RUN, files, line, settings

TOOLS = [{"name": "t", "input_schema": {"type": "object"}}]
EMBEDDINGS = files(line_form="body", batch_endpoint="/v1/embeddings")
FIELDS_OF_EMBEDDINGS: dict[str, Any] = {"messages": None, "max_tokens": None, "input": "Hi"}


def faults(raw: bytes, dialect: Dialect, default_max_tokens: int = 16) -> list[tuple[str, str]]:
    """Return codes and messages of all faults, which must be the same however many lines are looked at at once."""
    found = read_request(Line(1, 0, len(raw), raw), Rules(dialect, default_max_tokens))
    alone = [] if isinstance(found, Request) else [(fault.code, fault.message) for fault in found]
    good = line("good")
    own = settings(default_max_tokens=default_max_tokens)
    for lines in ([raw], [good, raw], [raw, good]):
        checker = check_drop(RUN, own, dialect, lambda lines=lines: [b"\n".join(lines)])  # type: ignore[misc]
        assert [(fault.code, fault.message) for fault in checker.faults] == alone
    return alone


@pytest.mark.parametrize("tools", [TOOLS, []])
@pytest.mark.parametrize("dialect", [PARAMS, files(batch_endpoint="/v1/chat/completions")])
def test_lines_of_params_in_files_take_no_tools_unless_somebody_says_they_do(dialect: Dialect, tools: Any) -> None:
    """The line is refused before anything is paid, and the message says what to do."""
    ((code, message),) = faults(line("a", tools=tools), dialect)
    assert code == "field-refused"
    assert message.startswith('"params.tools": ')
    assert "AllowTools=yes" in message


def test_a_field_is_refused_however_its_name_is_written() -> None:
    """The provider reads it, too. One that is null is none."""
    raw = line("a").replace(b'"model"', b'"tools":[],"model"')
    assert [code for code, _ in faults(raw, PARAMS)] == ["field-refused"]
    assert faults(raw.replace(b"tools", b"t\\u006fols"), PARAMS) == faults(raw, PARAMS)
    assert faults(raw.replace(b"[]", b"null", 1), PARAMS) == []


@pytest.mark.parametrize("dialect", [MESSAGES, files(allow_tools="yes"), BODY, CHAT])
def test_tools_are_taken_where_the_provider_takes_them(dialect: Dialect) -> None:
    """The Message Batches API always does."""
    assert faults(line("a", tools=TOOLS), dialect) == []


@pytest.mark.parametrize("dialect", [MESSAGES, PARAMS, BODY])
def test_what_stands_beside_tools_is_taken_without_them(dialect: Dialect) -> None:
    """Only the field that is refused is."""
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
def test_of_what_is_no_message_only_the_model_is_looked_at(
    raw: bytes, codes: list[str], dialect: Dialect, default: int
) -> None:
    """We do not know what other endpoints ask for; the model, all of them do."""
    assert [code for code, _ in faults(raw, dialect, default)] == codes


@pytest.mark.parametrize("params", [FIELDS_OF_EMBEDDINGS, {"max_tokens": None}])
def test_nothing_is_put_into_what_is_no_message(params: dict[str, Any]) -> None:
    """`max_tokens` would be refused where it is unknown. For the limits it counts as if it were the default."""
    raw = line("a", **params)
    checker = check_drop(RUN, settings(default_max_tokens=16), EMBEDDINGS, lambda: [raw])
    assert [(batch.requests, batch.defaulted, batch.max_tokens) for batch in checker.batches] == [(1, 0, 16)]
    assert checker.batches[0].body_bytes == len(raw) + len(b'"method":"POST","url":"/v1/embeddings",') + len(
        b"\n"
    ) - len("params") + len("body") + len(f"{'0' * 10}-1") - len("a")


@pytest.mark.parametrize("endpoint", ["/v1/messages", "/anthropic/v1/messages"])
def test_messages_are_messages_under_any_path(endpoint: str) -> None:
    """Gateways put them elsewhere."""
    assert files(batch_endpoint=endpoint).is_message
    assert not files(batch_endpoint="/v1/chat/completions").is_message
