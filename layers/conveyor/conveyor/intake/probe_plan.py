"""Plan the probe: some lines of a drop, in a file of their own, which are taken out of the drop's batches. Pure."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from decimal import Decimal
from hashlib import sha256
from operator import attrgetter
from typing import NamedTuple

from conveyor.domain import keys
from conveyor.domain.dialect import Dialect
from conveyor.domain.plan import Batch, Probe, ProbeLine
from conveyor.jsonl.lines import Line
from conveyor.money.estimate import Meter
from conveyor.money.prices import Prices
from conveyor.settings.settings import Settings
from conveyor.validation.params import Rules
from conveyor.validation.planner import Groups, Limits, PricedPlanner, RequestGroup
from conveyor.validation.rules import Request, read_request


class ChosenLine(NamedTuple):
    """A line of the probe, which was found valid."""

    line: Line
    model: str
    """Empty for a model that the estimate does not keep apart."""


class PlannedProbe(NamedTuple):
    """A probe, and the file with its lines."""

    probe: Probe
    file: bytes


class _Read(NamedTuple):
    chosen: ChosenLine
    raw: bytes
    request: Request
    group: RequestGroup
    """What it adds to a batch of the drop."""


def plan_probe(  # noqa: PLR0913, PLR0917  # what a plan depends on
    run: str,
    settings: Settings,
    dialect: Dialect,
    prices: Prices,
    batches: Sequence[Batch],
    chosen: Iterable[ChosenLine],
) -> PlannedProbe:
    """Plan some lines of a drop, in its order, as a probe, and take them out of the drop's batches.

    Raises ValueError for a line that is not valid: another file was read than the one that was checked.
    """
    lines = list(_read(run, settings, dialect, chosen))
    _take_out(batches, lines, prices)
    leg, meter = Groups(keys.leg_id(run, keys.PROBE), settings, dialect), Meter(prices)
    planner = PricedPlanner(Limits.of(settings, dialect), dialect.form.around, meter)
    start = 0
    for number, each in enumerate(lines, 1):
        moved = Line(number, start, start + len(each.raw), each.raw)
        planner.add(leg.of_line(moved, each.request))
        meter.add(each.request.model, each.request.bound, each.group.max_tokens)
        start = moved.end + 1
    planner.finish()
    for batch in planner.batches:
        batch.unpacked = False
    file = b"".join(each.raw + b"\n" for each in lines)
    listed = [_listed(each, prices) for each in lines]
    at_most_usd = meter.estimate().at_most_usd
    return PlannedProbe(Probe(listed, planner.batches, sha256(file).hexdigest(), at_most_usd), file)


def _read(run: str, settings: Settings, dialect: Dialect, chosen: Iterable[ChosenLine]) -> Iterable[_Read]:
    rules, groups = Rules(dialect, settings.default_max_tokens), Groups(run, settings, dialect)
    for each in chosen:
        request = read_request(each.line, rules)
        if not isinstance(request, Request) or each.line.raw is None:
            raise ValueError(f"line {each.line.number} is not the line that was checked")
        yield _Read(each, each.line.raw, request, groups.of_line(each.line, request))


def _listed(each: _Read, prices: Prices) -> ProbeLine:
    """Return a line as the plan lists it, with the bound of its prompt: what the estimate would count for it alone."""
    meter = Meter(prices)
    meter.add(each.request.model, each.request.bound, each.group.max_tokens)
    return ProbeLine(each.chosen.line.number, each.chosen.model, each.group.max_tokens, meter.estimate().input_tokens)


def _take_out(batches: Sequence[Batch], lines: Iterable[_Read], prices: Prices) -> None:
    """Take requests out of the batches that they are planned in. What is left costs at most the rest.

    Sums of dollars are rounded up, so what is taken is added up over all batches: together, and with the probe, they
    then cost at most what the drop can, to a few millionths of a dollar.
    """
    meter, taken = Meter(prices), Decimal(0)
    of_batch: dict[int, list[_Read]] = {}
    for each in lines:
        place = bisect_right(batches, each.group.first_line, key=attrgetter("first_line")) - 1
        of_batch.setdefault(place, []).append(each)
    for place, some in of_batch.items():
        batch = batches[place]
        for each in some:
            _take_one(batch, each.group)
            meter.add(each.request.model, each.request.bound, each.group.max_tokens)
        total = meter.estimate().at_most_usd
        if not batch.requests:
            taken += batch.at_most_usd or 0
            batch.at_most_usd = Decimal(0)
        elif batch.at_most_usd is not None and total is not None:
            part = max(Decimal(0), min(total - taken, batch.at_most_usd))
            taken += part
            batch.at_most_usd -= part


def _take_one(batch: Batch, group: RequestGroup) -> None:
    """Take out a request, and its separator if others are left."""
    batch.probed.append(group.first_line)
    batch.requests -= 1
    batch.body_bytes -= group.size + bool(batch.requests)
    batch.max_tokens -= group.max_tokens
    batch.defaulted -= group.defaulted
    batch.nulled -= group.nulled
