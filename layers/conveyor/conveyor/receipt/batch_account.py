"""What was sent to the provider, in the receipt: the batches of a drop, those of its probe, and those of rounds."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

import msgspec

from conveyor.domain import keys
from conveyor.domain.outcome import MAY_BE_BILLED, Outcome
from conveyor.domain.output_file import OutputFile
from conveyor.domain.plan import Batch, Probe
from conveyor.domain.schedule import BatchName
from conveyor.ledger.batch_facts import Discarded, Stuck, Submitted
from conveyor.ledger.failure_counts import NO_TEXTS, Texts
from conveyor.ledger.gate_facts import Gate, Reason
from conveyor.ledger.part import Part, Tokens
from conveyor.ledger.round_facts import Merged, Round
from conveyor.money.cost import rounded
from conveyor.receipt.money import add_tokens, cost_of
from conveyor.wording.text import counted, paid


class SplitBatch(NamedTuple):
    """A batch that has been split, and its facts."""

    batch: Batch
    submitted: Submitted | None
    """None for a batch that was never sent."""
    part: Part
    duplicates: set[str]
    stuck: Stuck | None = None
    """Why it was given up without its results."""
    discarded: Discarded | None = None
    merged: Merged | None = None
    """What rounds have changed of it."""
    texts: Texts = NO_TEXTS
    """Texts and examples of its failures."""
    texts_left: Texts = NO_TEXTS
    """The same of those that a round was to send again, by the outcomes that rounds have left."""

    @property
    def files(self) -> list[OutputFile]:
        """The parts of the user's files, as rounds have left them."""
        return self.merged.files if self.merged else self.part.files


class SplitRound(NamedTuple):
    """A round, and its batches that have been split: those that were never sent have no part."""

    number: int
    round: Round
    batches: list[SplitBatch]


class BatchAccount(msgspec.Struct):
    """One batch at the provider."""

    number: int
    id: str
    requests: int
    adopted: bool
    created_at: datetime
    ended_at: datetime | None
    split_at: datetime
    foreign: int
    repeated: int
    duplicates: list[str]
    """Other batches at the provider with the same requests; they may have been billed."""
    files_deleted: bool
    """Whether its files at the provider were deleted, as the parameter DeleteFiles asks for."""
    results: int = 0
    """Its requests that were answered."""
    failures: int = 0
    """Its requests that failed, and were not sent again in a round."""
    sent_again: int = 0
    """Its requests that failed for a reason that passes, and were sent again in a round."""


class ProbeAccount(msgspec.Struct):
    """The lines of a drop that were answered before the rest was sent."""

    requests: int
    outcomes: dict[str, int]
    """Of its requests, as far as their results were written."""
    cost_usd: Decimal | None
    """What these results cost: a part of the receipt's `cost_usd`. Null if nothing is known of that.

    Results that could not be had (`missing`, `stuck`) may have been billed, too.
    """
    at_most_usd: Decimal | None
    """What it could cost at most; null if there was no bound."""
    batches: list[BatchAccount]
    """At the provider. They are not among the receipt's `batches`."""
    answered_at: datetime | None
    """When the results of its last batch were written; null if some were not."""
    reasons: list[Reason] = []
    """Why the gate after it was closed; empty if it opened by itself."""


class RoundAccount(msgspec.Struct):
    """Requests that had failed for a reason that passes, and were sent again."""

    number: int
    requests: int
    outcomes: dict[str, int]
    """Of these requests: a success stands in the results, and counts as if nothing had failed."""
    cost_usd: Decimal | None
    """What these results cost: a part of the receipt's `cost_usd`. Null if no price is known."""
    batches: list[BatchAccount]
    """At the provider. They are not among the receipt's `batches`."""
    began_at: datetime
    """When it could be sent at the earliest."""
    ended_at: datetime
    """When the results of its last batch were written."""


def sent_again_of(batches: Iterable[SplitBatch]) -> Counter[str]:
    """Return how many requests of each batch rounds have sent again, by its `BatchName`. `batches`: of the drop."""
    total = Counter[str]()
    for split in batches:
        total.update(split.merged.sent_again if split.merged else {})
    return total


def accounts_of_batches(leg: str, batches: Iterable[SplitBatch], again: Mapping[str, int]) -> list[BatchAccount]:
    """Return the accounts of the batches of a leg that were sent. `again`: see `sent_again_of`."""
    names = ((split, str(BatchName(leg, split.batch.number).to_event())) for split in batches)
    return [_account(split, split.submitted, again.get(name, 0)) for split, name in names if split.submitted]


def _account(split: SplitBatch, submitted: Submitted, again: int) -> BatchAccount:
    batch, part, discarded = split.batch, split.part, split.discarded
    is_deleted = discarded is not None and discarded.left is None
    results = part.outcomes.get(Outcome.SUCCEEDED, 0)
    unsent = part.outcomes.get(Outcome.INVALID, 0)
    failures = sum(part.outcomes.values()) - results - unsent - again
    return BatchAccount(
        batch.number, submitted.id, batch.requests, submitted.adopted, submitted.created_at, part.ended_at, part.at,
        part.foreign, part.repeated, sorted(split.duplicates), is_deleted, results, failures, again,
    )  # fmt: skip


def account_of_probe(probe: Probe, batches: Sequence[SplitBatch], again: Mapping[str, int]) -> ProbeAccount:
    """Return the account of a probe. `batches`: those that are split. `again`: see `sent_again_of`."""
    return ProbeAccount(
        probe.requests,
        _outcomes(batches),
        _cost(batches),
        probe.at_most_usd,
        accounts_of_batches(keys.PROBE, batches, again),
        max((split.part.at for split in batches), default=None) if len(batches) == len(probe.batches) else None,
    )


def account_of_round(split: SplitRound, again: Mapping[str, int]) -> RoundAccount:
    """Return the account of a round of which a batch was split. `again`: see `sent_again_of`."""
    return RoundAccount(
        split.number,
        sum(each.batch.requests for each in split.batches),
        _outcomes(split.batches),
        _cost(split.batches),
        accounts_of_batches(keys.round_leg(split.number), split.batches, again),
        split.round.not_before,
        max(each.part.at for each in split.batches),
    )


def _outcomes(batches: Iterable[SplitBatch]) -> dict[str, int]:
    """Return the outcomes of batches, without those that did not occur."""
    outcomes = Counter[str]()
    for split in batches:
        outcomes.update(split.part.outcomes)
    return {outcome: count for outcome, count in outcomes.items() if count}


def _cost(batches: Sequence[SplitBatch]) -> Decimal | None:
    tokens: dict[str, Tokens] = {}
    for split in batches:
        add_tokens(tokens, split.part.tokens)
    cost = None if not tokens and _may_cost_more(_outcomes(batches)) else cost_of(tokens)
    return None if cost is None else rounded(cost)


def _may_cost_more(outcomes: Mapping[str, int]) -> bool:
    return any(outcomes.get(outcome) for outcome in MAY_BE_BILLED)


def reasons_after_probe(gates: Iterable[Gate]) -> list[Reason]:
    """Return why the gate after the probe was closed: by its answers, or else since it had none.

    `gates`: of the run, in their order.
    """
    after = [gate for gate in gates if gate.after_probe]
    answered = [gate for gate in after if not gate.unanswered]
    return next((list(gate.reasons) for gate in answered or after), [])


def probe_rows(account: ProbeAccount | None) -> list[tuple[str, str]]:
    """Return the row of the final message about the probe; none for a run without one."""
    return [("Probe", _told(account))] if account else []


def round_rows(accounts: Iterable[RoundAccount]) -> list[tuple[str, str]]:
    """Return a row of the final message for each round."""
    return [(f"Round {account.number}", _told(account)) for account in accounts]


def _told(account: ProbeAccount | RoundAccount) -> str:
    """Say how many requests it had, what became of them, and what they cost."""
    counts = [f"{account.outcomes.get(Outcome.SUCCEEDED, 0):,} answered"]
    counts += [f"{count:,} {outcome}" for outcome, count in account.outcomes.items() if outcome != Outcome.SUCCEEDED]
    cost = "cost not known" if account.cost_usd is None else paid(account.cost_usd)
    if account.cost_usd is not None and _may_cost_more(account.outcomes):
        cost = f"at least {cost}"
    return f"{counted(account.requests, 'request')}: {', '.join([*counts, cost])}"
