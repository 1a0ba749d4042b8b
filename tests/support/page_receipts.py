"""Receipts for the page of a run: every way to end, hostile texts, and the largest run."""

from datetime import timedelta
from decimal import Decimal

from msgspec.structs import replace

from conveyor.answers.lengths import Lengths
from conveyor.domain.findings import Findings, FirstFault
from conveyor.ledger.failure_counts import LONGEST_WORDS, ErrorKind, Example
from conveyor.ledger.part import Tokens
from conveyor.money.price import Kind
from conveyor.money.usage import Usage
from conveyor.receipt.money import Money
from conveyor.receipt.receipt import Receipt
from conveyor.receipt.settings_account import SettingAccount
from tests.support.examples import NOW
from tests.support.receipts import EVERY, invalid
from tests.support.rich_receipt import batch, rich

MARK = "Zq7"
"""Stands in each hostile text."""
HOSTILE = (
    f"{MARK}\"'><script>alert(1)</script></style><img src=x onerror=alert(1)>\u202e\u200b\x00\ud800&amp;{{{{ 7*7 }}}}"
)
LARGEST = 3000
"""Batches."""


def hostile(text: str = HOSTILE) -> Receipt:
    """Return the receipt of a run in which every text of somebody else is hostile."""
    receipt = rich()
    model, other = text, f"{text}2"
    words = {text[:LONGEST_WORDS] + str(number): 9 for number in range(10)}
    examples = {text: [Example(line, text, f"{text}{line}") for line in (1, 2, None)] for text in words}
    kinds = {f"type_{number}": ErrorKind(90, dict(words), dict(examples)) for number in range(5)}
    probe = receipt.probe
    assert probe is not None
    return replace(
        receipt,
        name="team/articles",
        reason=text,
        words=text,
        project="support",
        drop=receipt.drop | {"key": f"inbox/{text}.jsonl"},
        errors=kinds,
        stop_reasons={model: {text: 5, "end_turn": 9}, other: {"max_tokens": 3}},
        lengths={model: Lengths({32: 5, 512: 9}, {512: 3}, 999), other: Lengths({32: 5}, {}, 99)},
        tokens={each: Tokens(Usage(1, 1), Decimal(1), {"input": Decimal(1)}) for each in (model, other)},
        batches=[replace(each, id=text) for each in receipt.batches],
        settings=[SettingAccount("BatchApi", text), SettingAccount("OnInvalid", text, text)],
        findings=Findings(2, {text: 1}, [FirstFault(3, text, text)]),
        faults=1,
    )


def largest(text: str = "messages.#.content: too long") -> Receipt:
    """Return the receipt of a run of 50,000,000 requests in 3,000 batches, of which each third has failures."""
    each, failed = 50_000_000 // LARGEST, 7
    batches = [
        replace(batch(number, each, failed * (number % 3 == 0), 3 * (number % 5 == 0), *_times(number)), id=text)
        for number in range(1, LARGEST + 1)
    ]
    models = [f"{text[:150]}-{number}" for number in range(100)]
    costs = {kind.value: Decimal(1) for kind in Kind}
    lengths = Lengths({32 * at: 99_999 for at in range(64)} | {2 << at: 77 for at in range(10, 17)}, {1024: 9_999}, 1)
    return replace(
        hostile(text),
        batches=batches,
        planned_batches=LARGEST,
        requests=each * LARGEST,
        results=each * LARGEST - failed * LARGEST // 3,
        failures=failed * LARGEST // 3,
        ended_at=NOW + timedelta(minutes=1300),
        stop_reasons={model: {"end_turn": 400_000, "max_tokens": 99_000} for model in models},
        lengths=dict.fromkeys(models, lengths),
        tokens={model: Tokens(Usage(1, 1), Decimal("2650.00"), dict(costs)) for model in models},
        cost_usd=Decimal("265000.00"),
    )


def _times(number: int) -> tuple[float, float, float]:
    """Return when a batch was sent, had ended, and was written, in minutes."""
    return number / 3, number / 3 + 60 + number % 97, number / 3 + 190


def unpriced() -> Receipt:
    """Return the receipt of a run with a model without a known price."""
    return replace(
        rich(),
        tokens={
            "claude-haiku-4-5": Tokens(Usage(1, 1), Decimal(1), {"input": Decimal(1)}),
            "new": Tokens(Usage(1, 1), None),
        },
        money=Money(["new"]),
        cost_usd=Decimal(1),
        forecast=None,
        forecast_usd=None,
        at_most_usd=None,
    )


FAULTS = [FirstFault(line, "field-refused", f'"params.stream": {HOSTILE}') for line in range(1, 11)]
PAGES = EVERY | {
    "rich": rich(),
    "hostile": hostile(),
    "control characters only": hostile("\u202e\u200b\x00\ud800" * 60),
    "right to left": hostile("إلغاء " * 60),
    "largest": largest(),
    "largest and hostile": largest(HOSTILE),
    "unpriced": unpriced(),
    "hostile faults": invalid(1_880, FAULTS),
    "a fault of the whole drop": invalid(1_880, [FirstFault(None, "models-alternate", "why")]),
}
"""By name."""
