"""The probe of a run in its receipt and its final message."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import msgspec

from conveyor.domain.outcome import Outcome
from conveyor.domain.plan import Batch, Probe
from conveyor.ledger.batch_facts import Submitted
from conveyor.ledger.gate_facts import Gate, Reason
from conveyor.ledger.part import Part, Tokens
from conveyor.money.cost import rounded
from conveyor.report.money import add_tokens, cost_of
from conveyor.wording.text import counted, dollars


class ProbeBatch(msgspec.Struct):
    """One batch of the probe at the provider."""

    id: str
    requests: int
    adopted: bool
    """Whether the response to the paid call was lost, and the batch was found."""
    created_at: datetime
    ended_at: datetime | None
    """By the provider; null if it could not be asked."""
    split_at: datetime | None
    """When its results were written; null if they were not."""


class ProbeAccount(msgspec.Struct):
    """The lines of a drop that were answered before the rest was sent."""

    requests: int
    outcomes: dict[str, int]
    """Of its requests, as far as their results were written."""
    cost_usd: Decimal | None
    """What these results cost: a part of the receipt's `cost_usd`. Null if no price is known."""
    at_most_usd: Decimal | None
    """What it could cost at most; null if there was no bound."""
    batches: list[ProbeBatch]
    answered_at: datetime | None
    """When the results of its last batch were written; null if some were not."""
    reasons: list[Reason]
    """Why the gate after it was closed; empty if it opened by itself."""


def account_of_probe(
    probe: Probe, batches: Sequence[tuple[Submitted | None, Part | None]], gate: Gate | None
) -> ProbeAccount:
    """Return the account of a probe. `batches`: the facts of each of its batches. `gate`: the first one after it."""
    parts = [part for _, part in batches if part is not None]
    outcomes: dict[str, int] = {}
    tokens: dict[str, Tokens] = {}
    for part in parts:
        add_tokens(tokens, part.tokens)
        for outcome, count in part.outcomes.items():
            outcomes[outcome] = outcomes.get(outcome, 0) + count
    cost = cost_of(tokens)
    return ProbeAccount(
        probe.requests,
        {outcome: count for outcome, count in outcomes.items() if count},
        None if cost is None else rounded(cost),
        probe.at_most_usd,
        [_batch(batch, sent, part) for batch, (sent, part) in zip(probe.batches, batches, strict=True) if sent],
        max((part.at for part in parts), default=None) if len(parts) == len(batches) else None,
        list(gate.reasons) if gate else [],
    )


def _batch(batch: Batch, sent: Submitted, part: Part | None) -> ProbeBatch:
    ended, split = (part.ended_at, part.at) if part else (None, None)
    return ProbeBatch(sent.id, batch.requests, sent.adopted, sent.created_at, ended, split)


def probe_rows(account: ProbeAccount | None) -> list[tuple[str, str]]:
    """Return the row of the final message about the probe; none for a run without one."""
    if account is None:
        return []
    counts = [f"{account.outcomes.get(Outcome.SUCCEEDED, 0):,} answered"]
    counts += [f"{count:,} {outcome}" for outcome, count in account.outcomes.items() if outcome != Outcome.SUCCEEDED]
    cost = "cost not known" if account.cost_usd is None else dollars(account.cost_usd)
    return [("Probe", f"{counted(account.requests, 'request')}: {', '.join([*counts, cost])}")]
