"""Data in the state machine: each state finds what it reads, and passes on what the next poll needs."""

import json
import re
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Any

import msgspec
import pytest
from botocore.awsrequest import AWSResponse

from conveyor.clients import Clients, Machine
from conveyor.config import Config
from conveyor.domain.drop import Upload
from conveyor.domain.invocation import Invocation
from conveyor.ledger.run_facts import Refusal, Run
from conveyor.poll.poll import poll
from conveyor.report.report import report
from conveyor.s3.bucket import Bucket
from conveyor.settings.budgets import Budgets
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
REMEMBERED = {
    "gate": "{% $states.input.gate ? $states.input.gate : null %}",
    "budget": "{% $states.input.budget ? $states.input.budget : '' %}",
}
"""What poll gets of what messages have said. An execution of an earlier version starts a new one without it."""
STATE = {
    "run": RUN.run,
    "trouble": None,
    "warned": None,
    "gate": None,
    "budget": "",
    "execution": {"number": 1, "events": 0},
}
"""What a poll is asked with."""
ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:run"


def targets(name: str) -> set[str]:
    """Return the names of the states that may follow one."""
    choices = [choice["Next"] for choice in STATES[name].get("Choices", [])]
    return {*choices, *(STATES[name][key] for key in ("Next", "Default") if key in STATES[name])}


def read(name: str, of: str = "input") -> set[str]:
    """Return the paths that a state reads from its input, or from the answer of the function it calls."""
    state = {key: value for key, value in STATES[name].items() if key != "ItemProcessor"}  # which has its own input
    source = r"\$states\.input\.([\w.]+)" if of == "input" else r"\$states\.result\.Payload\.([\w.]+)"
    return set(re.findall(source, json.dumps(state)))


@cache
def answers() -> dict[str, Json]:
    """Return the answer of each function for a refused run."""
    clients, bucket = Clients(), FakeBucket()
    clients.bucket, clients.environment = Bucket(bucket.client, "bucket"), Environment("bucket")
    bucket.objects[Run.key(RUN.run)] = msgspec.json.encode(RUN)
    bucket.objects[Refusal.key(RUN.run)] = msgspec.json.encode(Refusal("w", NOW, "unreadable", "why"))
    invocation = Invocation(timedelta(minutes=2), lambda: NOW)
    return {
        "Poll": poll(STATE, clients, invocation),
        "Submit": submit({"run": RUN.run}, clients, invocation),
        "Report": report({"run": RUN.run}, clients, Invocation(timedelta(seconds=900))),
    }


def start(requests: list[Json], request: Any) -> AWSResponse:
    """Record the request to start an execution."""
    requests.append(json.loads(request.body))
    return answer(200, b'{"executionArn": "arn:aws:states:us-east-1:123456789012:execution:run:1", "startDate": 1}')


@cache
def started() -> Json:
    """Start a run by an upload, and return the input of its execution."""
    requests = list[Json]()
    bucket = FakeBucket()
    bucket.objects["inbox/a.jsonl"] = b"{}"
    upload = Upload("bucket", "inbox/a.jsonl", "v1", 2, "e", datetime(2026, 11, 27, tzinfo=UTC))
    machine = Machine(client("stepfunctions", partial(start, requests)), ARN)
    clients = Clients()
    clients.bucket, clients.machine, clients.settings = Bucket(bucket.client, "bucket"), machine, SETTINGS
    clients.environment = Environment("bucket", stack_id="stack")
    register(upload, clients, partial(Config, Budgets()))
    (request,) = requests
    first: Json = json.loads(request["input"])
    return first


def handed_on(name: str, given: set[str]) -> set[str]:
    """Return the names that a state's output has on every path, given those of its input."""
    output = STATES[name].get("Output")
    if output is None:
        return given
    return set(answers()[name]) if isinstance(output, str) else set(output)


def inputs() -> dict[str, set[str]]:
    """Return the names that each state's input has on every path to it."""
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
    """A missing name fails the execution, perhaps on a path that is taken once a year."""
    assert {path.partition(".")[0] for path in read(name)} <= inputs()[name]
    assert read(name, "payload") <= set(answers().get(name, ()))


def test_the_check_would_find_a_name_that_is_lost() -> None:
    """The check above follows every path: a name that only poll returns is lost after a state that drops it."""
    assert "notice" in inputs()["Notify"]
    assert STATE.keys() <= inputs()["Poll"]
    assert "notice" not in inputs()["Poll"]


def test_poll_gets_the_run_and_what_it_returned_about_trouble_gates_and_events() -> None:
    """The start of trouble, what messages said, and the length of the history are stored nowhere else."""
    payload = {name: INPUT.format(name) for name in STATE} | REMEMBERED
    assert STATES["Poll"]["Arguments"]["Payload"] == payload | {"arn": "{% $states.context.Execution.Id %}"}


def leading_to_poll() -> set[str]:
    """Return the states that lead to the next poll."""
    found, more = set[str](), {"Poll"}
    while more:
        more = {name for name in STATES if targets(name) & more} - found - {"Poll"}
        found |= more
    return found


def test_all_states_of_the_loop_lead_to_poll() -> None:
    """The test below covers these states."""
    assert leading_to_poll() == {"Wait", "Next?", "Submit", "Split", "Notify"}


@pytest.mark.parametrize("name", sorted(leading_to_poll()))
def test_a_state_that_leads_to_poll_passes_on_the_input_of_poll(name: str) -> None:
    """A28: otherwise trouble or a gate would be reported with each poll, and events would not be counted."""
    unchanged = {key: INPUT.format(key) for key in STATE}
    output = STATES[name].get("Output", unchanged)  # without Output, the input is passed on unchanged
    assert {key: output[key] for key in unchanged} == unchanged


def test_a_run_begins_without_trouble() -> None:
    """Its input also has what the first two states read."""
    first = started()
    known = {"run": first["run"], "name": "a", "wait_seconds": SETTINGS.poll_min_seconds}
    assert first == STATE | known


def test_a_run_continues_in_a_new_execution_with_the_data_of_the_old_one() -> None:
    """It begins in the same state as the first; its name has the run and a number."""
    payload = STATES["Continue"]["Arguments"]["Payload"]
    named = "{% $states.context.Execution.Input.name ? $states.context.Execution.Input.name : $states.input.run %}"
    goes_on = {name: INPUT.format(name) for name in started()} | {"name": named}
    assert payload == {"run": INPUT.format("run"), "continue": goes_on}
    assert STATES["Continue"]["Arguments"]["FunctionName"] == STATES["Submit"]["Arguments"]["FunctionName"]
    state = started() | {"execution": {"number": 7, "events": 0}}
    clients, requests = Clients(), list[Json]()
    clients.machine = Machine(client("stepfunctions", partial(start, requests)), ARN)
    submit({"run": state["run"], "continue": state}, clients, Invocation(timedelta(minutes=2), lambda: NOW))
    (request,) = requests
    assert (request["name"], request["stateMachineArn"]) == (f"{state['run']}-7", ARN)
    assert json.loads(request["input"]) == state


def test_a28_the_states_that_name_what_they_pass_on_are_known() -> None:
    """A28: each of them must name the gate; the tests above find one that forgets it. Continue passes an input."""
    named = {name for name in leading_to_poll() if isinstance(STATES[name].get("Output"), dict)}
    assert named == {"Submit", "Split", "Notify"}
    passing = [STATES[name]["Output"] for name in sorted(named)]
    passing += [STATES["Continue"]["Arguments"]["Payload"]["continue"]]
    for name, of_poll in REMEMBERED.items():
        assert [each[name] for each in passing] == [INPUT.format(name)] * 4
        assert STATES["Poll"]["Arguments"]["Payload"][name] == of_poll


def test_an_execution_of_an_earlier_version_continues_in_one_that_remembers_gates() -> None:
    """Its own definition does not pass on what was told of a gate."""
    state = {name: value for name, value in started().items() if name not in {"gate", "budget"}}
    clients, requests = Clients(), list[Json]()
    clients.machine = Machine(client("stepfunctions", partial(start, requests)), ARN)
    submit({"run": state["run"], "continue": state}, clients, Invocation(timedelta(minutes=2), lambda: NOW))
    assert json.loads(requests[0]["input"]) == started()


def test_an_execution_that_was_started_before_is_not_started_again() -> None:
    """Continue is retried if its response was lost; each name can be used once, however its execution ended."""
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
    """Step Functions accepts 80 characters."""
    assert len(f"{started()['run']}-{10**9}") <= 80


def test_a_message_is_made_of_the_fields_of_a_notice() -> None:
    """A missing field would show only when a message is sent."""
    during, at_end = (json.dumps(state) for state in (STATES["Notify"], STATES["TellEnd"]))
    attributes = {"status", "name", "project", "data.event", "data.needs"}
    assert set(re.findall(r"\$states\.input\.notice\.([\w.]+)", during)) == attributes | {"subject"}
    assert read("TellEnd") == attributes | {"run", "subject", "data"}
    for state in (during, at_end):
        assert set(re.findall(r"\$n\.(\w+)", state)) == {"message", "subject", "data"}
    assert {"run", "message", "subject", "data", "status", "name", "project"} == set(Notice._fields)


def test_split_gets_run_and_batch() -> None:
    """There is one request for each batch that poll named."""
    split = STATES["Split"]
    assert split["Items"] == INPUT.format("batches")
    assert split["ItemSelector"].keys() == {"run", "batch"}
    assert split["ItemProcessor"]["States"]["SplitBatch"]["Arguments"]["Payload"] == "{% $states.input %}"
