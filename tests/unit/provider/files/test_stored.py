"""What a server of the files dialect stores: batches to find, results to read, files to delete."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from conveyor.domain.outcome import Outcome
from conveyor.provider.protocol import Progress, ResultsUnreadable, Trouble, TroubleKind
from tests.support.examples import NOW, ORIGIN
from tests.support.files_server import BATCHES, CREATED, FileServer, Reply, batch, error, file, listed
from tests.support.keys import Keys

LIST, FILES = f"GET {BATCHES}", "GET /v1/files"
OUR_METADATA = {"conveyor_run": ORIGIN.run, "conveyor_batch": "1", "conveyor_requests": "3"}
A_DAY_AGO = NOW - timedelta(days=1)


@pytest.fixture
def server() -> FileServer:
    """Return an empty server."""
    return FileServer()


def find_batches(server: FileServer, since: Any = A_DAY_AGO) -> list[Progress]:
    """Return the listed batches, oldest first."""
    batches = server.api().find(since, ORIGIN)
    assert isinstance(batches, list)
    return batches


def test_batches_are_listed_page_by_page_back_to_the_given_time(server: FileServer) -> None:
    """The list is newest first, the result oldest first; batches of other programs are included."""
    first = [batch(number, created_at=CREATED + number) for number in (5, 4)]
    second = [batch(3, created_at=CREATED + 3), batch(2, created_at=CREATED - 1)]
    third = [batch(1, created_at=CREATED - 2)]
    server.tells(LIST, listed(first, more=True), listed(second, more=True), listed(third, more=True))
    assert [progress.id for progress in find_batches(server, NOW)] == ["batch_3", "batch_4", "batch_5"]
    server.tells(LIST, listed(first, more=True), listed(third, more=True), listed(third))
    assert [progress.id for progress in find_batches(server, NOW)] == ["batch_4", "batch_5"]
    requests = server.asked(LIST)
    assert [request.url.params.get("after") for request in requests] == [None, "batch_4", "batch_2", None, "batch_4"]
    assert {request.url.params["limit"] for request in requests} == {"100"}


def test_a_list_that_is_oldest_first_is_read_to_its_end(server: FileServer) -> None:
    """The order is not documented, and a batch that is overlooked would be paid for twice."""
    server.tells(
        LIST, listed([batch(1, created_at=1.7e9), batch(2, created_at=1.7e9 + 1)], more=True), listed([batch(3)])
    )
    assert [progress.id for progress in find_batches(server)] == ["batch_3"]


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, json=[batch(1)]),
        httpx.Response(200, json={"data": [batch(1)]}),
        httpx.Response(200, json={"data": [batch(1)], "has_more": None}),
    ],
)
def test_a_list_may_be_a_bare_array_or_have_no_page_fields(server: FileServer, answer: httpx.Response) -> None:
    """The list is then complete."""
    server.tells(LIST, answer)
    assert [progress.id for progress in find_batches(server)] == ["batch_1"]


@pytest.mark.parametrize("data", [[], None])
def test_a_list_may_be_empty(server: FileServer, data: object) -> None:
    """Servers written in Go encode an empty list as null."""
    for call in (LIST, FILES):
        server.tells(call, httpx.Response(200, json={"data": data, "has_more": False}))
    assert find_batches(server) == []


@pytest.mark.parametrize(
    "pages",
    [
        [listed([batch(1)], more=True), listed([batch(1)], more=True)],
        [listed([batch(1)], more=True), listed([batch(2)], more=True), listed([batch(1)], more=True)],
        [listed([], more=True)],
        [httpx.Response(200, json={"data": [{"id": 5}]})],
        [httpx.Response(200, text="?")],
        [error(500)],
        [httpx.ReadTimeout],
    ],
)
def test_a_list_that_never_ends_or_cannot_be_decoded_is_trouble(server: FileServer, pages: list[Reply]) -> None:
    """A batch could be missed, so no batch may be created until the list can be read."""
    server.tells(LIST, *pages)
    trouble = server.api().find(A_DAY_AGO, ORIGIN)
    assert isinstance(trouble, Trouble)
    assert "key" not in trouble.reason
    assert len(server.asked(LIST)) == len(pages)


@pytest.mark.parametrize(
    ("fields", "is_ours"),
    [
        ({"metadata": OUR_METADATA}, True),
        ({"metadata": OUR_METADATA | {"conveyor_batch": 1}}, True),
        ({"metadata": OUR_METADATA | {"conveyor_batch": "2"}}, False),
        ({"metadata": OUR_METADATA | {"conveyor_run": "run-2"}, "input_file_id": "file-1"}, False),
        ({"metadata": {"conveyor_run": OUR_METADATA["conveyor_run"]}, "input_file_id": "file-2"}, None),
        ({"metadata": {}, "input_file_id": "file-1"}, True),
        ({"metadata": {"team": "x"}, "input_file_id": "file-1"}, True),
        ({"metadata": None, "input_file_id": "file-1"}, True),
        ({"metadata": None, "input_file_id": "file-2"}, None),
        ({"metadata": None, "input_file_id": "file-3"}, None),
        ({"metadata": None}, None),
    ],
)
def test_metadata_or_input_file_decide_whose_a_batch_is(
    server: FileServer, fields: dict[str, Any], *, is_ours: bool | None
) -> None:
    """Both were known before the request. An unlisted file proves nothing: the list may be delayed, too."""
    server.files = [file(2, name="another.jsonl"), file(1)]
    server.batches = [batch(1, **fields)]
    (progress,) = find_batches(server)
    assert progress.is_ours is is_ours


def test_whose_a_batch_is_is_unknown_without_metadata_or_list_of_files(server: FileServer) -> None:
    """Its results decide it then."""
    server.batches = [batch(1, input_file_id="file-1"), batch(2, metadata=OUR_METADATA)]
    server.tells(FILES, error(404))
    assert {progress.id: progress.is_ours for progress in find_batches(server)} == {"batch_1": None, "batch_2": True}
    assert len(server.asked(FILES)) == 1


def test_files_are_not_listed_when_metadata_decide(server: FileServer) -> None:
    """Nor are they listed when the caller does not ask which batches are ours."""
    server.batches = [batch(1, metadata=OUR_METADATA), batch(2, metadata=OUR_METADATA | {"conveyor_run": "run-2"})]
    assert len(find_batches(server)) == 2
    batches = server.api().find(A_DAY_AGO)
    assert isinstance(batches, list)
    assert [progress.is_ours for progress in batches] == [None, None]
    assert not server.asked(FILES)


def test_a_batch_that_does_not_say_when_it_was_created_is_never_too_young(server: FileServer) -> None:
    """Otherwise a search after its window would skip it, and it would be paid for again."""
    server.batches = [batch(1, created_at=None, metadata=OUR_METADATA)]
    (progress,) = find_batches(server)
    assert progress.created_at == A_DAY_AGO


def test_a_batch_of_ours_is_found_whatever_the_clock_of_its_server_says(server: FileServer) -> None:
    """A time without a zone may be hours off; the age of other batches is read from the same clock."""
    server.files = [file(1)]
    old = "2026-11-22T07:00:00"
    server.batches = [
        batch(1, created_at=old, metadata=OUR_METADATA),
        batch(2, created_at=old, input_file_id="file-1"),
        batch(3, created_at=old, metadata=OUR_METADATA | {"conveyor_run": "run-2"}),
        batch(4, created_at=old),
    ]
    assert [progress.id for progress in find_batches(server, NOW)] == ["batch_1", "batch_2"]


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
