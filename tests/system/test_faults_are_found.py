"""Faults of the first week: each sets off its alarm, and its saved query shows it.

The functions write their own logs and metrics. Where a fault must last, poll is told that it has lasted: the time since
when is in the state that the state machine hands to it.
"""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from local.stack.deployment import STACK_NAME
from tests.support.system.operator import Operator
from tests.support.system.remedies import OTHER_KEY
from tests.support.system.runs import LiveRun
from tests.support.system.scene import Scene

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack.stack import Stack

pytestmark = pytest.mark.parametrize("stack", ["messages"], indirect=True)
MINUTES, HOURS = 60, 3600
AWAY = {"kind": "answer", "status": 503}


class Console:
    """What an operator sees in the console of CloudWatch."""

    def __init__(self, stack: Stack) -> None:
        """Look at a stack."""
        self.stack, self.logs = stack, stack.aws.client("logs")
        self.cloudwatch = stack.aws.client("cloudwatch")

    def wait_for_alarm(self, name: str) -> None:
        """Wait until an alarm is on, and its message has come."""

        def is_on() -> bool | None:
            found = self.cloudwatch.describe_alarms(AlarmNamePrefix=f"{STACK_NAME}-{name}-", StateValue="ALARM")
            texts = [message.text for message in self.stack.messages() if f"{STACK_NAME}-{name}-" in message.text]
            return bool(found["MetricAlarms"] and texts) or None

        self.stack.wait_for(is_on, 30, name)

    def rows(self, query: str) -> list[dict[str, str]]:
        """Run a saved query of the stack over the last hour."""
        (saved,) = self.logs.describe_query_definitions(queryDefinitionNamePrefix=f"{STACK_NAME}/{query}")[
            "queryDefinitions"
        ]
        now = int(time.time())
        started = self.logs.start_query(
            logGroupNames=saved["logGroupNames"],
            queryString=saved["queryString"],
            startTime=now - HOURS,
            endTime=now + 1,
        )["queryId"]
        found = self.stack.wait_for(lambda: self._complete(started), 30, query)
        return [{cell["field"]: cell["value"] for cell in row} for row in found]

    def _complete(self, query: str) -> list[Any] | None:
        answer = self.logs.get_query_results(queryId=query)
        return answer["results"] if answer["status"] == "Complete" else None

    def row_of(self, query: str, run: str) -> dict[str, str]:
        """Wait until a saved query has a row about a run."""
        return self.stack.wait_for(
            lambda: next((row for row in self.rows(query) if run in row.values()), None), 30, f"row of {run}"
        )


def look(stack: Stack, run: str, reason: str, kind: str, seconds: int) -> None:
    """Let poll look at a run that has been in trouble of one kind for some time."""
    since = (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat()
    event = {
        "run": run, "arn": "", "trouble": {"reason": reason, "since": since, "notified": True, "kinds": {kind: since}},
        "warned": None, "gate": None, "budget": "", "execution": {"number": 1, "events": 0},
    }  # fmt: skip
    answer = stack.lambdas.invoke(FunctionName=stack.functions["poll"], Payload=json.dumps(event))
    assert "FunctionError" not in answer


@contextmanager
def going(stack: Stack) -> Iterator[str]:
    """Have a run with a batch at the provider, for the length of the block."""
    operator = Operator(stack)
    run = operator.going_run()
    yield run
    operator.stop(run)
    LiveRun(stack, run).message("stopped")


@pytest.mark.parametrize(
    ("reason", "faults", "provider"),
    [
        ("credentials", "HTTP 401", {"api_key": OTHER_KEY}),
        (
            "unavailable",
            "HTTP 503",
            {"faults": [{"call": "retrieve", "do": [{"kind": "answer", "status": 503}], "times": None}]},
        ),
    ],
)
def test_a_key_that_was_revoked_and_a_provider_that_is_away_are_found(
    stack: Stack, reason: str, faults: str, provider: dict[str, Any]
) -> None:
    """The log line says which it is, and since when."""
    with going(stack) as run:
        stack.provider_settings(provider)
        look(stack, run, faults, reason, 40 * MINUTES)
        Console(stack).wait_for_alarm("ProviderTroubleAlarm")
        lines = [json.loads(line) for line in stack.logs("poll", "trouble_with") if run in line]
        assert reason in {line.get("trouble_with") for line in lines}
        stack.provider_settings({"api_key": None, "faults": []})


def test_a_key_that_was_never_right_is_found(stack: Stack) -> None:
    """The run is refused within seconds; nothing of it lasts."""
    run = Operator(stack).refused_run()
    console = Console(stack)
    console.wait_for_alarm("AccountRefusedAlarm")
    assert {"why": "key-refused", "last_run": run}.items() <= console.row_of("what failed and why", run).items()


def test_a_queue_that_has_been_full_for_a_day_is_found(stack: Stack) -> None:
    """The provider answers that a limit is reached, since yesterday."""
    busy = {
        "call": "create",
        "do": [{"kind": "answer", "status": 429, "headers": {"retry-after": "3600"}}],
        "times": None,
    }
    stack.provider_settings({"faults": [busy]})
    run = Operator(stack).unsent_run()
    LiveRun(stack, run).fact("batches/1/refused-1.json")
    look(stack, run, "HTTP 429", "room", 25 * HOURS)
    console = Console(stack)
    console.wait_for_alarm("QueueFullAlarm")
    assert console.row_of("what waits", run)["for_what"] == "room"
    Operator(stack).stop(run)
    assert LiveRun(stack, run).first_status() == "stopped"


def test_a_function_that_lacks_a_permission_is_found(stack: Stack) -> None:
    """It has failed for half an hour: the first errors are put in, the last one is real."""
    name = stack.functions["poll"]
    for minutes in (21, 11):
        moment = datetime.now(UTC) - timedelta(minutes=minutes)
        data = {
            "MetricName": "Errors",
            "Dimensions": [{"Name": "FunctionName", "Value": name}],
            "Value": 1,
            "Timestamp": moment,
        }
        stack.aws.client("cloudwatch").put_metric_data(Namespace="AWS/Lambda", MetricData=[data])
    role = stack.lambdas.get_function_configuration(FunctionName=name)["Role"].rsplit("/", 1)[-1]
    console = Console(stack)
    with Scene(stack, role, "ReadAndWriteLedger").without():
        run = Operator(stack).unsent_run()
        row = console.row_of("errors of functions", run)
        console.wait_for_alarm("PollErrorsAlarm")
    assert "not authorized to perform: s3:" in row["error"]
    assert row["function_name"] == name
    assert LiveRun(stack, run).first_status() == "completed"


def test_an_account_that_does_not_balance_is_found(stack: Stack) -> None:
    """Somebody has changed the plan of a run."""
    operator = Operator(stack)
    run = operator.going_run(requests=2)
    key = f"runs/{run}/plan.jsonl"
    validated, planned = map(json.loads, stack.object(key).splitlines())
    planned["end_byte"] //= 2  # at the end of the first line
    stack.s3.put_object(
        Bucket=stack.bucket, Key=key, Body="".join(f"{json.dumps(each)}\n" for each in (validated, planned))
    )
    stack.provider_settings({"seconds": 0})
    LiveRun(stack, run).message("unbalanced")
    console = Console(stack)
    console.wait_for_alarm("UnbalancedAlarm")


def test_what_is_running_and_what_waits_is_in_the_tables(stack: Stack) -> None:
    """A run that has ended is in neither."""
    console, operator = Console(stack), Operator(stack)
    ended, held = operator.ended_run(), operator.held_run()
    assert console.row_of("what waits", held)["for_what"] == "approval"
    assert console.row_of("what is running", held)["planned"] == "1"
    assert console.row_of("what failed and why", ended)["why"] == "api_error"
    assert ended not in {row["run"] for table in ("what waits", "what is running") for row in console.rows(table)}
    operator.stop(held)
