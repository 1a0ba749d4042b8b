"""What a run cost is in its receipt to the cent, by model and by kind, in both dialects."""

from decimal import Decimal

import pytest

from tests.support.belt import Belt, request
from tests.support.promises import check, plain

USED = {
    "input_tokens": 1_000,
    "output_tokens": 2_000,
    "cache_creation_input_tokens": 5_000,
    "cache_creation": {"ephemeral_5m_input_tokens": 1_000, "ephemeral_1h_input_tokens": 4_000},
    "cache_read_input_tokens": 10_000,
    "server_tool_use": {"web_search_requests": 3, "web_fetch_requests": 1},
    "inference_geo": "us",
    "iterations": [
        {"type": "message", "input_tokens": 1_000, "output_tokens": 2_000},
        {"type": "compaction", "input_tokens": 3_000, "output_tokens": 500},
        {"type": "advisor_message", "model": "claude-opus-5-5", "input_tokens": 100, "output_tokens": 200},
    ],
}
"""An answer with every kind of token and tool, and two steps that are billed beside it."""


@pytest.mark.parametrize("form", ["messages", "files"])
def test_all_that_an_answer_used_is_priced_to_the_cent(belt: Belt, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    """Writes for one hour, inference in the US, searches, a compaction, and the adviser's own model."""
    monkeypatch.setenv("CONVEYOR_BATCH_API", form)
    belt.provider.configure(usage=USED)
    data = b"".join(request(name, model="claude-sonnet-5-5") + b"\n" for name in "ab")
    run = belt.upload(data)
    receipt = check(belt, run, belt.finish(run), data)
    sonnet = (4_000 * 1 + 2_500 * 5 + 1_000 * Decimal("1.25") + 4_000 * 2 + 10_000 * Decimal("0.05")) * Decimal("1.1")
    adviser = (100 * 2 + 200 * 10) * Decimal("1.1")
    assert Decimal(str(receipt["cost_usd"])) == 2 * ((sonnet + adviser) / 10**6 + 3 * Decimal("0.01"))
    assert receipt["money"]["by_kind"]["web_search"] == 0.06
    assert receipt["tokens"]["claude-sonnet-5-5"]["usage"] == {
        "input_tokens": 8_000,
        "output_tokens": 5_000,
        "cache_creation_input_tokens": 10_000,
        "cache_read_input_tokens": 20_000,
        "cache_creation_1h_input_tokens": 8_000,
        "web_search_requests": 6,
    }
    assert receipt["tokens"]["claude-opus-5-5"]["costs"] == {"input": 0.00044, "output": 0.0044}
    assert receipt["money"]["per_1000_requests_usd"] == pytest.approx(500 * receipt["cost_usd"])


def test_a_model_without_a_price_leaves_the_rest_of_the_run_priced(belt: Belt) -> None:
    """The receipt names it, and the message says "at least"."""
    belt.provider.configure(usage={"input_tokens": 1_000_000, "output_tokens": 0})
    data = request("a", model="claude-opus-5-5") + b"\n" + request("b", model="claude-next") + b"\n"
    run = belt.upload(data)
    notice = belt.finish(run)
    receipt = check(belt, run, notice, data)
    assert (receipt["cost_usd"], receipt["money"]["unpriced"]) == (2, ["claude-next"])
    assert "and cost at least $2.00" in plain(notice["message"])
    assert "no price is known for claude-next" in plain(notice["message"])
