"""The metrics of a run that has ended."""

import json
import subprocess
import sys

import pytest

from tests.support import template

SCRIPT = """
import sys
sys.path[:0] = ["functions/report", "layers/conveyor"]
import app
app.report = lambda event, clients: {
    "run": "run-1", "project": "team-a", "status": "completed", "results": 2, "failures": 1,
    "cost_usd": 0.25,
}
class Context:
    function_name = memory_limit_in_mb = invoked_function_arn = aws_request_id = "x"
app.handler({"run": "run-1"}, Context())
"""


@pytest.mark.slow
def test_runs_are_counted_by_status_for_the_alarm_and_by_project() -> None:
    """An alarm matches one exact set of dimensions: a third one in the same set would silence it."""
    names = {"POWERTOOLS_SERVICE_NAME": "stack-report", "POWERTOOLS_METRICS_NAMESPACE": "Conveyor"}
    done = subprocess.run(  # noqa: S603  # our own script
        [sys.executable, "-c", SCRIPT], cwd=template.PROJECT, env=names, capture_output=True, text=True, check=True
    )
    (blob,) = [line for line in map(json.loads, done.stdout.splitlines()) if "_aws" in line]
    (directive,) = blob["_aws"]["CloudWatchMetrics"]
    assert sorted(map(sorted, directive["Dimensions"])) == [["project", "service"], ["service", "status"]]
    assert (blob["service"], blob["project"], blob["status"]) == ("stack-report", "team-a", "completed")
    assert (blob["Runs"], blob["Results"], blob["Failures"]) == ([1], [2], [1])
    assert blob["CostUsd"] == [0.25]
    assert {"Name": "CostUsd", "Unit": "None"} in directive["Metrics"]
