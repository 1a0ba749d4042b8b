"""Every sample by name: how runs end, and what a page must hold."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING

from msgspec.structs import replace

from conveyor.domain.findings import FirstFault
from conveyor.domain.status import Status
from conveyor.ledger.run_facts import Refusal
from tests.support.page_samples.additions import approved, earlier, forecast
from tests.support.page_samples.foreign import filled, of_faults
from tests.support.page_samples.kinds import (
    CANCELED,
    EMPTY_TEXT,
    EXPIRED,
    HAIKU,
    INTERNAL,
    LOST,
    NO_MODEL,
    OVERLOADED,
    SONNET,
    TEMPERATURE,
    UNBROKEN,
    UNKNOWN,
    UNSENT,
    Model,
)
from tests.support.page_samples.marked import HOSTILE
from tests.support.page_samples.sent import START, Range, run_named, sent
from tests.support.page_samples.unsent import declined, estimated, refused, seen_before, wrong_file

if TYPE_CHECKING:
    from collections.abc import Callable

    from conveyor.receipt.receipt import Receipt

BOTH = (HAIKU, SONNET)
STOPPED = Refusal("w", START, "stopped", "the run was stopped by a person")
NOT_APPROVED = Refusal("w", START, "declined", "nobody approved the run within 72 hours (HoldHours)")
UNPAID = Refusal(
    "w", START, "credit-exhausted", "the account has no credit left, or its billing is not in order (HTTP 402)",
    "Your credit balance is too low to access the API.",
)  # fmt: skip


def _good() -> Receipt:
    run = run_named("tickets-2026-10", 1)
    receipt = sent(run, [Range(15_000), Range(15_000, minutes=55), Range(9_990, minutes=47)], BOTH, probe=10,
                   at_most_usd=Decimal("212.00"))  # fmt: skip
    return forecast(receipt, "61.40", "56.90", "66.10")


def _failures() -> Receipt:
    run = run_named("tickets-2026-11", 2, **{"retry-rounds": "1"})
    first = Range(15_000, {EMPTY_TEXT: 300}, {OVERLOADED: 371, EXPIRED: 17}, {INTERNAL: 17}, 560, minutes=42)
    second = Range(15_000, {EMPTY_TEXT: 3}, {OVERLOADED: 1946}, {OVERLOADED: 109}, 520, minutes=88)
    third = Range(9_990, {EMPTY_TEXT: 109, TEMPERATURE: 38}, {OVERLOADED: 214}, {OVERLOADED: 12}, 124, minutes=31)
    receipt = sent(run, [first, second, third], BOTH, probe=10, at_most_usd=Decimal("212.00"))
    return forecast(receipt, "61.40", "56.90", "66.10")


@cache
def _large() -> Receipt:
    """Return a run of 3,000 batches and 50 million requests, of which some weeks were bad."""
    run = run_named("archive/tickets-2019-to-2026", 5, "archive")
    bad, mixed = {EMPTY_TEXT: 2_311, UNBROKEN: 3}, {TEMPERATURE: 40, INTERNAL: 9}
    ranges = [
        Range(
            16_667 if number % 3 else 16_666, bad if 1_200 <= number < 1_290 else mixed if number % 97 == 0 else {},
            {OVERLOADED: 120} if number % 250 == 0 else {}, {OVERLOADED: 20} if number % 250 == 0 else {},
            cut_off=number % 13, minutes=20 + number * 37 % 190,
        )
        for number in range(3_000)
    ]  # fmt: skip
    return forecast(sent(run, ranges, BOTH, at_most_usd=Decimal(265000)), "74200", "73900.50", "74500")


def _many_models() -> Receipt:
    models = [
        Model(
            f"claude-of-a-rather-long-name-{number:02}-20261101", 1 + number % 3, 900 + number, 300 + 9 * number,
            HAIKU.usd, max_tokens=512 << number % 4,
        )
        for number in range(14)
    ]  # fmt: skip
    run = run_named("evals/" + "a-very-long-name-of-an-evaluation-" * 6 + "2026-11", 6, "research")
    return sent(run, [Range(4_000, {NO_MODEL: 71}, cut_off=300)], models, at_most_usd=Decimal("19.5"))


def _hostile() -> Receipt:
    receipt = sent(
        run_named("hostile", 7), [Range(5_000, {INTERNAL: 900}), Range(2_000)], BOTH, probe=10, refusal=UNPAID
    )
    return filled(receipt, HOSTILE)


def _stuck() -> Receipt:
    run = run_named("tickets-2026-11", 8)
    lost = Range(14_996, {LOST: 14_996}, minutes=1_860, is_stuck=True)
    return sent(run, [Range(15_000, {INTERNAL: 124}), lost, Range(10_004)], BOTH, at_most_usd=Decimal("212.00"))


def _stopped() -> Receipt:
    run = run_named("tickets-2026-11", 9)
    unsent = Range(9_998, {UNSENT: 9_998}, was_sent=False)
    ranges = [Range(15_000, {INTERNAL: 185}), Range(15_002, {CANCELED: 5_699}, minutes=70), unsent]
    return sent(run, ranges, BOTH, at_most_usd=Decimal("212.00"), refusal=STOPPED)


def _declined_half_way() -> Receipt:
    run = run_named("contracts-q4", 10, "legal")
    unsent = Range(39_990, {UNSENT: 39_990}, was_sent=False)
    receipt = sent(run, [unsent], BOTH, probe=10, at_most_usd=Decimal("412.00"), refusal=NOT_APPROVED)
    return approved(forecast(receipt, "164.20", "151.00", "177.90"), how=None)


def _half_way() -> Receipt:
    ranges = [Range(900), Range(700, {UNSENT: 700}, was_sent=False)]
    return sent(run_named("catalog-2026-11", 15, "shop"), ranges, refusal=UNPAID)


def _unbalanced() -> Receipt:
    receipt = sent(run_named("tickets-2026-11", 11), [Range(15_000, {INTERNAL: 3})], BOTH)
    return replace(receipt, requests=15_002, status=Status.UNBALANCED, unaccounted=[17, 14_002])


SAMPLES: dict[str, Callable[[], Receipt]] = {
    "good": lambda: approved(_good()),
    "failures": _failures,
    "nothing": lambda: sent(run_named("eval-models", 3, "research"), [Range(300, {NO_MODEL: 300})], (HAIKU,)),
    "refused": refused,
    "large": _large,
    "one": lambda: sent(run_named("hello", 12), [Range(1)], at_most_usd=Decimal("0.02")),
    "one-failed": lambda: sent(run_named("hello", 13), [Range(1, {OVERLOADED: 1})], at_most_usd=Decimal("0.02")),
    "cut-off": lambda: sent(run_named("summaries", 14), [Range(2_000, cut_off=1_204)], at_most_usd=Decimal(9)),
    "stopped": _stopped,
    "declined": declined,
    "declined-after-sample": _declined_half_way,
    "half-way": _half_way,
    "stuck": _stuck,
    "unbalanced": _unbalanced,
    "estimated": estimated,
    "seen-before": seen_before,
    "wrong-file": wrong_file,
    "unpriced": lambda: sent(run_named("tomorrow", 16), [Range(700, {INTERNAL: 5})], (UNKNOWN, HAIKU)),
    "unpriced-only": lambda: sent(run_named("tomorrow", 17), [Range(700)], (UNKNOWN,)),
    "many-models": _many_models,
    "hostile": _hostile,
    "hostile-large": lambda: filled(_large(), HOSTILE, models=100),
    "hostile-faults": lambda: of_faults(refused(), [FirstFault(line, HOSTILE, HOSTILE) for line in range(1, 11)]),
    "unseen": lambda: filled(_failures(), "\u202e\u200b\x00\ud800" * 60),
    "right-to-left": lambda: filled(_failures(), "إلغاء " * 60),
    "fault-of-all": lambda: of_faults(refused(), [FirstFault(None, "models-alternate", "its models alternate")]),
    "earlier": lambda: earlier(_failures()),
}
"""What makes each receipt, by name."""


@cache
def sample(name: str) -> Receipt:
    """Return the receipt of a name, made when it is first asked for: that of a large run takes a second."""
    return SAMPLES[name]()
