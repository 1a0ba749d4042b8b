"""Another dialect is one module and one line of registration: nothing else of Conveyor knows which one is in use."""

from collections.abc import Iterator

import httpx
import orjson
import pytest

from conveyor.provider.connector import DIALECTS
from tests.support.belt import Belt, drop_of
from tests.support.promises import check
from tests.support.settings import STACK_SETTINGS


class Server:
    """Answers lines with their own question."""

    def __init__(self) -> None:
        """Hold nothing."""
        self.batches: list[bytes] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Take a batch in, or give one back."""
        if request.method == "POST":
            self.batches.append(request.read())
            return httpx.Response(200, text=f"b-{len(self.batches)}")
        lines = self.batches[int(request.url.path.rpartition("-")[2]) - 1].splitlines()
        asked = [orjson.loads(line) for line in lines]
        answers = [{"custom_id": each["id"], "answer": {"echo": each["ask"]["messages"]}} for each in reversed(asked)]
        return httpx.Response(200, content=b"\n".join(map(orjson.dumps, answers)))


@pytest.fixture
def stack_settings() -> dict[str, str]:
    """Choose the dialect as the template does."""
    return STACK_SETTINGS | {"BATCH_API": "lines"}


@pytest.fixture
def server(belt: Belt, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Register the dialect, and let its server answer all calls to the provider."""
    monkeypatch.setitem(DIALECTS, "lines", "tests.support.lines_dialect")
    server = Server()
    belt.clients.connector.http.close()
    with httpx.Client(transport=httpx.MockTransport(server)) as client:
        belt.clients.connector.http = client
        yield server


def test_a_third_dialect_is_a_module_and_a_line_of_registration(belt: Belt, server: Server) -> None:
    """Planned within its limits, sent in its form, split into the same files."""
    data = drop_of(5)
    run = belt.upload(data)
    receipt = check(belt, run, belt.finish(run), data)
    assert [batch.count(b"\n") + 1 for batch in server.batches] == [2, 2, 1]
    assert [batch["id"] for batch in receipt["batches"]] == ["b-1", "b-2", "b-3"]
    first, *_ = belt.lines("results/", "results.jsonl")
    assert first == {
        "custom_id": "r-1",
        "response": {"echo": [{"role": "user", "content": "About r-1"}]},
        "error": None,
    }


def test_a_dialect_that_there_is_not_is_named(belt: Belt) -> None:
    """The template lets none through; whoever changes the environment by hand is told."""
    with pytest.raises(LookupError, match='unknown BatchApi "lines"; expected one of: messages, files'):
        belt.upload(drop_of(1))
