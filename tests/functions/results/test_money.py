"""What a run can cost at most and what it cost are in its plan, its receipt and its messages."""

from decimal import Decimal

import orjson
import pytest

from conveyor.money import prices
from tests.support.belt import Belt, drop_of, request
from tests.support.promises import agree, check, plain

PRICES = "config/prices.json"
OPUS = "claude-opus-5-5"
DATA = request("a", model=OPUS) + b"\n" + request("b", model=OPUS) + b"\n"


def set_prices(belt: Belt, dollars: float) -> None:
    """Write prices for one model: the same for input and output."""
    row = {"input": dollars, "output": dollars}
    belt.s3.put_object(Bucket=belt.bucket, Key=PRICES, Body=orjson.dumps({"models": {OPUS: row}}))


def test_a_run_says_what_it_can_cost_at_most_and_what_it_cost(belt: Belt) -> None:
    """The first is never less than the second."""
    run = belt.upload(DATA)
    notice = belt.finish(run)
    receipt = check(belt, run, notice, DATA)
    most = receipt["at_most_usd"]
    assert 0 < receipt["cost_usd"] <= most
    estimate = receipt["estimate"]
    assert (estimate["at_most_usd"], estimate["models"][OPUS]["requests"]) == (most, 2)
    assert estimate["input_tokens"] == sum(map(len, DATA.splitlines()))
    assert estimate["output_tokens"] == 2 * 64
    assert "At most:       $0.01" in notice["message"]


def test_a_run_without_a_bound_says_why(belt: Belt) -> None:
    """The run goes on as ever."""
    source = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}
    data = DATA + request("c", model=OPUS, messages=[{"role": "user", "content": [source]}]) + b"\n"
    run = belt.upload(data)
    notice = belt.finish(run)
    receipt = check(belt, run, notice, data)
    assert (receipt["at_most_usd"], receipt["estimate"]["no_bound"]) == (None, {"url": 1})
    assert "At most: no bound (1 request with URLs)" in plain(notice["message"])


def test_a14_prices_that_change_in_mid_run_change_neither_its_cost_nor_its_receipt(
    belt: Belt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A14: the plan has the prices, and a report that runs again says the same sum."""
    set_prices(belt, 1000)
    run = belt.upload(DATA)
    planned = orjson.loads(belt.read(f"runs/{run}/plan.jsonl").splitlines()[0])["prices"]["models"]
    assert (planned.keys(), planned[OPUS]["input"], planned[OPUS]["cache_read"]) == ({OPUS}, 1000, 0.1)
    set_prices(belt, 1)
    monkeypatch.setattr(prices, "ROWS", {})
    belt.finish(run)
    receipt = agree(belt, run)
    used = receipt["tokens"][OPUS]["usage"]
    assert receipt["cost_usd"] == pytest.approx((used["input_tokens"] + used["output_tokens"]) / 1000)
    belt.report(run)
    assert belt.receipt(run) == receipt


def test_a17_a_model_without_a_price_holds_no_run(belt: Belt) -> None:
    """A17: by default nothing is held for money, and such a drop runs as before."""
    data = drop_of(2).replace(b'"model":"', b'"model":"next-')
    run = belt.upload(data)
    receipt = check(belt, run, belt.finish(run), data)
    assert (receipt["at_most_usd"], receipt["estimate"]["no_bound"]) == (None, {"price": 2})
    assert receipt["gates"] == []


@pytest.mark.usefixtures("seldom")
def test_a_message_about_trouble_names_what_the_run_can_cost_at_most(belt: Belt) -> None:
    """The person who reads it knows what is at stake."""
    belt.provider.configure(seconds=None)
    belt.finish(belt.upload(DATA))
    (notice,) = (notice for notice in belt.notices if notice["status"] == "at-risk")
    assert "At most:       $0.01" in notice["message"]


def test_the_ledger_of_an_earlier_version_is_read_without_an_estimate(belt: Belt) -> None:
    """Its run goes on, and its receipt has the cost only."""
    run = belt.upload(DATA)
    key = f"runs/{run}/plan.jsonl"
    first, *rest = belt.read(key).splitlines(keepends=True)
    old = {name: value for name, value in orjson.loads(first).items() if name not in {"prices", "estimate"}}
    belt.s3.put_object(Bucket=belt.bucket, Key=key, Body=orjson.dumps(old) + b"\n" + b"".join(rest))
    notice = belt.finish(run)
    receipt = check(belt, run, notice, DATA)
    assert (receipt["at_most_usd"], receipt["estimate"]) == (None, None)
    assert Decimal(str(receipt["cost_usd"])) > 0
    assert "At most" not in notice["message"]
