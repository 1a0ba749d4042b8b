"""The results that a server of the files dialect has stored are read."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from conveyor.domain.outcome import Outcome
from conveyor.provider.protocol import ResultsUnreadable
from tests.support.examples import NOW, ORIGIN
from tests.support.files_server import BATCHES, FileServer, batch, error
from tests.support.keys import Keys

LIST, FILES = f"GET {BATCHES}", "GET /v1/files"
OUR_METADATA = {"conveyor_run": ORIGIN.run, "conveyor_batch": "1", "conveyor_requests": "3"}
A_DAY_AGO = NOW - timedelta(days=1)


@pytest.fixture
def server() -> FileServer:
    """Return an empty server."""
    return FileServer()


SUCCESS = b'{"custom_id":"n-1","response":{"content":[]},"error":null}\n'
FAILURE = b'{"custom_id":"n-2","response":null,"error":{"code":"batch_expired"}}'


def read(server: FileServer, **fields: Any) -> list[tuple[str, Outcome]]:
    """Return ids and outcomes of a batch's results."""
    server.content |= {"file-out": SUCCESS, "file-err": FAILURE, "file-empty": b""}
    server.batches = [batch(1, status="completed", **fields)]
    with server.api().results("batch_1") as results:
        return [(result.wire_id, result.outcome) for result in results]


FIRST_RESULT, SECOND_RESULT = ("n-1", Outcome.SUCCEEDED), ("n-2", Outcome.EXPIRED)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"output_file_id": "file-out", "error_file_id": "file-err"}, [FIRST_RESULT, SECOND_RESULT]),
        ({"output_file_id": "file-out", "error_file_id": None}, [FIRST_RESULT]),
        ({"output_file_id": "file-out", "error_file_id": "file-empty"}, [FIRST_RESULT]),
        ({"output_file_id": "file-out", "error_file_id": "file-out"}, [FIRST_RESULT]),
        ({"output_file_id": "", "error_file_id": "file-err"}, [SECOND_RESULT]),
        ({"output_file_id": None, "error_file_id": ""}, []),
    ],
)
def test_results_are_those_of_the_output_file_and_then_of_the_error_file(
    server: FileServer, fields: dict[str, Any], expected: list[tuple[str, Outcome]]
) -> None:
    """Either may be null, an empty string or an empty file; the same file named twice is read once."""
    assert read(server, **fields) == expected


def test_results_may_have_no_files_at_all(server: FileServer) -> None:
    """No request was run, or the provider names no files."""
    server.batches = [{"id": "batch_1", "status": "COMPLETED"}]
    with server.api().results("batch_1") as results:
        assert list(results) == []


@pytest.mark.parametrize("status", [302, 404, 500])
@pytest.mark.parametrize("call", [f"{LIST}/batch_1", f"{FILES}/file-out/content", f"{FILES}/file-err/content"])
def test_results_that_are_refused_are_unreadable(server: FileServer, status: int, call: str) -> None:
    """Both files are needed. A redirect is never followed: it would send the key to another host."""
    server.tells(call, httpx.Response(status, headers={"location": "https://elsewhere.test/?key-0"}))
    with pytest.raises(ResultsUnreadable, match=str(status)) as caught:
        read(server, output_file_id="file-out", error_file_id="file-err")
    assert "key" not in str(caught.value)
    assert {request.url.host for request in server.seen} == {"provider.test"}


def test_results_are_requested_again_with_a_new_key_if_the_cached_one_is_refused(server: FileServer) -> None:
    """It may have been rotated while the batch ran."""
    server.content["file-out"] = SUCCESS
    server.batches = [batch(1, output_file_id="file-out")]
    server.tells(f"{FILES}/file-out/content", error(401))
    keys = Keys()
    with server.api(keys).results("batch_1") as results:
        assert len(list(results)) == 1
    assert keys.renewed == 1


class Cut(httpx.SyncByteStream):
    """A stream that fails after one line, and records whether it was closed."""

    def __init__(self) -> None:
        """Start open."""
        self.closed = False

    def __iter__(self):  # type: ignore[no-untyped-def]  # noqa: ANN204  # an iterator of bytes
        """Yield one line, then fail."""
        yield SUCCESS
        raise httpx.RemoteProtocolError("cut with key-0")

    def close(self) -> None:
        """Record the call."""
        self.closed = True


def test_a_cut_stream_of_results_is_unreadable(server: FileServer) -> None:
    """The exception is the same wherever the connection broke, and quotes no text of the error."""
    server.tells(f"{FILES}/file-out/content", httpx.Response(200, stream=Cut()))
    with pytest.raises(ResultsUnreadable, match="RemoteProtocolError") as caught:
        read(server, output_file_id="file-out", error_file_id="file-err")
    assert "key" not in str(caught.value)


def test_results_that_are_not_read_to_their_end_leave_no_connection_open(server: FileServer) -> None:
    """Checking whose a batch is reads one line only."""
    stream = Cut()
    server.tells(f"{FILES}/file-out/content", httpx.Response(200, stream=stream))
    server.batches = [batch(1, output_file_id="file-out")]
    with server.api().results("batch_1") as results:
        assert next(results).wire_id == "n-1"
    assert stream.closed
