"""Batch objects as servers of the files dialect write them, with their differences."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conveyor.domain.outcome import Error
from conveyor.domain.refusal import RefusalKind
from conveyor.provider.files.dialect import window_of
from conveyor.provider.files.objects import decode_batch, decode_batches, decode_files
from conveyor.provider.protocol import NotRun, Progress, RefusedRequest
from conveyor.provider.timestamps import parse_timestamp
from tests.support.examples import NOW, ORIGIN
from tests.support.files_server import CREATED, batch

DAY = timedelta(days=1)
ENDED = NOW + timedelta(hours=1)


def progress(**about: Any) -> Progress:
    """Return the progress of a batch with these fields."""
    found = decode_batch(msgspec.json.encode(batch(1, **about)))
    assert found is not None
    return found.progress(DAY)


@pytest.mark.parametrize(
    ("status", "ended"),
    [
        ("validating", False),
        ("in_progress", False),
        ("finalizing", False),
        ("cancelling", False),
        ("canceling", False),
        ("completed", True),
        ("failed", True),
        ("expired", True),
        ("cancelled", True),
        ("canceled", True),
        ("a_status_of_next_year", False),
    ],
)
@pytest.mark.parametrize("written", [str.lower, str.upper, str.capitalize])
def test_a_batch_has_ended_in_four_statuses_however_they_are_written(status: str, written: Any, *, ended: bool) -> None:
    """Any other status is waited for; the end of the window is an end, too."""
    counts = {"total": 3, "completed": 1, "failed": 0}
    told = progress(status=written(status), request_counts=counts, output_file_id="file-1")
    assert (told.ended, told.requests, told.not_run) == (ended, 3, None)


@pytest.mark.parametrize("field", ["completed_at", "failed_at", "expired_at", "cancelled_at"])
@pytest.mark.parametrize("when", [CREATED + 3600, f"{CREATED + 3600}.0", "2026-11-22T11:00:00Z", "2026-11-22T11:00:00"])
def test_the_time_of_each_end_is_read(field: str, when: object) -> None:
    """In seconds or as text; absent times are null, left out, or Go's zero time."""
    assert progress(**{field: when}).ended_at == ENDED
    others = {"completed_at": 0, "expired_at": "0001-01-01T00:00:00Z", "cancelled_at": ""}
    assert progress(**others | {field: when}).ended_at == ENDED


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (CREATED, NOW),
        (CREATED + 0.5, NOW + timedelta(seconds=0.5)),
        (f"{CREATED}.0", NOW),
        ("2026-11-22T10:00:00.000Z", NOW),
        ("2026-11-22 10:00:00", NOW),
        ("2026-11-22T12:00:00+02:00", NOW),
        (CREATED * 1000, None),
        (None, None),
        ("", None),
        (0, None),
        ("0.0", None),
        (-1, None),
        (1e300, None),
        ("nan", None),
        ("soon", None),
        ("0001-01-01T00:00:00Z", None),
        ("1970-01-01T00:00:00Z", None),
        ("9999-12-31T23:59:59Z", None),
        ("9999-12-31T23:59:59-12:00", None),
        (253_402_300_799, None),
    ],
)
def test_an_impossible_time_is_ignored(given: Any, expected: datetime | None) -> None:
    """A batch that expired in 1970 would be cancelled at once; no time is an hour after the end of 9999."""
    assert parse_timestamp(given) == expected


@pytest.mark.parametrize("expires_at", [None, 0, "", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_a_batch_without_an_end_ends_with_its_window(expires_at: object) -> None:
    """It is cancelled after that, not before."""
    assert progress(expires_at=expires_at).expires_at == NOW + DAY


@pytest.mark.parametrize(
    ("text", "window"), [("24h", DAY), ("7d", 7 * DAY), ("1h", DAY / 24), ("", DAY), ("soon", DAY)]
)
def test_a_window_is_hours_or_days(text: str, window: timedelta) -> None:
    """Both are formats of providers."""
    assert window_of(text) == window


@pytest.mark.parametrize(
    ("counts", "metadata", "expected"),
    [
        ({"total": 5, "completed": 0, "failed": 0}, {"conveyor_requests": "3"}, 5),
        ({"total": 0, "completed": 0, "failed": 0}, {"conveyor_requests": "3"}, 3),
        ({"total": None, "completed": None, "failed": None}, {"conveyor_requests": "3"}, 3),
        ({}, {"conveyor_requests": 3}, 3),
        (None, {"conveyor_requests": "3"}, 3),
        (None, {"conveyor_requests": "many"}, 0),
        (None, {"conveyor_requests": "\N{SUPERSCRIPT TWO}"}, 0),
        (None, {"conveyor_requests": "9" * 5000}, 0),
        (None, {"conveyor_requests": None}, 0),
        (None, {}, 0),
        (None, None, 0),
    ],
)
def test_the_number_of_requests_is_read_from_metadata_before_the_provider_counts(
    counts: object, metadata: object, expected: int
) -> None:
    """Counts are null or zero until the provider has read the file."""
    assert progress(request_counts=counts, metadata=metadata).requests == expected


def failed(*errors: Any, **about: Any) -> NotRun:
    """Return why a batch with these fields failed."""
    not_run = progress(status="failed", errors={"object": "list", "data": list(errors)}, **about).not_run
    assert not_run is not None
    return not_run


def test_a_batch_that_failed_blames_its_lines_counted_from_one() -> None:
    """The user corrects these; all others are worth sending again."""
    not_run = failed(
        {"code": "model_mismatch", "line": 2, "message": "another \n model", "param": None},
        {"code": "invalid_json_line", "line": 1, "message": None},
    )
    assert not_run.kind is RefusalKind.DEFECT
    assert not_run.refused_requests == (
        RefusedRequest(2, Error("invalid_request_error", "model_mismatch: another model")),
        RefusedRequest(1, Error("invalid_request_error", "invalid_json_line: it does not say why")),
    )
    assert not_run.error.type == "model_mismatch"
    assert "another model" in not_run.error.message


def test_lines_are_counted_from_zero_where_one_of_them_is_zero() -> None:
    """Providers do not document from which number they count."""
    not_run = failed({"code": "a", "line": 0, "message": "m"}, {"code": "a", "line": 4, "message": "m"})
    assert [each.position for each in not_run.refused_requests] == [1, 5]


@pytest.mark.parametrize("line", [None, -1])
def test_a_fault_of_no_line_blames_none(line: int | None) -> None:
    """The whole file would be refused again."""
    not_run = failed({"code": "empty_file", "line": line, "message": "no lines"})
    assert (not_run.kind, not_run.refused_requests, not_run.error.type) == (
        RefusalKind.DEFECT,
        (),
        "invalid_request_error",
    )
    assert "empty_file: no lines" in not_run.error.message


def test_a_batch_that_failed_because_the_queue_was_full_is_accepted_later() -> None:
    """The same lines are accepted once other batches have left the queue."""
    not_run = failed({"code": "token_limit_exceeded", "line": None, "message": "Enqueued token limit reached"})
    assert (not_run.kind, not_run.error.type, not_run.refused_requests) == (
        RefusalKind.LATER,
        "token_limit_exceeded",
        (),
    )


def test_a_batch_with_a_faulty_line_is_not_blamed_on_the_queue() -> None:
    """The batch would fail again."""
    not_run = failed({"code": "token_limit_exceeded"}, {"code": "invalid_json_line", "line": 1})
    assert not_run.kind is RefusalKind.DEFECT


@pytest.mark.parametrize(
    ("about", "words"),
    [
        ({"errors": None}, "it does not say why"),
        ({"errors": {"data": None}}, "it does not say why"),
        ({"errors": [{"code": "bad", "message": "m", "line": None}]}, "bad: m"),
        ({"errors": None, "error": "all is lost"}, "all is lost"),
        ({"errors": {"data": [{"code": "<script>", "message": "x" * 999}]}}, "batch_failed: xxx"),
        ({"errors": {"data": [{"code": 17, "message": "m"}]}}, "17: m"),
    ],
)
def test_a_batch_that_failed_says_why_in_one_of_several_places(about: dict[str, Any], words: str) -> None:
    """In a list, in an object with a list, or in one string."""
    not_run = progress(status="FAILED", **about).not_run
    assert not_run is not None
    assert not_run.kind is RefusalKind.DEFECT
    assert words in not_run.error.message
    assert len(not_run.error.message) < 400


@pytest.mark.parametrize(
    "about",
    [
        {"output_file_id": "file-1"},
        {"request_counts": {"total": 3, "completed": 1, "failed": 2}},
    ],
)
def test_a_batch_that_failed_after_it_ran_is_split_like_any_other(about: dict[str, Any]) -> None:
    """The requests that ran were charged."""
    assert progress(status="failed", **about).not_run is None


@pytest.mark.parametrize("status", ["cancelled", "canceled", "expired"])
def test_a_batch_that_ended_before_any_request_ran_was_not_refused(status: str) -> None:
    """All its lines are worth sending again."""
    empty = {"total": 3, "completed": 0, "failed": 0}
    not_run = progress(status=status, request_counts=empty).not_run
    assert not_run is not None
    assert (not_run.kind, not_run.refused_requests) == (RefusalKind.STOP, ())
    for partly in ({"error_file_id": "file-1"}, {"request_counts": empty | {"failed": 1}}, {"request_counts": None}):
        assert progress(**{"status": status, "request_counts": empty, **partly}).not_run is None, "it may have run"


FIELDS = [*batch(), "input_file_id", "completed_at", "failed_at", "error", "data", "line", "code", "total", "job"]
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(["file-1", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "failed", "job"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=5), inner),
    max_leaves=12,
)
near = st.fixed_dictionaries(
    {"id": st.text() | values, "status": st.sampled_from(["failed", "cancelled", "expired"]) | st.text() | values},
    optional={name: values for name in FIELDS if name not in {"id", "status"}},
)


@given(st.binary(max_size=40) | (values | near | st.builds(lambda job: {"job": job}, near)).map(msgspec.json.encode))
def test_whatever_a_server_says_of_a_batch_is_read_or_left(text: bytes) -> None:
    """An unexpected response must not make a run fail for a day."""
    found = decode_batch(text)
    if found is not None:
        told = found.progress(DAY)
        assert told.created_at + 30 * DAY > datetime(2000, 1, 1, tzinfo=UTC)
        assert told.expires_at + 30 * DAY > told.expires_at
        found.is_of(ORIGIN)
    for decode in (decode_batches, decode_files):
        with suppress(msgspec.MsgspecError, UnicodeDecodeError):
            decode(text)
