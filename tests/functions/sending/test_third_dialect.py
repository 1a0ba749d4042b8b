"""Another dialect is one module and one line of registration: no other code of Conveyor depends on it."""

from collections.abc import Iterator

import httpx
import orjson
import pytest

from conveyor.provider.protocol import DIALECTS
from tests.support.belt import Belt, drop_of
from tests.support.promises import check
from tests.support.settings import STACK_SETTINGS


class Server:
    """Answers each line with its request."""

    def __init__(self) -> None:
        """Start empty."""
        self.batches: list[bytes] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Store a batch, or return its results."""
        if request.method == "POST":
            self.batches.append(request.read())
            return httpx.Response(200, text=f"b-{len(self.batches)}")
        lines = self.batches[int(request.url.path.rpartition("-")[2]) - 1].splitlines()
        asked = [orjson.loads(line) for line in lines]
        answers = [
            {"custom_id": entry["id"], "answer": {"echo": entry["ask"]["messages"]}} for entry in reversed(asked)
        ]
        return httpx.Response(200, content=b"\n".join(map(orjson.dumps, answers)))


@pytest.fixture
def stack_settings() -> dict[str, str]:
    """Return settings with this dialect."""
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
    """The drop is planned within its limits, sent in its format, and split into the same files."""
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


def test_an_unknown_dialect_is_named_in_the_error(belt: Belt) -> None:
    """The template does not allow one, but the environment can be changed by hand."""
    with pytest.raises(LookupError, match='unknown BatchApi "lines"; expected one of: messages, files, files-openai'):
        belt.upload(drop_of(1))
