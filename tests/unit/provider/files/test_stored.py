"""Which of the batches that a server of the files dialect has stored are ours."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from conveyor.provider.protocol import Progress, Trouble
from tests.support.examples import NOW, ORIGIN
from tests.support.files_server import BATCHES, CREATED, FileServer, Reply, batch, error, file, listed

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
