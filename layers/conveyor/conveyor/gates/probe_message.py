"""What messages say about the probe of a run that waits: what it may cost, what it has shown, and where more is."""

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple, Self

from conveyor.domain.outcome import Outcome
from conveyor.domain.plan import Probe, ValidatedDrop
from conveyor.ledger.gate_facts import Gate, ReasonCode
from conveyor.ledger.part import Answer
from conveyor.wording import commands
from conveyor.wording.bounds import forecast_rows, forecast_words
from conveyor.wording.mail import how_to
from conveyor.wording.text import counted, dollars, exact_dollars, paid, paragraph

_MOST_KEYS = 3
_CENT = Decimal("0.01")
OF_THE_FORECAST = (
    "The forecast follows from what the probe has cost. About 19 of 20 such forecasts have the real cost between their "
    "two amounts."
)
OF_THE_APPROVED = (
    "Before each batch, what was paid and the most that is under way are compared with the amount that you approve."
)

ABOVE_THE_FORECAST = (
    "The run costs more than was forecast from its probe. This amount is what was paid so far, or may have been, and "
    "the upper end of the forecast for the rest, which may be too low as well. What was sent counts with its real cost "
    "once that is known."
)


class Shown(NamedTuple):
    """What the probe has shown."""

    requests: int
    sent: int
    """How many of its requests were sent, or may have been."""
    outcomes: dict[str, int]
    """Of its lines, as far as they are settled."""
    cost_usd: Decimal | None
    """None if the cost of any line is not known."""
    error_keys: tuple[str, ...] = ()
    """The objects with the provider's error texts."""

    @classmethod
    def of(cls, probe: Probe, sent: int, answers: Iterable[Answer], error_keys: tuple[str, ...] = ()) -> Self:
        """Count answers. `error_keys`: see `keys.error_words`; those that exist."""
        found = list(answers)
        outcomes = dict(Counter(answer.outcome.value for answer in found).most_common())
        costs = [each for answer in found for each in (answer.input_usd, answer.output_usd)]
        known = [cost for cost in costs if cost is not None]
        cost = sum(known, Decimal(0)) if len(known) == len(costs) else None
        return cls(probe.requests, sent, outcomes, cost, error_keys)

    @property
    def answered(self) -> int:
        """How many of its requests have an answer."""
        return self.outcomes.get(Outcome.SUCCEEDED, 0)

    @property
    def settled(self) -> int:
        """Of how many of its requests it is known what became of them."""
        return sum(self.outcomes.values())

    @property
    def words(self) -> str:
        """How many requests it had, what became of them, and what they cost."""
        counts = [f"{self.answered:,} answered"]
        counts += [f"{count:,} {outcome}" for outcome, count in self.outcomes.items() if outcome != Outcome.SUCCEEDED]
        counts += [f"{self.requests - self.settled:,} without an answer yet"] * (self.settled < self.requests)
        cost = "cost not known" if self.cost_usd is None else paid(self.cost_usd)
        return f"{counted(self.requests, 'request')}: {', '.join([*counts, cost])}"


def probe_rows(gate: Gate, drop: ValidatedDrop, shown: Shown | None) -> list[tuple[str, str]]:
    """Return the rows of a message about the probe and the forecast; none for a drop without a probe."""
    if drop.probe is None:
        return []
    probe = (
        shown.words if shown and shown.outcomes else f"{counted(drop.probe.requests, 'request')}, {_most(drop.probe)}"
    )
    return [("Probe", probe), *forecast_rows(gate.forecast)]


def cost_words(gate: Gate, drop: ValidatedDrop) -> str:
    """Return what the whole run costs, as far as it is known at a gate: completes "it …"."""
    if gate.forecast and not is_above_forecast(gate):
        return f"will cost {forecast_words(gate.forecast)}"
    most = _most_of_run(gate, drop)
    return f"may cost up to {exact_dollars(most)}" if most is not None else "has no bound on its cost"


def cost_figures(gate: Gate, drop: ValidatedDrop) -> str:
    """Return the same for a subject."""
    if gate.forecast and not is_above_forecast(gate):
        return dollars(gate.forecast.usd)
    most = _most_of_run(gate, drop)
    return f"up to {exact_dollars(most)}" if most is not None else "no bound on the cost"


def is_above_forecast(gate: Gate) -> bool:
    """Return whether more was paid, or may have been, than the forecast at a gate says."""
    high = gate.forecast.high_usd if gate.forecast else None
    return high is not None and gate.need_usd is not None and gate.need_usd >= high + _CENT


def _most_of_run(gate: Gate, drop: ValidatedDrop) -> Decimal | None:
    """Return what the run can cost at most. Before its probe, the gate itself may ask for the probe's cost only."""
    if drop.probe and not gate.after_probe and drop.estimate:
        return drop.estimate.at_most_usd
    return gate.need_usd


def what_it_showed(shown: Shown) -> str:
    """Say what was sent as the probe, and what became of it."""
    were = "was" if shown.sent == 1 else "were"
    if shown.sent < shown.requests:
        sent = f"{shown.sent:,} of the {counted(shown.requests, 'request')} of the probe {were} sent"
    else:
        sent = f"{counted(shown.requests, 'request')} {were} sent first, as a probe"
    if not shown.outcomes:
        return f"{sent}: no answer has come yet."
    waiting = f", {shown.sent - shown.settled:,} without an answer yet" if shown.settled < shown.sent else ""
    cost = "their cost is not known" if shown.cost_usd is None else f"they cost {paid(shown.cost_usd)}"
    return f"{sent}: {shown.answered:,} answered, {shown.settled - shown.answered:,} not{waiting}; {cost}."


def before_the_probe(probe: Probe, *, is_sent: bool, is_about_money: bool) -> str:
    """Say what an approval before the probe is answered lets go, and when the run waits again.

    `is_sent`: whether any of the probe was sent. `is_about_money`: whether the approval names an amount.
    """
    first = "" if is_sent else f"First a probe of {counted(probe.requests, 'request')} is sent, which {_may(probe)}. "
    when = "When the probe is answered" if is_sent else "When it is answered"
    amount = "the amount that you approve" if is_about_money else "what the run may cost"
    return (
        f"{first}{when}, the rest follows by itself. The run waits again only if half of a model's requests fail or "
        f"are cut off, if no answer comes, or if the forecast is above {amount}."
    )


def unanswered(gate: Gate) -> list[str]:
    """Say what happens while the probe has no answer; nothing at other gates."""
    if not gate.has(ReasonCode.UNANSWERED):
        return []
    return paragraph("When the answers come, the rest is sent by itself, unless they show a reason to wait.")


def error_texts(bucket: str, shown: Shown | None) -> list[str]:
    """Say where the provider's error texts are: they may quote a request, so they are in no message."""
    if shown is None or not shown.error_keys:
        return []
    shown_commands = [commands.show_errors(bucket, key) for key in shown.error_keys[:_MOST_KEYS]]
    return how_to("To read the provider's error texts, which may quote your requests:", *shown_commands)


def _most(probe: Probe) -> str:
    return "no bound on its cost" if probe.at_most_usd is None else f"up to {exact_dollars(probe.at_most_usd)}"


def _may(probe: Probe) -> str:
    if probe.at_most_usd is None:
        return "has no bound on its cost"
    return f"may cost up to {exact_dollars(probe.at_most_usd)}"
