"""What the core's account of a run is to have soon."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from conveyor.answers.lengths import Lengths, add_lengths
from conveyor.domain.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from conveyor.receipt.batch_account import BatchAccount, SplitBatch
    from conveyor.receipt.receipt import Receipt


def complete(receipt: Receipt, batches: Sequence[SplitBatch], legs: Iterable[SplitBatch]) -> Receipt:
    """Add lengths, examples, and counts of batches."""
    lengths: dict[str, Lengths] = {}
    every = [*batches, *legs]
    for each in every:
        add_lengths(lengths, each.part.lengths)
        for name, kind in each.part.errors.items():
            if name in receipt.errors:
                receipt.errors[name].examples = {**receipt.errors[name].examples, **kind.examples}
    for account in receipt.all_batches:
        _count(account, next(each for each in every if each.submitted and each.submitted.id == account.id))
    ended_at = max((each.part.at for each in every), default=receipt.received_at)
    return replace(receipt, lengths=lengths, ended_at=ended_at, planned_batches=len(batches))


def _count(account: BatchAccount, split: SplitBatch) -> None:
    account.results = split.part.outcomes.get(Outcome.SUCCEEDED, 0)
    account.sent_again = split.merged.lines if split.merged else 0
    account.failures = account.requests - account.results - account.sent_again
