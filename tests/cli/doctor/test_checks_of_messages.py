"""What the checks of subscriptions, alarms, queues and stopped runs say, and which commands they name."""

import json
import shlex
from typing import Any

import pytest

from conveyor.ledger.run_facts import LastingTrouble
from conveyor_cli.doctor.checks import messages, runs
from conveyor_cli.doctor.finding import Finding, State
from conveyor_cli.doctor.template import UNKNOWN
from tests.cli.doctor.judged import REGION, TOPIC, said
from tests.cli.doctor.test_template import deployed
from tests.support import template
from tests.support.examples import NOW


def subscription(arn: str, endpoint: str = "anna@example.org") -> dict[str, str]:
    """Return a subscription by mail."""
    return {"SubscriptionArn": arn, "Protocol": "email", "Endpoint": endpoint}


def test_a_subscription_must_be_confirmed() -> None:
    """One that is pending is named, with the command that sends its mail again."""
    well = messages.subscriptions(REGION, TOPIC, [subscription(f"{TOPIC}:1")])
    assert well.message == "1 confirmed subscription (email)"
    assert said(messages.subscriptions(REGION, TOPIC, []), "nobody", command="aws sns subscribe")
    assert said(messages.subscriptions(REGION, TOPIC, [subscription("Deleted")]), "nobody is subscribed")
    pending = [subscription(f"{TOPIC}:1"), subscription("PendingConfirmation", "x'; rm -rf /")]
    finding = messages.subscriptions(REGION, TOPIC, pending)
    assert said(finding, "not confirmed: x'; rm -rf /", command="aws sns subscribe")
    assert shlex.split(finding.commands[0])[-1] == "x'; rm -rf /"


def test_alarms_are_there_on_and_quiet() -> None:
    """Each of them sends to the topic."""
    alarm = {"AlarmName": "n", "StateValue": "OK", "ActionsEnabled": True, "AlarmActions": [TOPIC]}

    def judge(**changes: Any) -> Finding:
        return messages.alarms(REGION, TOPIC, {"A": messages.Alarm("n", {})}, {"n": alarm | changes})

    assert judge().state is State.OK
    assert said(judge(ActionsEnabled=False), "tells nobody", command="aws cloudwatch enable-alarm-actions")
    assert said(judge(AlarmActions=[]), "does not send to the topic", command="aws cloudwatch put-metric-alarm")
    assert said(judge(StateValue="ALARM"), "A is in ALARM", command="aws cloudwatch describe-alarms")


@pytest.mark.parametrize("name", sorted(template.resources("AWS::CloudWatch::Alarm")))
def test_an_alarm_that_does_not_exist_is_restored_as_it_was_deployed(name: str) -> None:
    """By one line: nothing of it is unknown here, and AWS takes each property by its name in the template."""
    properties = deployed().properties(name)
    finding = messages.alarms(REGION, TOPIC, {name: messages.Alarm("n", properties)}, {})
    assert said(finding, f"{name} does not exist", command="aws cloudwatch put-metric-alarm")
    (command,) = finding.commands
    assert UNKNOWN not in command
    assert "\n" not in command
    assert json.loads(shlex.split(command)[-1]) == {"AlarmName": "n", **properties}


def test_a_drilled_alarm_must_act() -> None:
    """Its history says whether it did."""
    assert messages.drill(REGION, "n", ["Successfully executed action t"]).state is State.OK
    assert said(messages.drill(REGION, "n", []), "no action", command="aws cloudwatch describe-alarm-history")
    assert said(messages.drill(REGION, "n", ["Failed to execute action t"]), "Failed to execute action t")
    assert messages.drill_unasked().state is State.UNASKED


def test_a_queue_that_is_not_empty_is_named() -> None:
    """With the command that shows what is in it."""
    assert messages.queues(REGION, {"Q": ("url", 0)}).message == "1 of 1 empty"
    assert said(messages.queues(REGION, {"Q": ("url", 2)}), "Q has 2 messages", command="aws sqs receive-message")


def test_executions_that_stopped_are_named_with_the_redrive() -> None:
    """The newest three; the others are counted."""
    assert runs.executions(REGION, [], 14).message == "0 failed executions in 14 days"
    arn = "arn:aws:states:eu-central-1:1:execution:m:{}"
    found = [{"name": f"run-{n}", "executionArn": arn.format(n), "status": "TIMED_OUT"} for n in range(5)]
    finding = runs.executions(REGION, found, 14)
    assert said(finding, "5 runs stopped: run-0 timed out, run-1", "and 2 more", command="aws stepfunctions redrive-")


def test_runs_that_are_too_many_to_look_at_are_counted() -> None:
    """Whether they are in trouble is not known."""
    assert runs.troubles({}, 0, 0, 0).message == "0 runs under way"
    assert runs.troubles({}, 0, 500, 7).message == (
        "500 runs under way, requests about their batches are answered; 7 older ones not looked at"
    )
    fact = LastingTrouble("w", NOW, "busy", NOW, "HTTP 429")
    assert said(runs.troubles({"a": fact}, 9, 500, 7), "a: the provider is busy, or a limit", "8 more; 7 older ones")
