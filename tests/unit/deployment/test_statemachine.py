"""The definition of the state machine matches the code, and every execution ends as documented."""

import itertools
import json
import re
from collections.abc import Iterator

import pytest

from conveyor.domain.schedule import Next
from tests.support import template
from tests.support.template import Json

DAY = 24 * 60 * 60


def scopes() -> Iterator[Json]:
    """Return the machine, and the inner ones of each Map and Parallel: everything with StartAt and States."""
    yield template.definition()
    for state in template.definition()["States"].values():
        if "ItemProcessor" in state:
            yield state["ItemProcessor"]
        yield from state.get("Branches", [])


def states() -> dict[str, Json]:
    """Return every state by name, including those in a Map or a Parallel."""
    return {name: state for scope in scopes() for name, state in scope["States"].items()}


def targets(state: Json) -> set[str]:
    """Return the names of the states that may come next."""
    choices = [choice["Next"] for choice in state.get("Choices", [])]
    return {*choices, *(state[key] for key in ("Next", "Default") if key in state)}


def tasks() -> dict[str, Json]:
    """Return every Task by name."""
    return {name: state for name, state in states().items() if state["Type"] == "Task"}


def called(task: Json) -> str | None:
    """Return the template's name of the function that a Task calls; None if it calls another service."""
    name = task["Arguments"].get("FunctionName")
    if name is None:
        return None
    substitutions = template.resources("AWS::Serverless::StateMachine")["Machine"]["DefinitionSubstitutions"]
    return str(substitutions[name.strip("${}")]["Ref"]).removesuffix(".Version")


def waits(retry: Json) -> list[float]:
    """Return the seconds between the attempts of one retrier."""
    doubling = (retry["IntervalSeconds"] * retry["BackoffRate"] ** n for n in itertools.count())
    return [min(wait, retry["MaxDelaySeconds"]) for wait in itertools.islice(doubling, retry["MaxAttempts"])]


def linted(definition: Json) -> set[str]:
    """Lint a definition with cfn-lint, which reads it only in a plain state machine, not in SAM's."""
    deployed = json.loads(json.dumps(definition).replace("${Partition}", "aws"))  # cfn-lint does not remove it
    properties = {"RoleArn": "arn:aws:iam::123456789012:role/machine", "Definition": deployed}
    machine = {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}
    return template.lint({"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"Machine": machine}})


@pytest.mark.slow
def test_the_definition_is_valid_amazon_states_language() -> None:
    """A mistake here deploys, and shows only when a run reaches it."""
    assert linted(template.definition()) == set()


def test_the_check_of_the_definition_would_see_a_mistake() -> None:
    """The check above finds a JSONPath field in a JSONata state, so it does read the definition."""
    machine = template.definition()
    broken = machine | {"States": machine["States"] | {"Poll": machine["States"]["Poll"] | {"InputPath": "$.run"}}}
    assert any("InputPath" in found for found in linted(broken))


def test_every_state_that_is_named_exists() -> None:
    """A Next to a missing state passes every linter and fails a run halfway."""
    for scope in scopes():
        named = {scope["StartAt"]}.union(*map(targets, scope["States"].values()))
        assert named <= scope["States"].keys()


def test_every_state_can_be_reached() -> None:
    """An unreachable state would never do what it is for."""
    for scope in scopes():
        reached, found = set[str](), {scope["StartAt"]}
        while found:
            reached |= found
            found = set().union(*(targets(scope["States"][name]) for name in found)) - reached
        assert reached == scope["States"].keys()


def test_every_path_ends() -> None:
    """A state has Next, Choices or End; none ends an execution by oversight."""
    for name, state in states().items():
        assert targets(state) or state.get("End") or state["Type"] in {"Succeed", "Fail"}, name


def test_the_choice_has_exactly_the_answers_of_the_code() -> None:
    """An answer the machine does not know fails the execution; one that poll never returns is a dead branch."""
    choice = states()["Next?"]
    words = [re.fullmatch(r"\{% \$states\.input\.next = '(\w+)' %\}", c["Condition"]) for c in choice["Choices"]]
    assert sorted(word.group(1) for word in words if word) == sorted(Next)
    assert len(words) == len(Next)


def test_an_unknown_answer_fails_at_once() -> None:
    """The execution fails instead of waiting forever, so a message reports it."""
    unknown = states()[states()["Next?"]["Default"]]
    assert (unknown["Type"], unknown["Error"]) == ("Fail", "UnknownNext")


def test_no_state_swallows_a_failure() -> None:
    """A Catch would end a failed Task, and a redrive would then not run it again."""
    assert [name for name, state in states().items() if "Catch" in state] == []


@pytest.mark.parametrize("name", sorted(tasks()))
def test_a_task_is_retried_for_a_day(name: str) -> None:
    """An outage of hours passes unnoticed: any error, 15 minutes apart at most, for 24 hours."""
    (retry,) = tasks()[name]["Retry"]
    assert retry["ErrorEquals"] == ["States.ALL"]
    assert max(waits(retry)) == 15 * 60
    assert DAY <= sum(waits(retry)) < DAY + 15 * 60
    assert "JitterStrategy" not in retry, "jitter would halve the day"


def test_all_tasks_are_retried_in_the_same_way() -> None:
    """A definition has no place for what states share, so each has a copy; also the one that reports failed runs."""
    red: Json = json.loads((template.PROJECT / "statemachine" / "red.asl.json").read_text())
    blocks = [state["Retry"] for state in (*states().values(), *red["States"].values()) if "Retry" in state]
    assert len(blocks) > len(tasks())
    assert all(block == blocks[0] for block in blocks)


@pytest.mark.parametrize("name", sorted(tasks()))
def test_a_task_times_out_later_than_its_function(name: str) -> None:
    """Otherwise a second attempt would run beside the first, which is still running."""
    task = tasks()[name]
    function = called(task)
    longest = 0 if function is None else template.functions()[function]["Timeout"]
    assert task["TimeoutSeconds"] > longest


def test_every_function_is_called() -> None:
    """Four functions, submit also to continue a run; a message during a run, one at its end, and an event."""
    expected = [*template.FUNCTIONS, "Submit", "events:putEvents", "sns:publish", "sns:publish"]
    found = [called(task) or task["Resource"].partition("states:::")[2] for task in tasks().values()]
    assert sorted(found) == sorted(expected)


def test_an_execution_of_an_earlier_version_can_start_the_next_one() -> None:
    """It calls functions of its version, which pass on what they know: on AWS a missing field fails an execution."""
    payload = states()["Poll"]["Arguments"]["Payload"]
    for name, first in (("gate", "null"), ("budget", "''")):
        assert payload[name] == f"{{% $states.input.{name} ? $states.input.{name} : {first} %}}"


def test_a_map_is_not_retried_as_a_whole() -> None:
    """Its items are retried individually; a Retry on the Map would split all batches again."""
    split = states()["Split"]
    assert "Retry" not in split
    assert split["MaxConcurrency"] == 2


def test_the_message_and_the_event_at_the_end_do_not_wait_for_each_other() -> None:
    """Each is retried for a day. A retry of both together would repeat the one that succeeded."""
    tell = states()["TellEnd"]
    assert [list(branch["States"]) for branch in tell["Branches"]] == [["NotifyEnd"], ["SendEvent"]]
    assert "Retry" not in tell
    assert states()["Report"]["Next"] == "TellEnd"
    (entry,) = states()["SendEvent"]["Arguments"]["Entries"]
    detail = "{% $states.input.data %}"
    assert entry == {"Source": "conveyor", "DetailType": "Conveyor Run Ended", "Detail": detail}


def test_the_machine_outlives_the_provider() -> None:
    """Results are kept for 29 days; a run may wait that long, but must end."""
    assert 29 * DAY < template.definition()["TimeoutSeconds"] <= 40 * DAY


@pytest.mark.parametrize("name", ["Notify", "NotifyEnd"])
def test_a_message_carries_what_subscribers_filter_by(name: str) -> None:
    """Filter policies of subscriptions use these attributes, during a run and at its end."""
    message = states()[name]
    assert message["Resource"] == "arn:${Partition}:states:::sns:publish"
    assert message["Arguments"]["TopicArn"] == "${Topic}"
    attributes = message["Arguments"]["MessageAttributes"]
    assert sorted(attributes) == ["event", "name", "needs", "project", "run", "status"]
    assert {attribute["DataType"] for attribute in attributes.values()} == {"String"}


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_every_task_calls_a_service_of_the_partition_it_is_deployed_to(partition: str) -> None:
    """With the ARN of another partition a state machine deploys, but every execution fails."""
    substitutions = template.resources("AWS::Serverless::StateMachine")["Machine"]["DefinitionSubstitutions"]
    assert substitutions["Partition"] == {"Ref": "AWS::Partition"}
    called_services = {task["Resource"].replace("${Partition}", partition) for task in tasks().values()}
    services = ("lambda:invoke", "sns:publish", "events:putEvents")
    assert called_services == {f"arn:{partition}:states:::{service}" for service in services}


@pytest.mark.parametrize("source", ["template.yaml", "statemachine/run.asl.json"])
def test_nothing_that_is_deployed_names_a_partition(source: str) -> None:
    """GovCloud and the Regions in China have other partitions than `aws`."""
    assert re.findall(r"arn:aws[a-z-]*:", (template.PROJECT / source).read_text()) == []


def test_every_substitution_is_given_and_used() -> None:
    """A forgotten one would be deployed as the literal text `${…}`."""
    machine = template.resources("AWS::Serverless::StateMachine")["Machine"]
    used = set(re.findall(r"\$\{(\w+)\}", str(template.definition())))
    assert used == machine["DefinitionSubstitutions"].keys()
