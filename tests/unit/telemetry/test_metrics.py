"""The metrics: few, with dimensions of few values, in CloudWatch's embedded metric format."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from conveyor.domain.observed import Ended, Failing, FailureCause, Observed, TroubleWith, Wait, WaitsFor
from conveyor.domain.status import STATUSES
from conveyor.telemetry.metrics import METRICS, measures_of, write

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
MOST_METRICS = 100
"""Metrics of a stack with ten projects that has seen every status and every reason."""


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set what the template sets."""
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "stack")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Conveyor")


def ended_run() -> Observed:
    """Return a run that ended unbalanced."""
    observed = Observed()
    observed.is_about("run-1", "team-a", "team-a")
    causes = [FailureCause("overloaded_error", 1)]
    observed.ended = Ended("unbalanced", None, 4, 2, 1, Decimal("0.25"), causes)
    return observed


def standing_run() -> Observed:
    """Return a run under way that waits for room, and whose calls fail."""
    observed = Observed()
    observed.is_about("run-1", "anything", "default")
    observed.began_at = NOW - timedelta(hours=2)
    observed.wait = Wait(WaitsFor.ROOM, NOW - timedelta(minutes=20))
    observed.failing = Failing(TroubleWith.UNAVAILABLE, "HTTP 503", NOW - timedelta(seconds=90))
    observed.is_account_refused = True
    return observed


def written(
    observed: Observed, capsys: pytest.CaptureFixture[str]
) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Write the metrics of an invocation; return the values as CloudWatch reads them."""
    write(measures_of(observed, NOW), observed.run)
    found = {}
    for document in map(json.loads, capsys.readouterr().out.splitlines()):
        assert document["run"] == observed.run
        (directive,) = document["_aws"]["CloudWatchMetrics"]
        assert directive["Namespace"] == "Conveyor"
        for metric in directive["Metrics"]:
            assert metric["Unit"] == METRICS[metric["Name"]].unit.value
            for names in directive["Dimensions"]:
                dimensions = tuple(sorted((name, document[name]) for name in names))
                found[metric["Name"], dimensions] = document[metric["Name"]][0]
    return found


def test_the_end_of_a_run_is_counted_by_status_and_by_project(capsys: pytest.CaptureFixture[str]) -> None:
    """An alarm matches one exact set of dimensions: a third one in the same set would silence it."""
    stack, project, status = ("service", "stack"), ("project", "team-a"), ("status", "unbalanced")
    counts = {"Requests": 4, "Results": 2, "Failures": 1, "CostUsd": 0.25}
    both = ((stack,), (project, stack))
    expected: dict[Any, float] = {(name, set_): value for name, value in counts.items() for set_ in both}
    assert written(ended_run(), capsys) == expected | {("Runs", (stack, status)): 1, ("Runs", (project, stack)): 1}


def test_a_run_under_way_is_measured_in_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    """The maximum over all runs is the oldest run, the longest wait, and the longest trouble."""
    stack = ("service", "stack")
    assert written(standing_run(), capsys) == {
        ("RunAgeSeconds", (stack,)): 7200,
        ("WaitingSeconds", (stack,)): 1200,
        ("WaitingSeconds", (("reason", "room"), stack)): 1200,
        ("TroubleSeconds", (stack,)): 90,
        ("TroubleSeconds", (("reason", "unavailable"), stack)): 90,
        ("AccountRefusals", (stack,)): 1,
    }


@pytest.mark.parametrize("kind", [TroubleWith.DROP, TroubleWith.OTHER])
def test_what_a_dropper_can_cause_is_not_in_the_metric_of_the_alarm(
    kind: TroubleWith, capsys: pytest.CaptureFixture[str]
) -> None:
    """An unreadable file would keep the alarm on, and hide that the key is refused."""
    observed = Observed()
    observed.failing = Failing(kind, "x", NOW - timedelta(hours=2))
    assert written(observed, capsys) == {("OtherTroubleSeconds", (("reason", str(kind)), ("service", "stack"))): 7200}


def test_no_value_is_negative_when_clocks_differ() -> None:
    """S3 said when the drop came, by its own clock."""
    observed = Observed()
    observed.began_at = NOW + timedelta(seconds=5)
    assert [measure.value for measure in measures_of(observed, NOW)] == [0]


def test_an_invocation_that_has_seen_nothing_writes_no_metric(capsys: pytest.CaptureFixture[str]) -> None:
    """An ignored upload, say."""
    assert written(Observed(), capsys) == {}


def test_all_metrics_are_few_and_each_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    """CloudWatch charges for each metric and combination of dimensions."""
    names = {name for name, _ in written(ended_run(), capsys)} | {name for name, _ in written(standing_run(), capsys)}
    other = standing_run()
    other.failing = Failing(TroubleWith.DROP, "the drop cannot be read", NOW)
    names |= {name for name, _ in written(other, capsys)}
    assert names == METRICS.keys()
    values = {"status": len(STATUSES), "project": 10, "reason": max(len(WaitsFor), len(TroubleWith))}
    counts = [values[names[0]] if names else 1 for metric in METRICS.values() for names in metric.sets]
    assert sum(counts) <= MOST_METRICS
