"""An id of a batch becomes part of URLs, keys and commands: the provider does not decide what these are."""

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conveyor.domain.dialect import is_batch_id
from conveyor.provider.protocol import BatchApi, Created, ResultsUnreadable, Trouble, Unknown
from tests.support.examples import new_batch
from tests.support.files_server import BATCHES, CREATED, FileServer, file
from tests.support.files_server import batch as file_batch
from tests.unit.provider.messages import test_api as messages

UNSAFE = ["a\nb", "a\x7fb", "a/b", "../a", "..", "a?b", "a#b", "a b", "a%2fb", "é", "", "a" * 501]
SINCE = messages.CREATED
DIALECTS = ["messages", "files"]


def api_with(dialect: str, *ids: str) -> BatchApi:
    """Return an API that creates the first of these batches, and lists all of them."""
    if dialect == "files":
        server = FileServer()
        server.files.append(file(1))
        listed = [file_batch(id=each, created_at=CREATED + 86_400 * 365) for each in ids]
        server.tells(f"POST {BATCHES}", httpx.Response(200, json=listed[0]))
        server.tells(f"GET {BATCHES}", httpx.Response(200, json={"data": listed, "has_more": False}))
        return server.api()
    objects = [messages.batch() | {"id": each} for each in ids]

    def answer(request: httpx.Request) -> httpx.Response:
        request.read()
        return httpx.Response(
            200, json=objects[0] if request.method == "POST" else {"data": objects, "has_more": False}
        )

    return messages.api(answer)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("unsafe", UNSAFE)
def test_a_batch_that_was_created_with_an_unsafe_id_is_unknown(dialect: str, unsafe: str) -> None:
    """It may be paid for, and nothing can be asked about it."""
    created = api_with(dialect, unsafe).create(new_batch(b'{"requests":[', b'{"a":1}', b"]}"), 60)
    assert isinstance(created, Unknown)
    assert unsafe == "" or unsafe not in created.reason


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("unsafe", UNSAFE)
def test_a_listed_batch_with_an_unsafe_id_is_not_ours(dialect: str, unsafe: str) -> None:
    """The others of the list count."""
    found = api_with(dialect, "batch_1", unsafe, "batch_2").find(SINCE)
    assert not isinstance(found, Trouble)
    assert {each.id for each in found} == {"batch_1", "batch_2"}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    "known", ["msgbatch_01HkcTjaV5uDC8jWR4ZsDV8d", "batch_abc123", "5b1e0a34-0c1f-4d5e-8a55-2d52b5f2a0c1"]
)
def test_the_ids_of_known_providers_are_safe(dialect: str, known: str) -> None:
    """Anthropic's, OpenAI's, and UUIDs, such as Mistral's."""
    created = api_with(dialect, known).create(new_batch(b'{"requests":[', b'{"a":1}', b"]}"), 60)
    assert isinstance(created, Created)
    assert created.id == known


@given(text=st.text())
def test_a_safe_id_is_one_word_and_one_part_of_a_path(text: str) -> None:
    """Whatever it is, it changes neither a URL nor a command."""
    if is_batch_id(text):
        assert httpx.URL(f"https://provider.test/v1/batches/{text}/cancel").path == f"/v1/batches/{text}/cancel"
        assert text.split() == [text]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_address_that_is_none_is_trouble(dialect: str) -> None:
    """Ids of files come from the provider, too, and those of batches from an earlier release."""
    api = api_with(dialect, "batch_1")
    assert isinstance(api.progress("a\nb"), Trouble)
    with pytest.raises(ResultsUnreadable), api.results("a\nb"):
        pass


@pytest.mark.parametrize("unsafe", ["a\nb", "a\x00b"])
def test_results_in_a_file_with_an_unsafe_id_cannot_be_read(unsafe: str) -> None:
    """The run waits, as for any results that cannot be read yet."""
    server = FileServer()
    server.batches.append(file_batch(status="completed", output_file_id=unsafe))
    with pytest.raises(ResultsUnreadable), server.api().results("batch_1") as results:
        list(results)
