"""The gates of a run in its receipt."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

import msgspec

from conveyor.ledger.gate_facts import Ending, Gate, GateEnd, Reason
from conveyor.ledger.ledger import Ledger
from conveyor.ledger.state import RunState
from conveyor.money.forecast import Forecast


class GateAccount(msgspec.Struct):
    """A gate at which the run stood, and how it ended."""

    number: int
    closed_at: datetime
    reasons: list[Reason]
    need_usd: Decimal | None
    """What the run could cost at most, as far as was known then; null if there was no bound."""
    how: Ending | None
    """Null if the run ended otherwise before the gate did."""
    ended_at: datetime | None
    up_to_usd: Decimal | None
    """What was approved; null if no amount was named."""


def read_gates(ledger: Ledger, run_state: RunState) -> dict[int, Gate]:
    """Return all gates of a run by their numbers, open ones included."""
    return {number: ledger.read(Gate, number) for number in range(1, run_state.gate + 1)}


def account_of_gates(ledger: Ledger, run_state: RunState, gates: Mapping[int, Gate]) -> list[GateAccount]:
    """Return the account of each gate that was closed."""
    ends = {number: ledger.read(GateEnd, number) for number in run_state.ended_gates}
    return [_account(number, gate, ends.get(number)) for number, gate in gates.items() if not gate.open]


def last_forecast(gates: Mapping[int, Gate]) -> Forecast | None:
    """Return the forecast of the last gate that has one."""
    return next((gate.forecast for _, gate in sorted(gates.items(), reverse=True) if gate.forecast), None)


def _account(number: int, gate: Gate, end: GateEnd | None) -> GateAccount:
    how, at, up_to = (end.how, end.at, end.up_to) if end else (None, None, None)
    return GateAccount(number, gate.at, gate.reasons, gate.need_usd, how, at, up_to)
