"""What a provider or a key may hold, and a message may not: line breaks, what is not seen, further links."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from conveyor.ledger.failure_counts import ErrorKind
from conveyor.ledger.part import Tokens
from conveyor.money.forecast import Forecast
from conveyor.money.usage import Usage
from conveyor.receipt.receipt import Receipt
from conveyor.report.message import notice_of
from conveyor.wording.bounds import forecast_words
from tests.support.receipts import EVERY, ended

HOSTILE_MODELS = [
    "m)\n\nhttps://evil.example/\n\nTokens: (", "https://evil.example/", "\x00nul", "\x1b[31m", "\u202egnp", "\u2028",
    "my prompt was: hello", " ", "m" * 61,
]  # fmt: skip


def said(receipt: Receipt) -> str:
    """Return all that a message says, to people and to programs."""
    notice = notice_of(receipt).to_state()
    data: dict[str, Any] = notice["data"]
    return "\n".join([notice["subject"], notice["message"], data["first"], data["second"]])


@pytest.mark.parametrize("model", HOSTILE_MODELS)
@pytest.mark.parametrize("usd", [None, Decimal("1.50")])
def test_a_model_whose_name_is_none_is_not_quoted(model: str, usd: Decimal | None) -> None:
    """An answer names it, so it could be any text. The receipt and the page have it."""
    words = said(ended(3, tokens={model: Tokens(Usage(5, 7), usd)}))
    assert "a model with an unusual name" in words
    assert model.strip()[:10] not in words or not model.strip()
    assert "evil" not in words
    assert all(character.isprintable() or character == "\n" for character in words)


@pytest.mark.parametrize(
    "model", ["claude-haiku-4-5", "meta-llama/Llama-3.1-8B", "anthropic.claude-3:0", "gpt-oss:20b", "a_b@20260101"]
)
def test_a_usual_name_of_a_model_is_named(model: str) -> None:
    """Also those of other servers."""
    assert model in said(ended(3, tokens={model: Tokens(Usage(5, 7), None)}))


@pytest.mark.parametrize("key", ["inbox/a\n\nhttps://evil.example/.txt", "inbox/\u202egnp.txt", "inbox/\x1b[2J.txt"])
def test_a_key_cannot_break_a_line_of_a_message(key: str) -> None:
    """Its drop is named as an address, in which what is not seen is an escape."""
    refused = EVERY["refused by the provider"]
    receipt = replace(refused, drop=refused.drop | {"key": key})
    lines = notice_of(receipt).message.splitlines()
    assert not [line for line in lines if line.startswith("https://evil")]
    (drop,) = [line for line in lines if line.startswith("Drop:")]
    assert drop.isprintable()
    assert "\\" in drop


def test_a_type_that_is_not_known_has_the_code_other() -> None:
    """Only faults of lines have codes of their own; a provider's type may have hyphens, too."""
    receipt = replace(ended(1, {"quota-of-anna": 1}), errors={"quota-of-anna": ErrorKind(1)})
    assert [cause.code for cause in notice_of(receipt).data.causes] == ["other"]


@pytest.mark.parametrize(
    ("usd", "words"),
    [
        ("0.00031", "about $0.0003 (up to $0.01)"),
        ("0.00001", "less than $0.0001 (up to $0.01)"),
    ],
)
def test_a_forecast_below_a_cent_is_not_nothing(usd: str, words: str) -> None:
    """`$0.00` is said only of what is free."""
    assert forecast_words(Forecast(Decimal(usd), Decimal("0.0001"), Decimal("0.0007"), {})) == words
