"""The files of a batch at a server of the files dialect are deleted, and no others."""

from datetime import timedelta

import httpx
import pytest

from conveyor.provider.protocol import Trouble, TroubleKind
from tests.support.examples import NOW, ORIGIN
from tests.support.files_server import BATCHES, FileServer, batch, error, file

LIST, FILES = f"GET {BATCHES}", "GET /v1/files"
OUR_METADATA = {"conveyor_run": ORIGIN.run, "conveyor_batch": "1", "conveyor_requests": "3"}
A_DAY_AGO = NOW - timedelta(days=1)


@pytest.fixture
def server() -> FileServer:
    """Return an empty server."""
    return FileServer()


def deleted(server: FileServer) -> set[str]:
    """Return the ids of all files in DELETE requests."""
    return {request.url.path.rpartition("/")[2] for request in server.seen if request.method == "DELETE"}


def test_all_files_of_a_batch_are_deleted(server: FileServer) -> None:
    """The input files of every attempt and the result files, but no file of another program."""
    server.files = [file(3), file(2, name="another.jsonl"), file(1, size=5)]
    server.batches = [batch(1, input_file_id="file-3", output_file_id="file-out", error_file_id="file-err")]
    assert server.api().discard(ORIGIN, ["batch_1"]) is None
    assert deleted(server) == {"file-3", "file-1", "file-out", "file-err"}


def test_the_files_of_a_batch_that_was_never_created_are_deleted(server: FileServer) -> None:
    """They were uploaded before the batch was refused."""
    server.files = [file(1)]
    assert server.api().discard(ORIGIN, []) is None
    assert deleted(server) == {"file-1"}


@pytest.mark.parametrize("status", [404, 405])
def test_without_a_list_of_files_those_named_by_the_batches_are_deleted(server: FileServer, status: int) -> None:
    """The batches are then the only source of file ids."""
    server.tells(FILES, error(status))
    server.batches = [batch(1, input_file_id="file-7", output_file_id="file-out")]
    assert server.api().discard(ORIGIN, ["batch_1"]) is None
    assert deleted(server) == {"file-7", "file-out"}


def test_a_list_of_files_that_fails_is_trouble(server: FileServer) -> None:
    """Unlisted files remain; the known ones are deleted meanwhile."""
    server.tells(FILES, error(503))
    server.batches = [batch(1, input_file_id="file-7")]
    assert server.api().discard(ORIGIN, ["batch_1"]) == Trouble("HTTP 503")
    assert deleted(server) == {"file-7"}


def test_a_file_that_cannot_be_deleted_is_trouble_and_the_others_are_deleted(server: FileServer) -> None:
    """The failure is reported; a file that no longer exists is no failure."""
    server.files = [file(2), file(1)]
    server.tells("DELETE /v1/files/file-2", error(409))
    server.tells("DELETE /v1/files/file-1", error(404))
    assert server.api().discard(ORIGIN, []) == Trouble("HTTP 409")
    assert deleted(server) == {"file-1", "file-2"}


def test_a_batch_that_cannot_be_asked_about_is_trouble(server: FileServer) -> None:
    """Its files are named nowhere else."""
    server.tells(f"{LIST}/batch_1", error(500))
    assert server.api().discard(ORIGIN, ["batch_1"]) == Trouble("HTTP 500")


@pytest.mark.parametrize("status", [404, 405, 429])
def test_files_that_the_provider_was_not_asked_to_delete_are_not_taken_for_deleted(
    server: FileServer, status: int
) -> None:
    """Any response may have the Retry-After header."""
    server.files = [file(2), file(1)]
    wait = httpx.Response(status, headers={"retry-after": "50"})
    server.tells("DELETE /v1/files/file-2", wait)
    assert server.api().discard(ORIGIN, []) == Trouble(f"HTTP {status}", TroubleKind.UNASKED)
    assert deleted(server) == {"file-2"}
    server.tells(f"{LIST}/batch_1", wait)
    api = server.api()
    assert isinstance(api.progress("batch_1"), Trouble)
    assert api.discard(ORIGIN, []) == Trouble(f"HTTP {status}", TroubleKind.UNASKED)
