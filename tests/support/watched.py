"""Runs as they stand at a moment, for frames: facts without a bucket."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from conveyor.domain import keys
from conveyor.domain.plan import Batch, Plan, Probe, ProbeLine, ValidatedDrop
from conveyor.domain.schedule import BatchName
from conveyor.ledger.batch_facts import Submitted
from conveyor.ledger.gate_facts import Gate, Reason, ReasonCode
from conveyor.ledger.state import state_from
from conveyor.money.estimate import Estimate
from conveyor.money.forecast import Forecast
from conveyor_cli.runs.facts import Facts
from conveyor_cli.runs.tally import Tally
from conveyor_cli.state import state_of
from tests.support.examples import RUN as EXAMPLE

if TYPE_CHECKING:
    from collections.abc import Mapping

NOW = datetime(2026, 11, 24, 8, 41, 2, tzinfo=UTC)
ID = "20261124T060002Z-41d7aa09f3b2"
DROP = replace(EXAMPLE.drop, last_modified=NOW - timedelta(hours=2, minutes=41))
RUN = replace(EXAMPLE, run=ID, name="catalog-2026-11", project="shop", drop=DROP)
SENT = "attempt-1.json", "batch-1.json"
SPLITTING = *SENT, "split-1.json"
DONE = *SPLITTING, "part.json"
FORECAST = Forecast(Decimal(1410), Decimal(1300), Decimal("1499.10"))
OPEN = Gate("w", NOW - timedelta(hours=2), open=True, forecast=FORECAST, up_to=Decimal(1500), approved=True)
CEILING = Reason(ReasonCode.CEILING, "it may cost $164.20, and its project may spend $100.00 on one drop")
CLOSED = Gate(
    "w", NOW, open=False, reasons=[CEILING], need_usd=Decimal("177.90"), until=NOW + timedelta(hours=71, minutes=48)
)


def plan_of(batches: int, requests: int = 96_000, *, probed: int = 0, rounds: tuple[int, ...] = ()) -> Plan:
    """Return a plan. `probed`: lines in the sample. `rounds`: how many batches each has."""
    cut = [Batch(number, 1, 0, requests=requests) for number in range(1, batches + 1)]
    lines = [ProbeLine(number, "m", 64) for number in range(1, probed + 1)]
    probe = Probe(lines, [Batch(1, 1, 0, requests=probed)], "f00") if probed else None
    estimate = Estimate(Decimal(2000), 9, 9, {}, {})
    drop = ValidatedDrop(batches * requests, "f00", probe=probe, is_gated=True, estimate=estimate)
    of_rounds = {
        keys.round_leg(number): [Batch(each, 1, 0, requests=500) for each in range(1, count + 1)]
        for number, count in enumerate(rounds, 1)
    }
    return Plan(drop, cut, of_rounds)


def facts_of(
    plan: Plan | None,
    batches: Mapping[str, tuple[str, ...]] | None = None,
    *names: str,
    gate: Gate | None = OPEN,
    **more: Any,
) -> Facts:
    """Return what is known of a run. `batches`: facts by `1`, `probe/1` or `round-1/1`. `more`: fields of `Facts`."""
    listed = [f"{keys.ledger(ID)}{name}" for name in names]
    listed += [f"{keys.ledger(ID)}plan.jsonl"] if plan else []
    listed += [Gate.key(ID, 1)] if gate and plan else []
    listed += [f"{keys.ledger(ID)}{leg}/plan.jsonl" for leg in (plan.rounds if plan else ())]
    sent, tallies = {}, {}
    for place, of_batch in (batches or {}).items():
        name = BatchName.from_event(place if "/" in place else int(place))
        listed += [f"{keys.batch(keys.leg_id(ID, name.leg), name.number)}{each}" for each in of_batch]
        if "batch-1.json" in of_batch:
            at = NOW - timedelta(minutes=65 + name.number)
            sent[name] = Submitted("w", at, f"msgbatch_{name.number}", at, at + timedelta(hours=24))
        if "part.json" in of_batch:
            tallies[name] = Tally(95_940, 60, 50 * ("again.json" in of_batch), 660, Decimal("117.5"), at=NOW)
    run_state = state_from(ID, listed)
    state = state_of(run_state, plan, gate, NOW.date())
    return Facts(RUN, run_state, state, NOW, plan, gate, sent=sent, tallies=tallies)._replace(**more)
