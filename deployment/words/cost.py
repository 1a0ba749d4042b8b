"""What a stack costs in a month in which nothing runs: the only table of AWS's prices for this."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections import Counter

DATE = "November 2026"
REGION = "us-east-1"
_ONE_SECRET = "AWS::SecretsManager::Secret"  # noqa: S105 - a type of resource


class Price(NamedTuple):
    """The price of one resource for a month, whatever is done with it."""

    name: str
    usd: Decimal
    free: int
    """So many of an account cost nothing."""
    source: str


PRICES = {
    "AWS::KMS::Key": Price("KMS key", Decimal("1.00"), 0, "https://aws.amazon.com/kms/pricing/"),
    "AWS::CloudWatch::Alarm": Price("alarm", Decimal("0.10"), 10, "https://aws.amazon.com/cloudwatch/pricing/"),
    "AWS::CloudWatch::Dashboard": Price("dashboard", Decimal("3.00"), 3, "https://aws.amazon.com/cloudwatch/pricing/"),
    _ONE_SECRET: Price("secret", Decimal("0.40"), 0, "https://aws.amazon.com/secrets-manager/pricing/"),
}
"""By type of resource. All others of the template cost nothing while nothing runs, but for what is stored."""
STORED = "What is stored costs $0.023 per GB in S3 and $0.03 per GB in logs."


class Cost(NamedTuple):
    """What the resources of a stack cost in a month."""

    usd: Decimal
    lines: list[str]


def monthly(resources: Counter[str], *, has_secret: bool) -> Cost:
    """Add up a stack's resources, counted by type. `has_secret`: the provider's key is in a secret of the account."""
    counted = {**resources, _ONE_SECRET: int(has_secret)}
    priced = [(price, counted[kind]) for kind, price in PRICES.items() if counted.get(kind)]
    total = sum((price.usd * count for price, count in priced), Decimal(0))
    return Cost(total, [_line(price, count) for price, count in priced])


def describe(cost: Cost) -> list[str]:
    """Return the lines that say what an idle stack costs."""
    return [
        f"While nothing runs the stack costs at most ${cost.usd:.2f} a month (prices of {REGION}, {DATE}):",
        *cost.lines,
        STORED,
    ]


def _line(price: Price, count: int) -> str:
    name = price.name if count == 1 else f"{price.name}s at ${price.usd:.2f}"
    free = f"  (the first {price.free} of an account are free)" if price.free else ""
    return f"${price.usd * count:.2f}  {count} {name}{free}"
