"""The metrics: each has its line in `METRICS`, and is written here only, in CloudWatch's embedded metric format.

They are few, and their dimensions have few values: CloudWatch charges for each combination. The dashboard, the alarms
and the docs name no others (a test compares them).
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import groupby
from typing import NamedTuple

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from conveyor.domain.observed import Ended, Observed, TroubleWith

_OF_PROVIDER = frozenset({TroubleWith.CREDENTIALS, TroubleWith.UNAVAILABLE})
SERVICE = "service"
"""The dimension that all metrics have: the name of the stack (`POWERTOOLS_SERVICE_NAME`)."""


class Metric(NamedTuple):
    """One metric."""

    unit: MetricUnit
    sets: tuple[tuple[str, ...], ...]
    """The sets of dimensions under which each value is counted, beside `service`."""
    means: str


METRICS = {
    "Runs": Metric(MetricUnit.Count, (("status",), ("project",)), "runs that ended"),
    "Requests": Metric(MetricUnit.Count, ((), ("project",)), "requests of runs that ended"),
    "Results": Metric(MetricUnit.Count, ((), ("project",)), "their answers"),
    "Failures": Metric(MetricUnit.Count, ((), ("project",)), "their failures"),
    "CostUsd": Metric(MetricUnit.NoUnit, ((), ("project",)), "what they cost at the provider, as far as known"),
    "RunAgeSeconds": Metric(MetricUnit.Seconds, ((),), "age of each run under way, at each look; Maximum: the oldest"),
    "WaitingSeconds": Metric(
        MetricUnit.Seconds, ((), ("reason",)), "how long each run that waits has waited; Maximum: the longest"
    ),
    "TroubleSeconds": Metric(
        MetricUnit.Seconds, ((), ("reason",)), "how long each run could not call the provider; Maximum: the longest"
    ),
    "OtherTroubleSeconds": Metric(
        MetricUnit.Seconds, (("reason",),), "how long each run has had other trouble; Maximum: the longest"
    ),
    "AccountRefusals": Metric(
        MetricUnit.Count,
        ((),),
        "runs that ended, and looks at runs that wait, since the account or its key is refused",
    ),
}
"""Every metric by its name. `project`: one that `config/budgets.json` names, else `default`, so that nobody who drops
files can create metrics."""


class Measure(NamedTuple):
    """One value of a metric."""

    metric: str
    value: float
    dimensions: tuple[tuple[str, str], ...] = ()
    """Names and values, as `Metric.sets` asks for; without `service`."""


def measures_of(observed: Observed, now: datetime) -> list[Measure]:
    """Return the values that one invocation has seen."""
    return [*_standing(observed, now), *_end(observed.ended, observed.budget)]


def _standing(observed: Observed, now: datetime) -> Iterator[Measure]:
    if observed.began_at:
        yield Measure("RunAgeSeconds", _seconds(now - observed.began_at))
    if wait := observed.wait:
        yield Measure("WaitingSeconds", _seconds(now - wait.since), (("reason", wait.reason),))
    if failing := observed.failing:
        is_provider = failing.at in _OF_PROVIDER  # an alarm is about these: nobody who drops files can cause them
        name = "TroubleSeconds" if is_provider else "OtherTroubleSeconds"
        yield Measure(name, _seconds(now - failing.since), (("reason", failing.at),))
    if observed.is_account_refused:
        yield Measure("AccountRefusals", 1)


def _end(ended: Ended | None, budget: str) -> Iterator[Measure]:
    if ended is None:
        return
    project = ("project", budget)
    yield Measure("Runs", 1, (("status", ended.status), project))
    counts = (("Requests", ended.requests), ("Results", ended.results), ("Failures", ended.failures))
    for metric, value in (*counts, ("CostUsd", float(ended.cost_usd or 0))):
        yield Measure(metric, value, (project,))


def _seconds(span: timedelta) -> int:
    """Return a span in whole seconds. Clocks differ: it is never negative."""
    return max(int(span.total_seconds()), 0)


def write(measures: Iterable[Measure], run: str) -> None:
    """Write values as lines of the function's log, one for all that have the same dimensions."""
    for (sets, dimensions), group in groupby(measures, lambda each: (METRICS[each.metric].sets, each.dimensions)):
        document, values = EphemeralMetrics(), dict(dimensions)
        first, *others = ({name: values[name] for name in names} for names in sets)
        for name, value in first.items():
            document.add_dimension(name, value)
        for other in others:
            document.add_dimensions(**{SERVICE: document.service}, **other)
        for measure in group:
            document.add_metric(measure.metric, METRICS[measure.metric].unit, measure.value)
        document.add_metadata("run", run)
        document.flush_metrics()
