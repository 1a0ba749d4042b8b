"""The dashboard and the saved queries of a stack, as a person sees them in the CloudWatch console."""

from __future__ import annotations

import json
import subprocess
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import html5lib
import pytest

from local import up
from local.dashboard import insights, query
from local.dashboard.metrics import lines
from local.dashboard.session import STACK, NotShown, Session
from local.paths import ROOT
from local.process import clean_env
from local.stack.local_aws import REGION
from local.stack.stack import Stack
from tests.support.log_groups import write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.stack.local_aws import Aws

type Json = dict[str, Any]

GROUP = "dashboard-lines"
RUNNING = "filter message = 'poll is done' | fields run, age | sort age desc | dedup run"
ALARM: Json = {
    "AlarmName": "Old", "Namespace": "Conveyor", "MetricName": "RunAgeSeconds", "Statistic": "Maximum", "Period": 3600,
    "Dimensions": [{"Name": "service", "Value": STACK}], "EvaluationPeriods": 1, "Threshold": 5,
    "ComparisonOperator": "GreaterThanThreshold", "TreatMissingData": "notBreaching", "AlarmDescription": "Look.",
}  # fmt: skip
SEARCH = f"SEARCH('{{Conveyor,service,project}} MetricName=\"CostUsd\" service=\"{STACK}\"', 'Sum', 3600)"
METRICS: Json = {
    "title": "Ages & costs", "region": REGION, "stat": "Maximum", "period": 60,
    "metrics": [["Conveyor", "RunAgeSeconds", "service", STACK, {"label": "oldest <run>"}],
                [".", "WaitingSeconds", ".", "."], [{"expression": SEARCH}]],
}  # fmt: skip


def widget(kind: str, x: int, **properties: object) -> Json:
    """Return a widget of a quarter of the width."""
    return {"type": kind, "x": x, "y": 0, "width": 6, "height": 6, "properties": properties}


BODY: Json = {
    "start": "-PT2H",
    "widgets": [
        widget("alarm", 0, title="Alarms", alarms=["arn:aws:cloudwatch:us-east-1:000000000000:alarm:Old",
                                                   "arn:aws:cloudwatch:us-east-1:000000000000:alarm:None"]),
        widget("metric", 6, **METRICS),
        widget("log", 12, title="Running", region=REGION, query=f"SOURCE '{GROUP}' | {RUNNING}"),
        widget("text", 18, markdown="# Read <b>this</b>"),
        widget("log", 0, title="Wrong", region=REGION, query=f"SOURCE '{GROUP}' | parse x"),
        widget("metric", 6, **{**METRICS, "view": "singleValue", "title": "Now"}),
    ],
}  # fmt: skip


def template() -> str:
    """Return a template with all that a dashboard shows."""
    resources = {
        "Dashboard": ("CloudWatch::Dashboard", {"DashboardName": STACK, "DashboardBody": json.dumps(BODY)}),
        "Alarm": ("CloudWatch::Alarm", ALARM),
        "RunningQuery": ("Logs::QueryDefinition", {"Name": "q/running", "QueryString": RUNNING,
                                                   "LogGroupNames": [GROUP]}),
        "RunQuery": ("Logs::QueryDefinition", {"Name": "q/run", "QueryString": "filter run = 'the run' | fields age",
                                               "LogGroupNames": [GROUP]}),
    }  # fmt: skip
    return json.dumps(
        {"Resources": {name: {"Type": f"AWS::{kind}", "Properties": of} for name, (kind, of) in resources.items()}}
    )


@pytest.fixture(scope="module", name="deployed")
def _deployed(aws: Aws) -> Iterator[Aws]:
    """Deploy a stack with the name of every local stack, with an hour of values and lines."""
    stacks, logs, cloudwatch = (aws.client(service) for service in ("cloudformation", "logs", "cloudwatch"))
    stacks.create_stack(StackName=STACK, TemplateBody=template())
    stacks.get_waiter("stack_create_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1})
    polls = [{"message": "poll is done", "run": run, "age": age} for run, age in (("<a>", 5), ("b", 9), ("<a>", 7))]
    write(logs, GROUP, *polls, {"message": "other"})
    for name, dimensions, value, minutes in (
        ("RunAgeSeconds", {"service": STACK}, 7.5, 40), ("RunAgeSeconds", {"service": STACK}, 9.25, 1),
        ("CostUsd", {"service": STACK, "project": "b"}, 2, 5), ("CostUsd", {"service": STACK, "project": "a"}, 1, 5),
    ):  # fmt: skip
        listed = [{"Name": key, "Value": text} for key, text in dimensions.items()]
        at = datetime.now(UTC) - timedelta(minutes=minutes)
        data = {"MetricName": name, "Dimensions": listed, "Value": value, "Timestamp": at}
        cloudwatch.put_metric_data(Namespace="Conveyor", MetricData=[data])
    yield aws
    stacks.delete_stack(StackName=STACK)
    stacks.get_waiter("stack_delete_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1})


@pytest.fixture(name="shell")
def _shell(deployed: Aws) -> Session:
    """Return the session of a shell that has sourced the file of `make local`."""
    return Session(deployed.env)


def text_of(element: Any) -> str:
    """Return all text in an element, with single spaces."""
    return " ".join(" ".join(element.itertext()).split())


def test_the_page_shows_every_widget_as_the_console_does(deployed: Aws, tmp_path: Path) -> None:
    """Values, states and rows are those of CloudWatch; what AWS refuses stands in its place; all text is escaped."""
    out = tmp_path / "new" / "page.html"
    python = ROOT / ".venv" / "dashboard" / "bin" / "python"
    done = subprocess.run(  # noqa: S603 - the program is ours
        [python, "-m", "local.dashboard"], cwd=ROOT, env={**clean_env(), **deployed.env, "OUT": str(out)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{out}\n", "")
    page = html5lib.parse(out.read_text(encoding="utf-8"), namespaceHTMLElements=False)
    alarms, chart, rows, words, wrong, now = (text_of(section) for section in page.iter("section"))
    assert alarms == "Alarms Missing None Alarm Old"
    assert chart.startswith("Ages & costs")
    assert all(label in chart for label in ("oldest <run>", "WaitingSeconds", "a", "b"))
    assert rows == "Running run age b 9 <a> 7"
    assert words == "Read <b>this</b>"
    assert "MalformedQueryException" in wrong
    assert now == "Now 9.25 oldest <run> none WaitingSeconds 1 a 2 b"
    places = [section.get("style") for section in page.iter("section")]
    assert places[1] == "grid-area: 1 / 7 / span 6 / span 6"


def test_a_dot_repeats_what_the_row_above_says(shell: Session) -> None:
    """A metric without values is a line without points; a search gives as many as it finds."""
    end = int(time.time()) + 1
    found = lines(shell, METRICS, end - 7200, end)
    assert [(line.label, line.values) for line in found] == [
        ("oldest <run>", [7.5, 9.25]), ("WaitingSeconds", []), ("a", [1]), ("b", [2])
    ]  # fmt: skip


def test_a_saved_query_is_run_by_its_name_in_the_template(
    deployed: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And of one run, if it asks for one."""
    for name, value in {**deployed.env, "QUERY": "RunningQuery", "HOURS": "1", "RUN": ""}.items():
        monkeypatch.setenv(name, value)
    assert query.main() == 0
    shown = capsys.readouterr().out
    assert shown.index("b ") < shown.index("<a>")
    assert shown.endswith("2 rows, of the last 1 hours\n")
    assert insights.run_saved(Session(deployed.env), "RunQuery", "b", 3600).rows == [{"age": "9"}]
    monkeypatch.setenv("QUERY", "running")
    assert query.main() == 2
    known = ["    make query QUERY=RunQuery", "    make query QUERY=RunningQuery"]
    assert capsys.readouterr().err.splitlines() == ["No saved query is named running. There are:", *known]


def test_columns_keep_the_order_of_the_query() -> None:
    """Also where the first rows lack some."""
    rows = [[{"field": name, "value": "1"} for name in names] for names in ("ac", "abc", "d")]
    assert insights.table([*rows, [{"field": "@ptr", "value": "x"}]]).columns == ["d", "a", "b", "c"]


def test_only_a_local_stack_is_read(deployed: Aws, tmp_path: Path) -> None:
    """That of the shell, else that of the file; without both, the answer says how to start one."""
    file = tmp_path / "local.sh"
    with pytest.raises(NotShown, match="make local"):
        Session({"AWS_ACCESS_KEY_ID": "real"}, file)
    file.write_text(up.exports(Stack(deployed, {}, "queue", tmp_path, None)))
    found = (
        Session({"AWS_PROFILE": "work"}, file)
        .client("cloudwatch")
        .list_dashboards(DashboardNamePrefix=STACK)["DashboardEntries"]
    )
    assert [entry["DashboardName"] for entry in found] == [STACK]
