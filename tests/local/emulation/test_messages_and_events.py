"""What the state machine publishes and sends, as subscribers and rules of the local AWS get it."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from local.stack.local_aws import REGION
from tests.support import template
from tests.support.examples import RUN
from tests.support.message_bodies import check_body
from tests.support.shell.messages import ended, waiting

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.stack.local_aws import Aws

type Json = dict[str, Any]

ACCOUNT = "000000000000"
SECONDS = 60.0
PATTERN = {"source": ["conveyor"], "detail-type": ["Conveyor Run Ended"], "detail": {"status": ["completed"]}}
BUS = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default"


@dataclass(frozen=True)
class Place:
    """A topic with a queue and a mail address, and a rule with a queue."""

    aws: Aws
    name: str

    def arn(self, service: str, resource: str) -> str:
        """Build an ARN."""
        return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"

    @property
    def topic(self) -> str:
        """The topic's ARN."""
        return self.arn("sns", self.name)

    def set_up(self) -> None:
        """Create all."""
        sns, sqs, events = (self.aws.client(service) for service in ("sns", "sqs", "events"))
        sns.create_topic(Name=self.name)
        for kind in ("bodies", "mails", "events"):
            statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
            policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
            sqs.create_queue(QueueName=f"{self.name}-{kind}", Attributes={"Policy": policy})
        bodies = self.arn("sqs", f"{self.name}-bodies")
        sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=bodies)
        sns.subscribe(TopicArn=self.topic, Protocol="email", Endpoint=f"{self.name}-mails@sqs.local")
        events.put_rule(Name=self.name, EventPattern=json.dumps(PATTERN))
        events.put_targets(Rule=self.name, Targets=[{"Id": "1", "Arn": self.arn("sqs", f"{self.name}-events")}])

    def take(self, kind: str) -> list[Json]:
        """Receive what came into a queue."""
        sqs = self.aws.client("sqs")
        url = sqs.get_queue_url(QueueName=f"{self.name}-{kind}")["QueueUrl"]
        return [json.loads(message["Body"]) for message in sqs.receive_message(QueueUrl=url).get("Messages", [])]

    def run(self, state: str, given: Json, *actions: tuple[str, str, Json]) -> Json:
        """Run one state of the machine by a role that may do these things; returns the execution's description."""
        iam, states = self.aws.client("iam"), self.aws.client("stepfunctions")
        trust = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
        role = iam.create_role(RoleName=self.name, AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"]
        allowed = [
            {"Effect": "Allow", "Action": action, "Resource": resource, "Condition": condition}
            for action, resource, condition in actions
        ]
        iam.put_role_policy(RoleName=self.name, PolicyName="p", PolicyDocument=policy(*allowed))
        alone = {**template.definition()["States"][state]} | {"End": True}
        alone.pop("Next")
        definition = json.dumps({"QueryLanguage": "JSONata", "StartAt": state, "States": {state: alone}})
        for name, value in (("Topic", self.topic), ("Partition", "aws")):
            definition = definition.replace("${" + name + "}", value)
        definition = definition.replace('"MaxAttempts": 104', '"MaxAttempts": 0')
        machine = states.create_state_machine(name=self.name, definition=definition, roleArn=role)["stateMachineArn"]
        execution = states.start_execution(stateMachineArn=machine, input=json.dumps(given))["executionArn"]
        described = wait_for(lambda: ended_execution(states, execution))
        assert described, "the execution did not end"
        return described


def policy(*statements: Json) -> str:
    """Return a policy."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def ended_execution(states: Any, execution: str) -> Json | None:
    """Describe an execution once it has ended."""
    described: Json = states.describe_execution(executionArn=execution)
    return described if described["status"] != "RUNNING" else None


def wait_for[T](look_up: Callable[[], T]) -> T:
    """Call `look_up` until it returns something, or the time is over."""
    deadline = time.monotonic() + SECONDS
    while not (value := look_up()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return value


@pytest.fixture
def place(aws: Aws) -> Place:
    """Return a topic and a rule that no other test uses."""
    place = Place(aws, f"m-{uuid4().hex[:8]}")
    place.set_up()
    return place


END = json.loads(json.dumps(ended(RUN, results=2, failures=1).to_state()))
OURS = {"StringEquals": {"events:source": "conveyor"}}


def test_people_get_the_text_programs_the_body_and_rules_the_event(place: Place) -> None:
    """One Parallel publishes the message and sends the event; its output names the run."""
    described = place.run("TellEnd", END, ("sns:Publish", place.topic, {}), ("events:PutEvents", BUS, OURS))
    assert described["status"] == "SUCCEEDED", described
    assert json.loads(described["output"]) == {name: END[name] for name in ("run", "name", "status")}
    (mail,), (body,), (event,) = (wait_for(partial(place.take, kind)) for kind in ("mails", "bodies", "events"))
    assert (mail["Subject"], mail["Message"]) == (END["subject"], END["message"])
    assert json.loads(body["Message"]) == END["data"]
    assert (event["source"], event["detail-type"], event["detail"]) == ("conveyor", "Conveyor Run Ended", END["data"])
    assert described["executionArn"] in event["resources"]
    attributes = {name: value["Value"] for name, value in body["MessageAttributes"].items()}
    assert attributes == {
        "status": "completed", "run": RUN.run, "name": RUN.name, "project": RUN.project, "event": "ended",
        "needs": "user",
    }  # fmt: skip
    check_body(END)


@pytest.mark.parametrize(("may", "came"), [("sns:Publish", "mails"), ("events:PutEvents", "events")])
def test_what_fails_at_the_end_does_not_keep_the_other_back(place: Place, may: str, came: str) -> None:
    """The execution fails, so that it is seen; the message, or the event, has arrived all the same."""
    resource = place.topic if may == "sns:Publish" else BUS
    described = place.run("TellEnd", END, (may, resource, {}))
    assert described["status"] == "FAILED"
    assert "not authorized to perform" in described["cause"]
    assert len(wait_for(lambda: place.take(came))) == 1
    assert place.take("mails" if came == "events" else "events") == []


def test_an_event_of_another_source_is_not_sent(place: Place) -> None:
    """The role may send ours only."""
    others = {"StringEquals": {"events:source": "another"}}
    described = place.run("TellEnd", END, ("sns:Publish", place.topic, {}), ("events:PutEvents", BUS, others))
    assert (described["status"], described["error"]) == ("FAILED", "EventBridge.AccessDeniedException")


def test_a_message_during_a_run_has_a_body_of_its_own(place: Place) -> None:
    """A run that waits says which gate, and what must be approved."""
    notice = json.loads(json.dumps(waiting(RUN).to_state()))
    state = {"run": RUN.run, "wait_seconds": 1, "trouble": None, "warned": None, "gate": None, "budget": "",
             "execution": {"number": 1, "events": 0}, "notice": notice}  # fmt: skip
    assert place.run("Notify", state, ("sns:Publish", place.topic, {}))["status"] == "SUCCEEDED"
    (body,) = wait_for(lambda: place.take("bodies"))
    data = json.loads(body["Message"])
    assert data == notice["data"]
    assert (data["hold"]["gate"], data["hold"]["up_to_usd"]) == (2, "61.40")
    (mail,) = wait_for(lambda: place.take("mails"))
    assert mail["Message"] == notice["message"]


@pytest.mark.parametrize("message", ["no JSON", '{"sqs": "a text"}', '{"default": {"a": 1}}'])
def test_texts_for_protocols_need_a_default(place: Place, message: str) -> None:
    """SNS refuses others."""
    with pytest.raises(ClientError, match="Message Structure"):
        place.aws.client("sns").publish(TopicArn=place.topic, Message=message, MessageStructure="json")
