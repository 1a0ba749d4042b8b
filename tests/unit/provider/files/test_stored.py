"""What a server of the file dialect keeps: batches to look for, results to read, files to delete."""

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
OURS = {"conveyor_run": ORIGIN.run, "conveyor_batch": "1", "conveyor_requests": "3"}
A_DAY_AGO = NOW - timedelta(days=1)


@pytest.fixture
def server() -> FileServer:
    """Give a server that holds nothing."""
    return FileServer()


def found(server: FileServer, since: Any = A_DAY_AGO) -> list[Progress]:
    """Look for batches of ours."""
    batches = server.api().find(since, ORIGIN)
    assert isinstance(batches, list)
    return batches


def test_batches_are_found_page_by_page_back_to_the_moment_and_no_further(server: FileServer) -> None:
    """Newest first in, oldest first out, and of every program."""
    first = [batch(number, created_at=CREATED + number) for number in (5, 4)]
    second = [batch(3, created_at=CREATED + 3), batch(2, created_at=CREATED - 1)]
    third = [batch(1, created_at=CREATED - 2)]
    server.tells(LIST, listed(first, more=True), listed(second, more=True), listed(third, more=True))
    assert [each.id for each in found(server, NOW)] == ["batch_3", "batch_4", "batch_5"]
    server.tells(LIST, listed(first, more=True), listed(third, more=True), listed(third))
    assert [each.id for each in found(server, NOW)] == ["batch_4", "batch_5"]
    asked = server.asked(LIST)
    assert [request.url.params.get("after") for request in asked] == [None, "batch_4", "batch_2", None, "batch_4"]
    assert {request.url.params["limit"] for request in asked} == {"100"}


def test_a_list_that_goes_from_old_to_new_is_read_to_its_end(server: FileServer) -> None:
    """The order is written nowhere; a batch that was not seen would be paid for twice."""
    server.tells(
        LIST, listed([batch(1, created_at=1.7e9), batch(2, created_at=1.7e9 + 1)], more=True), listed([batch(3)])
    )
    assert [each.id for each in found(server)] == ["batch_3"]


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, json=[batch(1)]),
        httpx.Response(200, json={"data": [batch(1)]}),
        httpx.Response(200, json={"data": [batch(1)], "has_more": None}),
    ],
)
def test_a_list_may_be_bare_or_say_nothing_of_pages(server: FileServer, answer: httpx.Response) -> None:
    """Then it is all there is."""
    server.tells(LIST, answer)
    assert [each.id for each in found(server)] == ["batch_1"]


@pytest.mark.parametrize("data", [[], None])
def test_a_list_may_be_empty(server: FileServer, data: object) -> None:
    """Servers that are written in Go tell of an empty list by null."""
    for call in (LIST, FILES):
        server.tells(call, httpx.Response(200, json={"data": data, "has_more": False}))
    assert found(server) == []


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
def test_a_list_that_has_no_end_or_no_sense_is_trouble(server: FileServer, pages: list[Reply]) -> None:
    """No batch may be missed: nobody pays while this is so."""
    server.tells(LIST, *pages)
    trouble = server.api().find(A_DAY_AGO, ORIGIN)
    assert isinstance(trouble, Trouble)
    assert "key" not in trouble.reason
    assert len(server.asked(LIST)) == len(pages)


@pytest.mark.parametrize(
    ("about", "is_ours"),
    [
        ({"metadata": OURS}, True),
        ({"metadata": OURS | {"conveyor_batch": 1}}, True),
        ({"metadata": OURS | {"conveyor_batch": "2"}}, False),
        ({"metadata": OURS | {"conveyor_run": "run-2"}, "input_file_id": "file-1"}, False),
        ({"metadata": {"conveyor_run": OURS["conveyor_run"]}, "input_file_id": "file-2"}, None),
        ({"metadata": {}, "input_file_id": "file-1"}, True),
        ({"metadata": {"team": "x"}, "input_file_id": "file-1"}, True),
        ({"metadata": None, "input_file_id": "file-1"}, True),
        ({"metadata": None, "input_file_id": "file-2"}, None),
        ({"metadata": None, "input_file_id": "file-3"}, None),
        ({"metadata": None}, None),
    ],
)
def test_whose_a_batch_is_is_told_by_its_metadata_or_its_file(
    server: FileServer, about: dict[str, Any], *, is_ours: bool | None
) -> None:
    """Both were known before the call. A file that is not listed proves nothing: the list may be late, too."""
    server.files = [file(2, name="another.jsonl"), file(1)]
    server.batches = [batch(1, **about)]
    (progress,) = found(server)
    assert progress.is_ours is is_ours


def test_nobody_tells_whose_a_batch_is_without_metadata_or_list_of_files(server: FileServer) -> None:
    """Then its results will."""
    server.batches = [batch(1, input_file_id="file-1"), batch(2, metadata=OURS)]
    server.tells(FILES, error(404))
    assert {each.id: each.is_ours for each in found(server)} == {"batch_1": None, "batch_2": True}
    assert len(server.asked(FILES)) == 1


def test_files_are_not_asked_for_where_metadata_tell(server: FileServer) -> None:
    """And nothing is, where nobody asks whose batches are."""
    server.batches = [batch(1, metadata=OURS), batch(2, metadata=OURS | {"conveyor_run": "run-2"})]
    assert len(found(server)) == 2
    batches = server.api().find(A_DAY_AGO)
    assert isinstance(batches, list)
    assert [each.is_ours for each in batches] == [None, None]
    assert not server.asked(FILES)


def test_a_batch_that_does_not_say_when_it_was_created_is_never_too_young(server: FileServer) -> None:
    """Else looking would pass it over when its time is over, and pay once more."""
    server.batches = [batch(1, created_at=None, metadata=OURS)]
    (progress,) = found(server)
    assert progress.created_at == A_DAY_AGO


def test_a_batch_of_ours_is_found_whatever_the_clock_of_its_server_says(server: FileServer) -> None:
    """A moment without a time zone may be hours off; that others are too old is seen by the same clock."""
    server.files = [file(1)]
    old = "2026-11-22T07:00:00"
    server.batches = [
        batch(1, created_at=old, metadata=OURS),
        batch(2, created_at=old, input_file_id="file-1"),
        batch(3, created_at=old, metadata=OURS | {"conveyor_run": "run-2"}),
        batch(4, created_at=old),
    ]
    assert [each.id for each in found(server, NOW)] == ["batch_1", "batch_2"]


SUCCESS = b'{"custom_id":"n-1","response":{"content":[]},"error":null}\n'
FAILURE = b'{"custom_id":"n-2","response":null,"error":{"code":"batch_expired"}}'


def read(server: FileServer, **about: Any) -> list[tuple[str, Outcome]]:
    """Read the results of a batch."""
    server.content |= {"file-out": SUCCESS, "file-err": FAILURE, "file-empty": b""}
    server.batches = [batch(1, status="completed", **about)]
    with server.api().results("batch_1") as results:
        return [(result.wire_id, result.outcome) for result in results]


ONE, OTHER = ("n-1", Outcome.SUCCEEDED), ("n-2", Outcome.EXPIRED)


@pytest.mark.parametrize(
    ("about", "expected"),
    [
        ({"output_file_id": "file-out", "error_file_id": "file-err"}, [ONE, OTHER]),
        ({"output_file_id": "file-out", "error_file_id": None}, [ONE]),
        ({"output_file_id": "file-out", "error_file_id": "file-empty"}, [ONE]),
        ({"output_file_id": "file-out", "error_file_id": "file-out"}, [ONE]),
        ({"output_file_id": "", "error_file_id": "file-err"}, [OTHER]),
        ({"output_file_id": None, "error_file_id": ""}, []),
    ],
)
def test_results_are_those_of_the_output_file_and_then_of_the_error_file(
    server: FileServer, about: dict[str, Any], expected: list[tuple[str, Outcome]]
) -> None:
    """Either may be null, empty text or a file of no bytes; and one that is told twice is one."""
    assert read(server, **about) == expected


def test_results_may_have_no_files_at_all(server: FileServer) -> None:
    """Nothing was run, or the provider does not say."""
    server.batches = [{"id": "batch_1", "status": "COMPLETED"}]
    with server.api().results("batch_1") as results:
        assert list(results) == []


@pytest.mark.parametrize("status", [302, 404, 500])
@pytest.mark.parametrize("call", [f"{LIST}/batch_1", f"{FILES}/file-out/content", f"{FILES}/file-err/content"])
def test_results_that_are_refused_are_unreadable(server: FileServer, status: int, call: str) -> None:
    """Each file is needed; a redirect is never followed: it would carry the key to another host."""
    server.tells(call, httpx.Response(status, headers={"location": "https://elsewhere.test/?key-0"}))
    with pytest.raises(ResultsUnreadable, match=str(status)) as told:
        read(server, output_file_id="file-out", error_file_id="file-err")
    assert "key" not in str(told.value)
    assert {request.url.host for request in server.seen} == {"provider.test"}


def test_results_are_asked_for_with_a_new_key_where_the_kept_one_is_refused(server: FileServer) -> None:
    """It may have been rotated while the batch ran."""
    server.content["file-out"] = SUCCESS
    server.batches = [batch(1, output_file_id="file-out")]
    server.tells(f"{FILES}/file-out/content", error(401))
    keys = Keys()
    with server.api(keys).results("batch_1") as results:
        assert len(list(results)) == 1
    assert keys.renewed == 1


class Cut(httpx.SyncByteStream):
    """A stream that never ends well, and knows whether it was closed."""

    def __init__(self) -> None:
        """Be open."""
        self.closed = False

    def __iter__(self):  # type: ignore[no-untyped-def]  # noqa: ANN204  # an iterator of bytes
        """Give one line."""
        yield SUCCESS
        raise httpx.RemoteProtocolError("cut with key-0")

    def close(self) -> None:
        """Be closed."""
        self.closed = True


def test_a_cut_stream_of_results_is_unreadable(server: FileServer) -> None:
    """The same exception, wherever the connection broke, without the words of anybody."""
    server.tells(f"{FILES}/file-out/content", httpx.Response(200, stream=Cut()))
    with pytest.raises(ResultsUnreadable, match="RemoteProtocolError") as told:
        read(server, output_file_id="file-out", error_file_id="file-err")
    assert "key" not in str(told.value)


def test_results_that_are_not_read_to_their_end_leave_no_connection_open(server: FileServer) -> None:
    """Who only looks whose a batch is reads a line of it."""
    stream = Cut()
    server.tells(f"{FILES}/file-out/content", httpx.Response(200, stream=stream))
    server.batches = [batch(1, output_file_id="file-out")]
    with server.api().results("batch_1") as results:
        assert next(results).wire_id == "n-1"
    assert stream.closed


def deleted(server: FileServer) -> set[str]:
    """Return the files that the server was told to delete."""
    return {request.url.path.rpartition("/")[2] for request in server.seen if request.method == "DELETE"}


def test_all_files_of_a_batch_are_deleted(server: FileServer) -> None:
    """What went in, from every attempt, and what came out; nothing of anybody else."""
    server.files = [file(3), file(2, name="another.jsonl"), file(1, size=5)]
    server.batches = [batch(1, input_file_id="file-3", output_file_id="file-out", error_file_id="file-err")]
    assert server.api().discard(ORIGIN, ["batch_1"]) is None
    assert deleted(server) == {"file-3", "file-1", "file-out", "file-err"}


def test_the_files_of_a_batch_that_was_never_created_are_deleted(server: FileServer) -> None:
    """They were uploaded all the same."""
    server.files = [file(1)]
    assert server.api().discard(ORIGIN, []) is None
    assert deleted(server) == {"file-1"}


@pytest.mark.parametrize("status", [404, 405])
def test_a_server_that_lists_no_files_is_told_what_its_batches_name(server: FileServer, status: int) -> None:
    """There is no other way to know."""
    server.tells(FILES, error(status))
    server.batches = [batch(1, input_file_id="file-7", output_file_id="file-out")]
    assert server.api().discard(ORIGIN, ["batch_1"]) is None
    assert deleted(server) == {"file-7", "file-out"}


def test_a_list_of_files_that_fails_is_trouble(server: FileServer) -> None:
    """What it would name is still there; what is known is deleted meanwhile."""
    server.tells(FILES, error(503))
    server.batches = [batch(1, input_file_id="file-7")]
    assert server.api().discard(ORIGIN, ["batch_1"]) == Trouble("HTTP 503")
    assert deleted(server) == {"file-7"}


def test_a_file_that_cannot_be_deleted_is_trouble_and_the_others_are_deleted(server: FileServer) -> None:
    """It is told; one that is gone is not."""
    server.files = [file(2), file(1)]
    server.tells("DELETE /v1/files/file-2", error(409))
    server.tells("DELETE /v1/files/file-1", error(404))
    assert server.api().discard(ORIGIN, []) == Trouble("HTTP 409")
    assert deleted(server) == {"file-1", "file-2"}


def test_a_batch_that_cannot_be_asked_about_is_trouble(server: FileServer) -> None:
    """Nobody else knows its files."""
    server.tells(f"{LIST}/batch_1", error(500))
    assert server.api().discard(ORIGIN, ["batch_1"]) == Trouble("HTTP 500")


@pytest.mark.parametrize("status", [404, 405, 429])
def test_files_that_the_provider_was_not_asked_to_delete_are_not_taken_for_deleted(
    server: FileServer, status: int
) -> None:
    """Whatever answer it was that named a moment to come back at."""
    server.files = [file(2), file(1)]
    wait = httpx.Response(status, headers={"retry-after": "50"})
    server.tells("DELETE /v1/files/file-2", wait)
    assert server.api().discard(ORIGIN, []) == Trouble(f"HTTP {status}", TroubleKind.UNASKED)
    assert deleted(server) == {"file-2"}
    server.tells(f"{LIST}/batch_1", wait)
    api = server.api()
    assert isinstance(api.progress("batch_1"), Trouble)
    assert api.discard(ORIGIN, []) == Trouble(f"HTTP {status}", TroubleKind.UNASKED)
