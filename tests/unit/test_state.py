"""What travels in the machine's state: each state finds what it reads, and hands on what the next poll needs."""

import functools
import json
import re
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from conveyor import keys
from conveyor.clients import Clients, Machine
from conveyor.drop import Upload
from conveyor.intake import receive
from conveyor.invocation import Invocation
from conveyor.notice import Notice
from conveyor.polling import poll
from conveyor.records import Refusal
from conveyor.reporting import report
from conveyor.storage import Storage
from conveyor.submitting import submit
from tests.unit import template
from tests.unit.examples import NOW, RUN, SETTINGS
from tests.unit.template import Json
from tests.unit.wire import Bucket, answer, client

STATES: dict[str, Json] = template.definition()["States"]
INPUT = "{{% $states.input.{} %}}"
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
    clients, bucket = Clients(), Bucket()
    clients.storage = Storage(bucket.client, "bucket")
    bucket.objects[keys.run(RUN.run)] = msgspec.json.encode(RUN)
    bucket.objects[keys.refused(RUN.run)] = msgspec.json.encode(Refusal("w", NOW, "unreadable", "why"))
    event, invocation = {"run": RUN.run, "trouble": None}, Invocation(timedelta(minutes=2), lambda: NOW)
    return {
        "Poll": poll(event, clients, invocation),
        "Submit": submit({"run": RUN.run}, clients, invocation),
        "Report": report({"run": RUN.run}, clients),
    }


@functools.cache
def started() -> Json:
    """Let an upload start a run, and give the first state of its execution."""
    inputs = list[Json]()

    def start(request: Any) -> Any:
        inputs.append(json.loads(json.loads(request.body)["input"]))
        return answer(200, b'{"executionArn": "arn:aws:states:us-east-1:123456789012:execution:run:1", "startDate": 1}')

    bucket = Bucket()
    bucket.objects["inbox/a.jsonl"] = b"{}"
    upload = Upload("bucket", "inbox/a.jsonl", "v1", 2)
    machine = Machine(client("stepfunctions", start), ARN)
    receive(upload, Storage(bucket.client, "bucket"), machine, SETTINGS, "stack")
    (first,) = inputs
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
    assert "notice" in inputs()["Tell"]
    assert {"run", "trouble"} <= inputs()["Poll"]
    assert "notice" not in inputs()["Poll"]


def test_poll_is_asked_with_the_run_and_with_what_it_said_of_trouble() -> None:
    """Since when it lasts, and whether it was told, is known nowhere else."""
    payload = STATES["Poll"]["Arguments"]["Payload"]
    assert payload == {"run": INPUT.format("run"), "trouble": INPUT.format("trouble")}


def leading_to_poll() -> set[str]:
    """Give the states from which the next poll can be reached before any other is."""
    found, more = set[str](), {"Poll"}
    while more:
        more = {name for name in STATES if targets(name) & more} - found - {"Poll"}
        found |= more
    return found


def test_all_states_of_the_loop_lead_to_poll() -> None:
    """Those that the test below is about."""
    assert leading_to_poll() == {"Wait", "Next?", "Submit", "Split", "Tell"}


@pytest.mark.parametrize("name", sorted(leading_to_poll()))
def test_a_state_that_leads_to_poll_hands_on_run_and_trouble(name: str) -> None:
    """Trouble that is forgotten on the way would be told again and again, or never."""
    unchanged = {key: INPUT.format(key) for key in ("run", "trouble")}
    output = STATES[name].get("Output", unchanged)  # without one, the input goes on as it is
    assert {key: output[key] for key in unchanged} == unchanged


def test_a_run_begins_without_trouble() -> None:
    """And with what the first two states read."""
    first = started()
    assert first["run"]
    assert first["trouble"] is None
    assert first["wait_seconds"] == SETTINGS.poll_min_seconds


def test_a_message_is_made_of_what_was_worded() -> None:
    """A field that a notice does not have would be found missing when a person must be told."""
    told = {path.removeprefix("notice.") for path in read("Tell") if path.startswith("notice.")}
    assert told == {"subject", "message", "status", "name"}
    assert read("Notify") == told | {"run"} == set(Notice._fields)


def test_a_split_is_asked_with_run_and_batch() -> None:
    """For each batch that poll named."""
    split = STATES["Split"]
    assert split["Items"] == INPUT.format("batches")
    assert split["ItemSelector"].keys() == {"run", "batch"}
    assert split["ItemProcessor"]["States"]["SplitBatch"]["Arguments"]["Payload"] == "{% $states.input %}"
