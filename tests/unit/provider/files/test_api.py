"""The file dialect on the wire: a file goes up, and one call asks for a batch of it."""

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

ASK, UPLOAD, LIST = f"POST {BATCHES}", f"POST {FILES}", f"GET {FILES}"
SENT = new_batch(LINES[:10], LINES[10:])
METADATA = {"conveyor_run": ORIGIN.run, "conveyor_batch": "1", "conveyor_requests": "3"}


@pytest.fixture
def server() -> FileServer:
    """Give a server that holds nothing."""
    return FileServer()


def test_the_lines_go_up_as_a_form_of_the_announced_length(server: FileServer) -> None:
    """Named after run and batch, so that a lost answer loses nothing; nothing is sent chunked."""
    server.api().create(SENT, 60)
    (upload,) = server.asked(UPLOAD)
    parts = form(upload)
    assert upload.url == f"{URL}/v1/files"
    assert upload.headers["content-length"] == str(len(upload.content))
    assert "transfer-encoding" not in upload.headers
    assert upload.headers["authorization"] == "Bearer key-0"
    assert {name: body(part) for name, part in parts.items()} == {"purpose": b"batch", "file": LINES}
    assert (parts["file"].get_filename(), parts["file"].get_content_type()) == (NAME, "application/jsonl")


def test_one_call_asks_for_a_batch_of_the_file_and_says_whose_it_is(server: FileServer) -> None:
    """The metadata is proof of what is ours; all its values are text, as every server asks."""
    created = server.api(completion_window="7d", batch_endpoint="/v1/chat/completions").create(SENT, 60)
    assert created == Created("batch_1", NOW, NOW + timedelta(days=1))
    (asked,) = server.asked(ASK)
    assert asked.headers["content-type"] == "application/json"
    assert msgspec.json.decode(asked.content) == {
        "input_file_id": "file-1",
        "endpoint": "/v1/chat/completions",
        "completion_window": "7d",
        "metadata": METADATA,
    }


@pytest.mark.parametrize("url", [URL, f"{URL}/", f"{URL}/v1", f"{URL}/v1/"])
def test_an_address_may_end_in_v1(server: FileServer, url: str) -> None:
    """As the SDKs of this dialect want it."""
    assert isinstance(server.api(url=url).create(SENT, 60), Created)
    assert {request.url.path for request in server.seen} == {"/v1/files", BATCHES}


def test_an_address_may_have_a_path_of_its_own(server: FileServer) -> None:
    """Groq's, say."""
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
def test_a_server_that_takes_no_metadata_is_asked_once_more_without(
    server: FileServer, refusal: httpx.Response
) -> None:
    """A refusal proves that nothing was created; the file still tells whose the batch is."""
    server.tells(ASK, refusal)
    assert isinstance(server.api().create(SENT, 60), Created)
    first, second = (msgspec.json.decode(request.content) for request in server.asked(ASK))
    assert first == second | {"metadata": METADATA}
    assert len(server.asked(UPLOAD)) == 1


def test_a_server_is_not_asked_a_third_time(server: FileServer) -> None:
    """Whatever it says then is its answer."""
    server.tells(ASK, error(400, "no metadata"), error(400, "no metadata"))
    refused = server.api().create(SENT, 60)
    assert isinstance(refused, Refused)
    assert (refused.kind, len(server.asked(ASK))) == (RefusalKind.DEFECT, 2)


@pytest.mark.parametrize("status", [404, 409, 500])
def test_words_about_metadata_prove_nothing_by_themselves(server: FileServer, status: int) -> None:
    """Only a status that is a sure refusal does."""
    server.tells(ASK, error(status, "metadata"))
    assert isinstance(server.api().create(SENT, 60), Unknown)
    assert len(server.asked(ASK)) == 1


def kept(*, then: Reply) -> Callable[[FileServer], Reply]:
    """Let a server take an upload and answer something else."""

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
def test_a_file_whose_answer_was_lost_is_found_and_used(server: FileServer, answer: Reply) -> None:
    """By its name and size: lines are not sent twice for nothing."""
    server.tells(UPLOAD, kept(then=answer)(server))
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
    """Half a file would be half a batch."""
    server.files.append(other)
    assert isinstance(server.api().create(SENT, 60), Created)
    assert msgspec.json.decode(server.asked(ASK)[0].content)["input_file_id"] == "file-2"


def test_a_second_attempt_uses_the_file_of_the_first(server: FileServer) -> None:
    """Bodies are large, and the first call may have been refused for want of room only."""
    server.tells(ASK, error(429, "slow down"))
    assert isinstance(server.api().create(SENT, 60), Refused)
    assert isinstance(server.api().create(SENT, 60), Created)
    assert len(server.asked(UPLOAD)) == 1
    first, second = (msgspec.json.decode(request.content) for request in server.asked(ASK))
    assert first == second


def test_files_are_looked_for_page_by_page(server: FileServer) -> None:
    """Other programs keep files there, too."""
    others = [file(number, name="another.jsonl") for number in (5, 4)]
    server.tells(LIST, listed(others, more=True), listed([file(3)]))
    assert isinstance(server.api().create(SENT, 60), Created)
    assert [request.url.params.get("after") for request in server.asked(LIST)] == [None, "file-4"]
    assert not server.asked(UPLOAD)


def test_files_from_before_the_drop_are_not_looked_at(server: FileServer) -> None:
    """A server may keep thousands."""
    old = [file(number, name="another.jsonl", created_at=NOW.timestamp() - 10_000 + number) for number in (5, 4)]
    server.tells(LIST, listed(old, more=True), listed([file(3)]))
    assert isinstance(server.api().create(SENT, 60), Created)
    assert len(server.asked(LIST)) == 1


@pytest.mark.parametrize(
    "reply", [error(404), error(405), error(500), httpx.ReadTimeout, httpx.Response(200, text="?")]
)
def test_a_server_that_lists_no_files_still_takes_them(server: FileServer, reply: Reply) -> None:
    """Then a lost answer costs another upload, which is free."""
    server.tells(LIST, reply, reply)
    assert isinstance(server.api().create(SENT, 60), Created)


def test_a_list_of_files_that_goes_round_holds_up_nothing(server: FileServer) -> None:
    """Some servers do not know `after`."""
    round_ = [listed([file(number, name="another.jsonl")], more=True) for number in (2, 1, 2, 1)]
    server.tells(LIST, *round_)
    assert isinstance(server.api().create(SENT, 60), Created)


@pytest.mark.parametrize("size", [len(LINES) - 1, len(LINES) + 1, 1])
def test_a_file_that_was_cut_on_its_way_is_sent_once_more_and_no_batch_asked_for(server: FileServer, size: int) -> None:
    """A batch of it would be paid for, and lack lines."""
    server.tells(UPLOAD, httpx.Response(200, json=file(1, size=size)))
    refused = server.api().create(SENT, 60)
    assert isinstance(refused, Refused)
    assert (refused.kind, refused.type) == (RefusalKind.RESEND, "upload_cut")
    assert not server.asked(ASK)


@pytest.mark.parametrize("size", [None, str(len(LINES))])
def test_a_size_may_be_left_out_or_be_text(server: FileServer, size: str | None) -> None:
    """Not every server counts."""
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
    """No batch was asked for, and so nothing paid: it is done again, or a person is told at once."""
    server.tells(UPLOAD, answer)
    refused = server.api().create(SENT, 60)
    assert isinstance(refused, Refused)
    assert refused.kind is kind
    assert not server.asked(ASK)
