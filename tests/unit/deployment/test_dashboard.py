"""The dashboard and the saved queries name only what the functions write."""

import itertools
import re

import pytest

from conveyor.domain.observed import TroubleWith, WaitsFor
from conveyor.domain.status import STATUSES, Status
from conveyor.telemetry.metrics import METRICS, SERVICE
from local.emulation.insights.queries import parse
from tests.support import dashboard, template
from tests.support.dashboard import Metric
from tests.support.log_lines import fields_of_lines
from tests.support.template import FUNCTIONS, Json, spelled

WIDTH = 24
ALARMS: dict[str, Json] = template.resources("AWS::CloudWatch::Alarm")
QUERIES: dict[str, Json] = template.resources("AWS::Logs::QueryDefinition")
ENDS = ("Started", "Succeeded", "Failed", "TimedOut", "Aborted")
OF_AWS = {
    **{("AWS/Lambda", name): {"FunctionName"} for name in ("Errors", "Throttles", "Duration")},
    **{("AWS/States", f"Executions{end}"): {"StateMachineArn"} for end in ENDS},
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): {"QueueName"},
    ("AWS/Lambda", "DestinationDeliveryFailures"): {"FunctionName"},
    ("AWS/Events", "InvocationsFailedToBeSentToDlq"): {"RuleName"},
    ("AWS/SNS", "NumberOfNotificationsFailed"): {"TopicName"},
}
"""Metrics of AWS, with their dimensions: the guides of Lambda, Step Functions, SQS, EventBridge and SNS."""
OF_LAMBDA = {"@timestamp", "@log", "record.status"}
"""Fields that Logs Insights or Lambda adds. `record.status`: of the line `platform.report`, such as timeout."""
WORDS = {
    "fields", "filter", "stats", "sort", "limit", "display", "as", "by", "in", "and", "or", "not", "asc", "desc",
    "latest", "max", "sum", "count", "ispresent", "coalesce",
}  # fmt: skip
"""Of the query language."""
PAGES = [(template.PROJECT / "docs" / name).read_text() for name in ("runbook.md", "operate.md")]


def metrics_of_alarms() -> list[Metric]:
    """Return the metric of each alarm."""
    found = []
    for alarm in ALARMS.values():
        values = {dimension["Name"]: spelled(dimension["Value"]) for dimension in alarm["Dimensions"]}
        found.append(Metric(alarm["Namespace"], alarm["MetricName"], frozenset(values), values))
    return found


def test_every_metric_of_dashboard_and_alarms_is_written_with_exactly_these_dimensions() -> None:
    """CloudWatch matches one exact set of dimensions: a picture of another is empty, and an alarm never goes off."""
    for metric in (*dashboard.metrics(), *metrics_of_alarms()):
        if metric.namespace != "Conveyor":
            assert metric.dimensions == OF_AWS[metric.namespace, metric.name]
            continue
        assert metric.values[SERVICE] in {dashboard.STACK, "AWS::StackName"}
        assert metric.dimensions - {SERVICE} in [set(names) for names in METRICS[metric.name].sets]
        if "status" in metric.values:
            assert STATUSES[Status(metric.values["status"])].is_final


def test_the_dashboard_shows_every_metric_and_every_reason() -> None:
    """A reason that was added later would be missing in the picture."""
    shown = dashboard.metrics()
    in_alarms_only = {"AccountRefusals"}
    assert {metric.name for metric in shown if metric.namespace == "Conveyor"} == METRICS.keys() - in_alarms_only
    for part, reasons in (("Waiting", WaitsFor), ("Trouble", TroubleWith)):
        assert [metric.values["reason"] for metric in shown if f"{part}Seconds" in metric.name] == list(
            map(str, reasons)
        )


def test_every_widget_has_a_question_for_a_title_and_says_what_it_counts() -> None:
    """A person who opens the dashboard knows neither the code nor the names of metrics."""
    for widget in dashboard.body()["widgets"]:
        properties = widget["properties"]
        assert re.match(r"[A-Z][^?]+\?", properties["title"])
        if widget["type"] == "metric":
            assert properties["yAxis"]["left"]["label"]
            assert properties["period"] % 60 == 0
            assert properties["stat"] in {"Sum", "Maximum"}
        if widget["type"] != "alarm":
            assert properties["region"] == "AWS::Region"


def test_the_widgets_are_on_the_grid_and_none_covers_another() -> None:
    """CloudWatch accepts a body with widgets outside, and moves them."""
    taken = [
        {
            (widget["x"] + column, widget["y"] + row)
            for column in range(widget["width"])
            for row in range(widget["height"])
        }
        for widget in dashboard.body()["widgets"]
    ]
    assert all(0 <= column < WIDTH for cells in taken for column, _ in cells)
    assert not any(one & other for one, other in itertools.combinations(taken, 2))
    rows = {row for cells in taken for _, row in cells}
    assert rows == set(range(len(rows))), "no row is empty"


def test_the_first_widget_shows_every_alarm() -> None:
    """An alarm that is missing there is on without being seen."""
    first = dashboard.body()["widgets"][0]
    assert (first["type"], first["y"]) == ("alarm", 0)
    assert sorted(first["properties"]["alarms"]) == sorted(f"{name}.Arn" for name in ALARMS)


def test_a_saved_query_and_its_widget_are_one_text_that_reads_the_same_logs() -> None:
    """It stands once in the template; a double quote in it would break the body."""
    texts = dashboard.queries()
    assert QUERIES.keys() == {f"{name}Query" for name in texts}
    for name, query in QUERIES.items():
        assert query["QueryString"]["Fn::Join"] == [
            "\n", {"Fn::FindInMap": ["Queries", name.removesuffix("Query"), "Lines"]},
        ]  # fmt: skip
        assert spelled(query["Name"]).startswith("${AWS::StackName}/")
    logs = {
        texts[name.removesuffix("Query")]: list(map(spelled, query["LogGroupNames"])) for name, query in QUERIES.items()
    }
    shown = {}
    for widget in dashboard.widgets("log"):
        text: str = re.sub(r"^(?:SOURCE '\w+' \| )+", "", widget["query"])
        shown[text] = re.findall(r"SOURCE '(\w+)'", widget["query"])
    assert len(shown) == 4
    assert shown == {text: logs[text] for text in shown}
    assert set(itertools.chain(*logs.values())) == {f"{name}Log" for name in FUNCTIONS}


@pytest.mark.parametrize("name", dashboard.queries())
def test_every_field_of_a_saved_query_is_one_that_a_log_line_has(name: str) -> None:
    """A misspelled field is empty in every row, and no error."""
    query = dashboard.queries()[name]
    parse(query)  # raises if it is not the query language
    code = re.sub(r"'[^']*'", "", query)
    own = set(re.findall(r" as (\w+)", code))
    named = set(re.findall(r"[@\w.]*[A-Za-z][\w.]*", code))
    assert named - own - WORDS <= fields_of_lines() | OF_LAMBDA
    assert set(re.findall(r"'([^']*)'", query)) <= {
        *("poll is done", "submit is done", "run has ended", "requests failed", "nothing", "room", "refused"),
        *("ERROR", "timeout", "failure", "put the id of the run here"),
    }


@pytest.mark.parametrize("name", [*ALARMS, *(spelled(query["Name"]).partition("/")[2] for query in QUERIES.values())])
def test_every_alarm_and_saved_query_is_explained(name: str) -> None:
    """An alarm has a section of the runbook, and its description names it."""
    if name in ALARMS:
        assert re.search(rf"^## .*\b{name}\b", PAGES[0], re.MULTILINE)
        assert ALARMS[name]["AlarmDescription"]["Fn::Sub"].endswith(f"More: docs/runbook.md, {name}.")
    else:
        assert any(f"*{name}*" in page for page in PAGES)
