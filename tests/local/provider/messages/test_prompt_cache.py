"""The cache of prompts: the first request with a prefix writes it, and later ones read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.provider_clients.messages import MessagesClient, request

if TYPE_CHECKING:
    from local.provider.control import Control

FIVE_MINUTES: dict[str, str] = {"type": "ephemeral"}
HOUR = {"type": "ephemeral", "ttl": "1h"}
LONG = "Answer briefly. " * 100


def system(mark: dict[str, str] | None, text: str = LONG) -> list[dict[str, Any]]:
    """Return a system prompt that is cached if there is a mark."""
    return [{"type": "text", "text": text} | ({"cache_control": mark} if mark else {})]


def usages(client: MessagesClient, lines: list[dict[str, Any]]) -> list[tuple[int, int, int]]:
    """Return what each request wrote for five minutes, wrote for an hour, and read."""
    results = client.results_by_id(client.run_batch(lines))
    found = []
    for line in lines:
        usage = results[line["custom_id"]]["message"]["usage"]
        written = usage["cache_creation"]
        kinds = (written["ephemeral_5m_input_tokens"], written["ephemeral_1h_input_tokens"])
        assert sum(kinds) == usage["cache_creation_input_tokens"]
        found.append((*kinds, usage["cache_read_input_tokens"]))
    return found


def test_the_first_line_writes_and_the_others_read(client: MessagesClient) -> None:
    """All tokens of the prompt are in one of the three counts, whichever line it is."""
    lines = [request(f"r-{number}", system=system(FIVE_MINUTES)) for number in range(3)]
    tokens = usages(client, lines)[0][0]
    assert tokens > 400
    provider_usages = usages(client, lines)
    assert provider_usages == [(0, 0, tokens)] * 3
    plain = client.run_one(system=system(None))["message"]["usage"]
    cached = client.run_one(system=system(FIVE_MINUTES))["message"]["usage"]
    assert cached["input_tokens"] + cached["cache_read_input_tokens"] > plain["input_tokens"]
    assert cached["input_tokens"] < 100


def test_a_prefix_is_kept_for_an_hour_if_it_says_so(client: MessagesClient, provider: Control) -> None:
    """By the provider's clock, also from one batch to the next; each use starts the time again."""
    provider.configure(now=1_800_000_000.0, seconds=0)
    lines = [
        request("short", system=system(FIVE_MINUTES, LONG + "a")),
        request("long", system=system(HOUR, LONG + "b")),
    ]
    (short, _, _), (_, long, _) = usages(client, lines)
    assert (short > 0, long > 0) == (True, True)
    expected = {
        299: [(0, 0, short), (0, 0, long)],
        598: [(0, 0, short), (0, 0, long)],
        899: [(short, 0, 0), (0, 0, long)],
    }
    for ahead, found in expected.items():
        provider.configure(ahead_seconds=ahead)
        assert usages(client, lines) == found
    provider.configure(ahead_seconds=899 + 3_601)
    assert usages(client, lines) == [(short, 0, 0), (0, long, 0)]


def test_a_longer_prefix_reads_the_shorter_one_and_writes_the_rest(client: MessagesClient) -> None:
    """Tools come first, then the system prompt, then the messages."""
    tools = [{"name": "save", "description": LONG, "input_schema": {}, "cache_control": HOUR}]
    question = [{"type": "text", "text": LONG, "cache_control": FIVE_MINUTES}]
    lines = [
        request("tools", tools=tools),
        request("all", tools=tools, messages=[{"role": "user", "content": question}]),
        request("again", tools=tools, messages=[{"role": "user", "content": question}]),
    ]
    (_, first, _), (more, nothing, read), again = usages(client, lines)
    assert (first > 0, more > 0, nothing, read) == (True, True, 0, first)
    assert again == (0, 0, first + more)


def test_a_mark_at_the_top_caches_the_whole_prompt(client: MessagesClient) -> None:
    """So a prompt that differs anywhere writes again, and so does another model."""
    lines = [
        request("one", cache_control=FIVE_MINUTES, messages=[{"role": "user", "content": LONG}]),
        request("same", cache_control=FIVE_MINUTES, messages=[{"role": "user", "content": LONG}]),
        request("other", cache_control=FIVE_MINUTES, messages=[{"role": "user", "content": LONG + "!"}]),
        request(
            "model", model="claude-haiku-4-5", cache_control=FIVE_MINUTES, messages=[{"role": "user", "content": LONG}]
        ),
    ]
    (one, _, _), same, other, model = usages(client, lines)
    assert one > 0
    assert (same, other[2], model) == ((0, 0, one), 0, (one, 0, 0))


def test_a_request_that_fails_caches_nothing(client: MessagesClient) -> None:
    """The next one writes."""
    lines = [
        request("bad", system=system(FIVE_MINUTES), temperature=0),
        request("good", system=system(FIVE_MINUTES)),
    ]
    results = client.results_by_id(client.run_batch(lines))
    assert results["bad"]["type"] == "errored"
    assert results["good"]["message"]["usage"]["cache_creation_input_tokens"] > 0
