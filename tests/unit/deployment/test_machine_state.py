"""What travels in the machine's state: each state finds what it reads, and hands on what the next poll needs."""

import functools
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from botocore.awsrequest import AWSResponse

from conveyor.clients import Clients, Machine
from conveyor.domain.drop import Upload
from conveyor.domain.invocation import Invocation
from conveyor.ledger.run_facts import Refusal, Run
from conveyor.poll.poll import poll
from conveyor.report.report import report
from conveyor.s3.bucket import Bucket
from conveyor.settings.settings import Environment
from conveyor.submit.register import register
from conveyor.submit.submit import submit
from conveyor.wording.notice import Notice
from tests.support import template
from tests.support.examples import NOW, RUN, SETTINGS
from tests.support.fake_aws import FakeBucket, answer, client
from tests.support.template import Json

STATES: dict[str, Json] = template.definition()["States"]
INPUT = "{{% $states.input.{} %}}"
STATE = {"run": RUN.run, "trouble": None, "warned": None, "execution": {"number": 1, "events": 0}}
"""What a poll is asked with."""
ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:run"


def targets(name: str) -> set[str]:
    """Give the names of the states that may come after one."""
    choices = [choice["Next"] for choice in STATES[name].get("Choices", [])]
    return {*choices, *(STATES[name][key] for key in ("Next", "Default") if key in STATES[name])}


def read(name: str, of: str = "input") -> set[str]:
    """Give the paths that a state reads of its input, or of the answer of the function it calls."""
    own = {key: value for key, value in STATES[name].items() if key != "ItemProcessor"}  # which has an input of its own
    source = r"\$states\.input\.([\w.]+)" if of == "input" else r"\$states\.result\.Payload\.([\w.]+)"
    return set(re.findall(source, json.dumps(own)))


@functools.cache
def answers() -> dict[str, Json]:
    """Let each function that the machine calls answer for a run that was refused."""
    clients, bucket = Clients(), FakeBucket()
    clients.bucket, clients.environment = Bucket(bucket.client, "bucket"), Environment("bucket")
    bucket.objects[Run.key(RUN.run)] = msgspec.json.encode(RUN)
    bucket.objects[Refusal.key(RUN.run)] = msgspec.json.encode(Refusal("w", NOW, "unreadable", "why"))
    invocation = Invocation(timedelta(minutes=2), lambda: NOW)
    return {
        "Poll": poll(STATE, clients, invocation),
        "Submit": submit({"run": RUN.run}, clients, invocation),
        "Report": report({"run": RUN.run}, clients),
    }


def start(requests: list[Json], request: Any) -> AWSResponse:
    """Start an execution, and keep what was asked."""
    requests.append(json.loads(request.body))
    return answer(200, b'{"executionArn": "arn:aws:states:us-east-1:123456789012:execution:run:1", "startDate": 1}')


@functools.cache
def started() -> Json:
    """Let an upload start a run, and give the first state of its execution."""
    requests = list[Json]()
    bucket = FakeBucket()
    bucket.objects["inbox/a.jsonl"] = b"{}"
    upload = Upload("bucket", "inbox/a.jsonl", "v1", 2, "e", datetime(2026, 11, 27, tzinfo=UTC))
    machine = Machine(client("stepfunctions", functools.partial(start, requests)), ARN)
    register(upload, Bucket(bucket.client, "bucket"), machine, SETTINGS, "stack")
    (request,) = requests
    first: Json = json.loads(request["input"])
    return first


def handed_on(name: str, given: set[str]) -> set[str]:
    """Give the names that a state's output has, whatever the path to it, from those that its input has."""
    output = STATES[name].get("Output")
    if output is None:
        return given
    return set(answers()[name]) if isinstance(output, str) else set(output)


def inputs() -> dict[str, set[str]]:
    """Give the names that each state finds in its input on every path to it."""
    found = {template.definition()["StartAt"]: set(started())}
    changed = True
    while changed:
        changed = False
        for name in list(found):
            for after in targets(name):
                narrowed = handed_on(name, found[name]) & found.get(after, handed_on(name, found[name]))
                changed = changed or found.get(after) != narrowed
                found[after] = narrowed
    return found


@pytest.mark.parametrize("name", sorted(STATES))
def test_a_state_finds_in_its_input_what_it_reads(name: str) -> None:
    """What is not there ends an execution red, on a path that may be walked once a year."""
    assert {path.partition(".")[0] for path in read(name)} <= inputs()[name]
    assert read(name, "payload") <= set(answers().get(name, ()))


def test_the_walk_would_see_a_name_that_is_lost() -> None:
    """The check above follows every path: what only poll answers is gone after a state that keeps it."""
    assert "notice" in inputs()["Notify"]
    assert STATE.keys() <= inputs()["Poll"]
    assert "notice" not in inputs()["Poll"]


def test_poll_is_asked_with_the_run_and_with_what_it_said_of_trouble_and_events() -> None:
    """Since when trouble lasts, whether a message reported it, and how long the history is, is known nowhere else."""
    payload = {name: INPUT.format(name) for name in STATE}
    assert STATES["Poll"]["Arguments"]["Payload"] == payload | {"arn": "{% $states.context.Execution.Id %}"}


def leading_to_poll() -> set[str]:
    """Give the states from which the next poll can be reached before any other is."""
    found, more = set[str](), {"Poll"}
    while more:
        more = {name for name in STATES if targets(name) & more} - found - {"Poll"}
        found |= more
    return found


def test_all_states_of_the_loop_lead_to_poll() -> None:
    """Those that the test below is about."""
    assert leading_to_poll() == {"Wait", "Next?", "Submit", "Split", "Notify"}


@pytest.mark.parametrize("name", sorted(leading_to_poll()))
def test_a_state_that_leads_to_poll_hands_on_what_poll_is_asked_with(name: str) -> None:
    """Otherwise trouble would be reported again and again, or never, and events would not be counted."""
    unchanged = {key: INPUT.format(key) for key in STATE}
    output = STATES[name].get("Output", unchanged)  # without one, the input goes on as it is
    assert {key: output[key] for key in unchanged} == unchanged


def test_a_run_begins_without_trouble() -> None:
    """And with what the first two states read."""
    first = started()
    known = {"run": first["run"], "name": "a", "wait_seconds": SETTINGS.poll_min_seconds}
    assert first == STATE | known


def test_a_run_goes_on_in_a_new_execution_with_what_the_old_one_knew() -> None:
    """It begins in the same state as the first, under a name that says whose it is and the how manieth."""
    payload = STATES["Continue"]["Arguments"]["Payload"]
    named = "{% $states.context.Execution.Input.name ? $states.context.Execution.Input.name : $states.input.run %}"
    goes_on = {name: INPUT.format(name) for name in started()} | {"name": named}
    assert payload == {"run": INPUT.format("run"), "continue": goes_on}
    assert STATES["Continue"]["Arguments"]["FunctionName"] == STATES["Submit"]["Arguments"]["FunctionName"]
    state = started() | {"execution": {"number": 7, "events": 0}}
    clients, requests = Clients(), list[Json]()
    clients.machine = Machine(client("stepfunctions", functools.partial(start, requests)), ARN)
    submit({"run": state["run"], "continue": state}, clients, Invocation(timedelta(minutes=2), lambda: NOW))
    (request,) = requests
    assert (request["name"], request["stateMachineArn"]) == (f"{state['run']}-7", ARN)
    assert json.loads(request["input"]) == state


def test_an_execution_that_was_started_before_is_not_started_again() -> None:
    """Continue is repeated where its answer was lost; a name serves once, however its execution ended."""
    body = b'{"__type": "ExecutionAlreadyExists", "message": "it exists"}'
    requests = list[Any]()

    def refuse(request: Any) -> AWSResponse:
        requests.append(request)
        return answer(400, body)

    clients = Clients()
    clients.machine = Machine(client("stepfunctions", refuse), ARN)
    event = {"run": "run-1", "continue": started()}
    assert submit(event, clients, Invocation(timedelta(minutes=2), lambda: NOW)) == {"run": "run-1"}
    assert len(requests) == 1


def test_the_names_of_all_executions_of_a_run_are_accepted() -> None:
    """Step Functions takes 80 characters."""
    assert len(f"{started()['run']}-{10**9}") <= 80


def test_a_message_is_made_of_the_fields_of_a_notice() -> None:
    """A missing field would be found only when a message is sent."""
    fields = {path.removeprefix("notice.") for path in read("Notify") if path.startswith("notice.")}
    assert fields == {"subject", "message", "status", "name"}
    assert read("NotifyEnd") == fields | {"run"} == set(Notice._fields)


def test_a_split_is_asked_with_run_and_batch() -> None:
    """For each batch that poll named."""
    split = STATES["Split"]
    assert split["Items"] == INPUT.format("batches")
    assert split["ItemSelector"].keys() == {"run", "batch"}
    assert split["ItemProcessor"]["States"]["SplitBatch"]["Arguments"]["Payload"] == "{% $states.input %}"
