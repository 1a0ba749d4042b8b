"""Properties for any drop, provider response or metadata; the other properties are in the tests of each module."""

import re
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from conveyor.domain.drop import Drop
from conveyor.domain.keys import INBOX
from conveyor.domain.outcome import Outcome, Result
from conveyor.jsonl.repair import is_strict
from conveyor.provider.files import results as file_results
from conveyor.provider.messages import results as message_results
from conveyor.settings.settings import PER_DROP, BadMetadata
from tests.support.examples import SETTINGS

PIECES = [
    '{"custom_id":"0123456789-1",', '"result":', '"response":', '"error":', '{"type":"succeeded","message":', "null",
    '{"status_code":200,"body":', '{"status_code":"inf"', '{"model":"m","usage":{"input_tokens":1e400}}', '"usage":[1]',
    '{"content":[]}', '"\\ud800"', "{", "}", "[", "]", ",", ":", '"', "\\", "\n", "\r", " ", "1e999", "NaN", "é",
    "0123456789-2", "\U0001f600",
]  # fmt: skip
results = st.lists(st.sampled_from(PIECES).map(str.encode) | st.binary(max_size=8), max_size=30).map(b"".join)


@given(results, st.integers(1, 200))
def test_no_line_of_results_is_an_exception_or_is_lost(data: bytes, size: int) -> None:
    """Every non-blank line is at least one result in both dialects, kept unchanged or delivered as JSON."""
    chunks = [data[begin : begin + size] for begin in range(0, len(data), size)]
    for decode in (message_results.decode_results, file_results.decode_results):
        decoded = list(decode(chunks))
        assert decoded == list(decode([data]))
        for result in decoded:
            _check(result, data)


def _check(result: Result, data: bytes) -> None:
    assert result.raw
    assert result.raw in data
    if result.outcome is Outcome.SUCCEEDED:
        assert is_strict(result.response)
        assert result.response.startswith(b"{")
        assert not {b"\n", b"\r"}.intersection(result.response)
    else:
        assert result.error is not None or not result.wire_id


@given(st.text(max_size=600) | st.lists(st.sampled_from(["/", "..", ".", ".jsonl", ".gz", "é", " ", "a"])).map("".join))
def test_any_key_makes_a_name_that_is_safe_in_other_keys(name: str) -> None:
    """No parent folder, no character special to a console or shell, never empty, never too long."""
    safe_name = Drop("b", INBOX + name, "v", "e", 1, datetime(2026, 11, 29, tzinfo=UTC), {}).name
    assert re.fullmatch(r"[A-Za-z0-9._/-]{1,512}", safe_name)
    assert not {"", ".", ".."}.intersection(safe_name.split("/"))


@given(st.dictionaries(st.sampled_from(sorted(PER_DROP)) | st.text(max_size=9), st.text(max_size=20), max_size=4))
def test_any_metadata_is_settings_or_a_fault_in_words(metadata: dict[str, str]) -> None:
    """Uploaders may write any metadata."""
    try:
        overridden = SETTINGS.for_drop(metadata)
    except BadMetadata as error:
        assert str(error)  # noqa: PT017  # both are correct
    else:
        assert overridden == SETTINGS.for_drop(metadata)
