"""Receipts in which every text of somebody else is the same one: of the drop, of its requests, of the provider."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from msgspec.structs import replace

from conveyor.answers.lengths import Lengths
from conveyor.domain.findings import Findings, FirstFault
from conveyor.ledger.failure_counts import LONGEST_WORDS, ErrorKind, Example
from conveyor.ledger.part import Tokens
from conveyor.money.price import Kind
from conveyor.money.usage import Usage
from conveyor.receipt.settings_account import SettingAccount

if TYPE_CHECKING:
    from conveyor.receipt.receipt import Receipt

_TYPES = 5
_ROOM = 150
"""Characters of a text that has a number at its end."""


def filled(receipt: Receipt, text: str, models: int = 2) -> Receipt:
    """Fill a receipt with a text: as ids, models, words of the provider, settings, and the key."""
    each = receipt.failures // _TYPES
    errors = {f"type_{number}": _kind(text, each) for number in range(1, _TYPES)}
    errors["type_0"] = _kind(text, receipt.failures - each * (_TYPES - 1))
    first, *rest = [replace(each, id=text) for each in receipt.batches]
    return replace(
        receipt,
        reason=text,
        words=text,
        betas=[text],
        drop=receipt.drop | {"key": f"inbox/{text}.jsonl"},
        errors=errors,
        batches=[replace(first, duplicates=[text]), *rest],
        settings=[SettingAccount("BatchApi", text), SettingAccount("OnInvalid", text, text)],
        findings=Findings(2, {text: 1}, [FirstFault(3, text, text)]),
        faults=1,
        **_of_models(receipt, text, models),
    )


def _kind(text: str, failures: int) -> ErrorKind:
    words = [f"{letter}{text[:LONGEST_WORDS]}" for letter in "abcdefghij"]
    examples = {each: [Example(line, text, f"{each}{line}") for line in (1, 50_000_000, None)] for each in words}
    return ErrorKind(failures, dict.fromkeys(words, failures // len(words)), examples)


def _of_models(receipt: Receipt, text: str, models: int) -> dict[str, object]:
    names = [f"{text[:_ROOM]}{number}" for number in range(models)]
    each, usd = receipt.results // models, (receipt.cost_usd or Decimal()) / models
    costs = {kind.value: usd / len(Kind) for kind in Kind}
    spread = {32 * at: each // 80 for at in range(64)} | {2 << at: 77 for at in range(10, 17)}
    return {
        "stop_reasons": {name: {"end_turn": each - 9, text: 5, "max_tokens": 4} for name in names},
        "lengths": dict.fromkeys(names, Lengths(spread, {1024: 4}, 300 * each)),
        "tokens": {name: Tokens(Usage(1, 1), usd, dict(costs)) for name in names},
    }


def of_faults(receipt: Receipt, faults: list[FirstFault]) -> Receipt:
    """Give a refused run other faults."""
    lines = {fault.line for fault in faults}
    return replace(receipt, findings=Findings(len(lines), {fault.code: 1 for fault in faults}, faults))
