"""The files dialect on the wire: upload a file, then create a batch of it with one request."""

from collections.abc import Callable
from datetime import timedelta

import httpx
import msgspec
import pytest

from conveyor.domain.refusal import RefusalKind
from conveyor.provider.protocol import Created, Refused, Unknown
from tests.support.examples import NOW, ORIGIN, new_batch
from tests.support.files_server import (
    BATCHES,
    FILES,
    LINES,
    NAME,
    URL,
    FileServer,
    Reply,
    batch,
    body,
    error,
    file,
    form,
    listed,
)

CREATE, UPLOAD, LIST = f"POST {BATCHES}", f"POST {FILES}", f"GET {FILES}"
SENT = new_batch(LINES[:10], LINES[10:])
METADATA = {"conveyor_run": ORIGIN.run, "conveyor_batch": "1", "conveyor_requests": "3"}


@pytest.fixture
def server() -> FileServer:
    """Return an empty server."""
    return FileServer()


def test_the_lines_are_uploaded_as_a_form_of_the_announced_length(server: FileServer) -> None:
    """The file is named after run and batch, so it is found if the response is lost; nothing is sent chunked."""
    server.api().create(SENT, 60)
    (upload,) = server.asked(UPLOAD)
    parts = form(upload)
    assert upload.url == f"{URL}/v1/files"
    assert upload.headers["content-length"] == str(len(upload.content))
    assert "transfer-encoding" not in upload.headers
    assert upload.headers["authorization"] == "Bearer key-0"
    assert {name: body(part) for name, part in parts.items()} == {"purpose": b"batch", "file": LINES}
    assert (parts["file"].get_filename(), parts["file"].get_content_type()) == (NAME, "application/jsonl")


def test_one_request_creates_a_batch_of_the_file_with_our_metadata(server: FileServer) -> None:
    """The metadata proves which batch is ours; all values are strings, as every server requires."""
    created = server.api(completion_window="7d", batch_endpoint="/v1/chat/completions").create(SENT, 60)
    assert created == Created("batch_1", NOW, NOW + timedelta(days=1))
    (request,) = server.asked(CREATE)
    assert request.headers["content-type"] == "application/json"
    assert msgspec.json.decode(request.content) == {
        "input_file_id": "file-1",
        "endpoint": "/v1/chat/completions",
        "completion_window": "7d",
        "metadata": METADATA,
    }


@pytest.mark.parametrize("url", [URL, f"{URL}/", f"{URL}/v1", f"{URL}/v1/"])
def test_an_address_may_end_in_v1(server: FileServer, url: str) -> None:
    """The SDKs of this dialect require it."""
    assert isinstance(server.api(url=url).create(SENT, 60), Created)
    assert {request.url.path for request in server.seen} == {"/v1/files", BATCHES}


def test_an_address_may_have_a_path_of_its_own(server: FileServer) -> None:
    """Groq's does, for example."""
    server.tells("GET /openai/v1/files", listed([file(9)]))
    server.tells("POST /openai/v1/batches", httpx.Response(200, json=batch()))
    assert isinstance(server.api(url=f"{URL}/openai/v1").create(SENT, 60), Created)


@pytest.mark.parametrize(
    "refusal",
    [
        error(400, "Unknown parameter: 'metadata'.", param="metadata"),
        error(422, "Metadata is not supported"),
        httpx.Response(422, json={"detail": [{"loc": ["body", "metadata"], "msg": "Extra inputs are not permitted"}]}),
        error(400, "…", param="metadata.conveyor_run"),
    ],
)
def test_a_refusal_of_metadata_is_retried_once_without_it(server: FileServer, refusal: httpx.Response) -> None:
    """A refusal proves that no batch was created; the file still shows whose the batch is."""
    server.tells(CREATE, refusal)
    assert isinstance(server.api().create(SENT, 60), Created)
    first, second = (msgspec.json.decode(request.content) for request in server.asked(CREATE))
    assert first == second | {"metadata": METADATA}
    assert len(server.asked(UPLOAD)) == 1


def test_there_is_no_third_request(server: FileServer) -> None:
    """The second response is final."""
    server.tells(CREATE, error(400, "no metadata"), error(400, "no metadata"))
    refused = server.api().create(SENT, 60)
    assert isinstance(refused, Refused)
    assert (refused.kind, len(server.asked(CREATE))) == (RefusalKind.DEFECT, 2)


@pytest.mark.parametrize("status", [404, 409, 500])
def test_an_error_about_metadata_proves_nothing_by_itself(server: FileServer, status: int) -> None:
    """Only a status that is a definite refusal does."""
    server.tells(CREATE, error(status, "metadata"))
    assert isinstance(server.api().create(SENT, 60), Unknown)
    assert len(server.asked(CREATE)) == 1


def stored(*, then: Reply) -> Callable[[FileServer], Reply]:
    """Return a reply that stores the upload, but returns or raises `then`."""

    def reply(server: FileServer) -> Reply:
        def answer(request: httpx.Request) -> httpx.Response:
            server.keep(request)
            if isinstance(then, type):
                raise then("lost")
            assert isinstance(then, httpx.Response)
            return then

        return answer

    return reply


@pytest.mark.parametrize("answer", [httpx.ReadTimeout, httpx.RemoteProtocolError, error(500), error(503), error(409)])
def test_an_upload_whose_response_was_lost_is_found_and_used(server: FileServer, answer: Reply) -> None:
    """It is matched by name and size, and not uploaded again."""
    server.tells(UPLOAD, stored(then=answer)(server))
    assert isinstance(server.api().create(SENT, 60), Created)
    assert (len(server.asked(UPLOAD)), len(server.asked(LIST))) == (1, 2)


@pytest.mark.parametrize(
    "other",
    [
        file(9, size=len(LINES) - 1),
        file(9, name="conveyor-run-1-11.jsonl"),
        file(9, name="conveyor-run-11-1.jsonl"),
        file(9, bytes=None),
        file(9, filename=None),
        file(9, status="error"),
        file(9, status="deleted"),
    ],
)
def test_a_file_that_may_hold_something_else_is_not_used(server: FileServer, other: dict[str, object]) -> None:
    """Half a file would make half a batch."""
    server.files.append(other)
    assert isinstance(server.api().create(SENT, 60), Created)
    assert msgspec.json.decode(server.asked(CREATE)[0].content)["input_file_id"] == "file-2"


def test_a_second_attempt_uses_the_file_of_the_first(server: FileServer) -> None:
    """Bodies are large, and the first request may have been refused only because the queue was full."""
    server.tells(CREATE, error(429, "slow down"))
    assert isinstance(server.api().create(SENT, 60), Refused)
    assert isinstance(server.api().create(SENT, 60), Created)
    assert len(server.asked(UPLOAD)) == 1
    first, second = (msgspec.json.decode(request.content) for request in server.asked(CREATE))
    assert first == second


def test_files_are_looked_for_page_by_page(server: FileServer) -> None:
    """Other programs store files there, too."""
    others = [file(number, name="another.jsonl") for number in (5, 4)]
    server.tells(LIST, listed(others, more=True), listed([file(3)]))
    assert isinstance(server.api().create(SENT, 60), Created)
    assert [request.url.params.get("after") for request in server.asked(LIST)] == [None, "file-4"]
    assert not server.asked(UPLOAD)


def test_files_from_before_the_drop_are_not_looked_at(server: FileServer) -> None:
    """A server may hold thousands."""
    old = [file(number, name="another.jsonl", created_at=NOW.timestamp() - 10_000 + number) for number in (5, 4)]
    server.tells(LIST, listed(old, more=True), listed([file(3)]))
    assert isinstance(server.api().create(SENT, 60), Created)
    assert len(server.asked(LIST)) == 1


@pytest.mark.parametrize(
    "reply", [error(404), error(405), error(500), httpx.ReadTimeout, httpx.Response(200, text="?")]
)
def test_a_server_that_lists_no_files_still_takes_them(server: FileServer, reply: Reply) -> None:
    """A lost response then costs another upload, which is free."""
    server.tells(LIST, reply, reply)
    assert isinstance(server.api().create(SENT, 60), Created)


def test_a_list_of_files_that_repeats_its_pages_delays_nothing(server: FileServer) -> None:
    """Some servers ignore `after`."""
    pages = [listed([file(number, name="another.jsonl")], more=True) for number in (2, 1, 2, 1)]
    server.tells(LIST, *pages)
    assert isinstance(server.api().create(SENT, 60), Created)


@pytest.mark.parametrize("size", [len(LINES) - 1, len(LINES) + 1, 1])
def test_a_truncated_upload_is_sent_again_and_no_batch_is_created(server: FileServer, size: int) -> None:
    """A batch of it would be paid for, and some lines would be missing."""
    server.tells(UPLOAD, httpx.Response(200, json=file(1, size=size)))
    refused = server.api().create(SENT, 60)
    assert isinstance(refused, Refused)
    assert (refused.kind, refused.type) == (RefusalKind.RESEND, "upload_cut")
    assert not server.asked(CREATE)


@pytest.mark.parametrize("size", [None, str(len(LINES))])
def test_a_size_may_be_left_out_or_be_text(server: FileServer, size: str | None) -> None:
    """Not every server returns an integer."""
    server.tells(UPLOAD, httpx.Response(200, json=file(1) | {"bytes": size}))
    assert isinstance(server.api().create(SENT, 60), Created)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (error(400, "Invalid file format for Batch API. Must be .jsonl"), RefusalKind.DEFECT),
        (error(401), RefusalKind.STOP),
        (error(402), RefusalKind.STOP),
        (error(403), RefusalKind.STOP),
        (error(404), RefusalKind.DEFECT),
        (error(405), RefusalKind.DEFECT),
        (httpx.Response(413, text="<html>"), RefusalKind.DEFECT),
        (error(415), RefusalKind.DEFECT),
        (error(422), RefusalKind.DEFECT),
        (error(429, "slow down"), RefusalKind.LATER),
        (error(429, "quota", "insufficient_quota"), RefusalKind.STOP),
        (error(500), RefusalKind.LATER),
        (httpx.Response(302, headers={"location": "https://elsewhere.test"}), RefusalKind.LATER),
        (httpx.Response(200, text="OK"), RefusalKind.LATER),
        (httpx.ReadTimeout, RefusalKind.LATER),
        (httpx.WriteError, RefusalKind.LATER),
        (httpx.ConnectError, RefusalKind.LATER),
    ],
)
def test_an_upload_that_fails_is_never_unknown(server: FileServer, answer: Reply, kind: RefusalKind) -> None:
    """No batch was requested, so nothing was paid: the upload is repeated, or a message reports it at once."""
    server.tells(UPLOAD, answer)
    refused = server.api().create(SENT, 60)
    assert isinstance(refused, Refused)
    assert refused.kind is kind
    assert not server.asked(CREATE)
