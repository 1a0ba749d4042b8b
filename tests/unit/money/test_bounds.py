"""How many tokens a request can use at most, by what it contains."""

import json
from typing import Any

import pytest

from conveyor.money.bounds import ADDED_TOKENS, CITED, IMAGE_TOKENS, Bound, Caching, NoBound, bound_of
from conveyor.wording.bounds import NO_BOUND

DATA = "A" * 4_000
IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": DATA}}
PDF = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": DATA}}
TEXT = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "some text"}}
TOOL = {"name": "t", "description": "d", "input_schema": {"type": "object"}}
CACHED = {"type": "ephemeral"}


def params_of(*blocks: Any, **fields: Any) -> dict[str, Any]:
    """Return params with blocks in their one message, or a text if there are none."""
    content = list(blocks) or "Hi"
    return {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": content}], **fields}


def bound(*blocks: Any, **fields: Any) -> tuple[int, Bound]:
    """Return the bytes of such a line, and its bound."""
    params = params_of(*blocks, **fields)
    size = len(json.dumps({"custom_id": "a", "params": params}))
    return size, bound_of(params, size)


@pytest.mark.parametrize("fields", [{}, {"system": "Be brief."}, {"thinking": {"type": "adaptive"}}, {"stream": False}])
def test_text_has_at_most_a_token_for_each_byte_of_its_line(fields: dict[str, Any]) -> None:
    """Whatever its script, and however it is escaped."""
    size, found = bound(**fields)
    assert found == Bound(size)


def test_an_image_counts_as_one_of_the_highest_resolution_instead_of_its_bytes() -> None:
    """Also in the result of a tool, and in a document of several parts."""
    size, found = bound(IMAGE, {"type": "tool_result", "tool_use_id": "x", "content": [IMAGE]})
    assert found == Bound(size + 2 * (IMAGE_TOKENS - len(DATA)))
    size, found = bound({"type": "document", "source": {"type": "content", "content": [IMAGE]}})
    assert found == Bound(size + IMAGE_TOKENS - len(DATA))


def test_a_pdf_counts_as_all_that_the_model_can_read() -> None:
    """Its pages may hold any amount of compressed text."""
    assert bound(PDF)[1].has_pdf
    assert not bound(TEXT)[1].has_pdf


@pytest.mark.parametrize(
    "fields",
    [
        {"tools": [TOOL]},
        {"tools": [{"type": "custom", **TOOL}]},
        {"output_config": {"format": {"type": "json_schema"}}},
    ],
)
def test_tools_and_forms_of_answers_add_a_prompt_of_the_provider(fields: dict[str, Any]) -> None:
    """It is not in the bytes of the line."""
    size, found = bound(**fields)
    assert found == Bound(size + ADDED_TOKENS)


def test_cited_text_has_more_tokens_than_bytes() -> None:
    """The provider numbers its sentences."""
    size, found = bound(TEXT | {"citations": {"enabled": True}})
    assert found == Bound(size * CITED)
    size, found = bound(TEXT | {"citations": {"enabled": False}})
    assert found == Bound(size)


@pytest.mark.parametrize(
    ("control", "caching"),
    [
        (CACHED, Caching.FIVE_MINUTES),
        (CACHED | {"ttl": "5m"}, Caching.FIVE_MINUTES),
        (CACHED | {"ttl": "1h"}, Caching.ONE_HOUR),
        (CACHED | {"ttl": "of next year"}, Caching.ONE_HOUR),
        (None, Caching.NONE),
    ],
)
def test_the_dearest_kind_of_input_that_is_asked_for_counts(control: Any, caching: Caching) -> None:
    """Wherever it is asked for."""
    block = {"type": "text", "text": "Hi", "cache_control": control}
    for _, found in (
        bound(block),
        bound(system=[block]),
        bound(cache_control=control),
        bound(tools=[TOOL | {"cache_control": control}]),
        bound(block, {"type": "text", "text": "and more", "cache_control": None}),
        bound({"type": "tool_result", "tool_use_id": "x", "content": [block]}),
    ):
        assert found.caching == caching


@pytest.mark.parametrize(
    ("blocks", "fields", "reason"),
    [
        ([{"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}], {}, NoBound.URL),
        ([{"type": "document", "source": {"type": "file", "file_id": "file_1"}}], {}, NoBound.FILE),
        ([{"type": "container_upload", "file_id": "file_1"}], {}, NoBound.CONTENT),
        ([{"type": "web_search_tool_result", "content": []}], {}, NoBound.CONTENT),
        ([], {"tools": [TOOL, {"type": "web_search_20260318", "name": "web_search"}]}, NoBound.TOOLS),
        ([], {"tools": [{"type": "bash_20250124", "name": "bash"}]}, NoBound.TOOLS),
        ([], {"container": {"skills": []}}, NoBound.FIELD),
        ([], {"mcp_servers": [{"type": "url"}]}, NoBound.FIELD),
        ([], {"context_management": {"edits": []}}, NoBound.FIELD),
        ([], {"compaction": {"type": "enabled"}}, NoBound.FIELD),
        ([], {"a_field_of_next_year": 1}, NoBound.FIELD),
        ([], {"output_config": {"task_budget": {"type": "tokens"}}}, NoBound.FIELD),
    ],
)
def test_what_the_bytes_do_not_bound_has_no_bound_and_a_reason(
    blocks: list[Any], fields: dict[str, Any], reason: NoBound
) -> None:
    """A34: content elsewhere, tools that the provider runs, containers, compaction, and what is not known yet."""
    assert bound(*blocks, **fields)[1].reason == reason


def test_each_reason_has_words_for_messages() -> None:
    """None is missing where a person reads it."""
    assert NO_BOUND.keys() == {reason.value for reason in NoBound}


def test_fields_that_are_null_count_as_absent() -> None:
    """They are not sent."""
    assert bound(tools=None, container=None, system=None)[1].reason is None
