"""A stack of the last release is updated to this code while runs are under way, on the local AWS.

Each execution ends with the versions of functions that it began with, under the roles of today; one that continues in
another execution ends with the functions of today.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from local.paths import ROOT
from local.process import interruptible
from tests.golden import sources
from tests.support.belt import drop_of
from tests.support.probes import of_probe, of_rest
from tests.support.promises import check_outputs
from tests.support.settings import tuned
from tests.support.system.release import deployed, update
from tests.support.system.runs import SHORT_TIMES, WAITING, LiveRun, commands, dropped
from tests.system.conftest import PROVIDER, WAIT_SCALE
from tests.system.test_drops import invoke

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack.stack import Stack

PARAMETERS = tuned(SHORT_TIMES, ResultsDatabase="conveyor")
"""Without a low limit of events: runs that wait for a slow update would need other executions."""
FORMER_PARAMETERS = {
    "0.1.0": {
        "PostSeconds": "5",
        "SettleSeconds": "3",
        "RereadSeconds": "1",
        "TroubleSeconds": "3",
        "RoundSeconds": "1",
        "RetryRounds": "0",
        "LineForm": "params",
        "AllowTools": "no",
        "ResultsDatabase": "conveyor",
    }
}
"""Of releases whose parameters had other names."""
FEW_EVENTS = 100
"""An execution has more after a dozen looks."""
PROBED = 60
LONG = 300.0
"""Timeout in seconds: all runs are under way at the same time, on machines that may be busy."""


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """Deploy the last release, which the test updates."""
    release = sources.last_other(ROOT)
    parameters = FORMER_PARAMETERS.get(release, PARAMETERS)
    with interruptible(), deployed(release, parameters, PROVIDER, WAIT_SCALE) as stack:
        yield stack


def has_other_code(release: str) -> bool:
    """Whether the functions of a release are not those of today. Those that are the same get no new versions."""
    then, now = sources.of(release), sources.unpacked(sources.packed(ROOT))
    code = {path for path in then | now if path.startswith(("functions/", "layers/"))}
    return any(then.get(path) != now.get(path) for path in code)


def go_on_elsewhere(run: LiveRun) -> None:
    """Let a run need another execution soon, instead of after days."""
    key = f"runs/{run.run}/run.json"
    fact = run.fact("run.json")
    fact["settings"]["max_events"] = FEW_EVENTS
    run.stack.s3.put_object(Bucket=run.stack.bucket, Key=key, Body=json.dumps(fact))


def called(run: LiveRun) -> list[set[str]]:
    """Return the versions of functions that each execution of a run has called."""
    found = []
    for history in run.histories():
        scheduled = [each["taskScheduledEventDetails"] for each in history if each["type"] == "TaskScheduled"]
        arguments = [json.loads(each["parameters"]) for each in scheduled if each["resource"] == "invoke"]
        found.append({each["FunctionName"] for each in arguments})
    return found


def versions(stack: Stack) -> set[str]:
    """Return the versions of functions that executions call from now on."""
    machine = stack.states.describe_state_machine(stateMachineArn=stack.outputs["StateMachineArn"])
    states = json.loads(machine["definition"])["States"].values()
    return {state["Arguments"]["FunctionName"] for state in states if "FunctionName" in state.get("Arguments", {})}


def ended(run: LiveRun, data: bytes) -> Any:
    """Wait for the end of a run, compare its files with its drop, and return the receipt."""
    run.message("completed", LONG)
    receipt = run.receipt(LONG)
    check_outputs(receipt, run.outputs(), data, is_of_today=False)
    return receipt


def test_runs_of_the_last_release_end_after_an_update_and_nothing_is_paid_twice(stack: Stack) -> None:
    """One waits for a person, one for the answer to its probe, one for its batch, and one needs another execution."""
    stack.provider_settings({"seconds": None})
    data = {"held": drop_of(3), "probed": drop_of(PROBED), "sent": drop_of(4), "long": drop_of(5)}
    metadata = {"held": {"hold": "always"}, "probed": {"probe": "yes"}}
    old = {name: dropped(stack, f"inbox/{name}.jsonl", data[name], metadata.get(name)) for name in data}
    approve, _ = commands(old["held"].message(WAITING))
    old["probed"].fact("probe/batches/1/batch-1.json")
    for name in ("sent", "long"):
        old[name].fact("batches/1/batch-1.json")
    before, paid = versions(stack), stack.provider_stats()["created"]
    assert paid == 3

    new = update(stack, PARAMETERS)
    assert (new.bucket, new.outputs["StateMachineArn"]) == (stack.bucket, stack.outputs["StateMachineArn"])
    assert before.isdisjoint(versions(new)) is has_other_code(sources.last_other(ROOT))
    runs = {name: LiveRun(new, run.run) for name, run in old.items()}
    drop = runs["sent"].fact("run.json")["drop"]
    stored = {"key": drop["key"], "size": drop["bytes"], "version-id": drop["version"]}
    again = invoke(new, {"detail": {"bucket": {"name": new.bucket}, "object": stored}})
    assert (again["run"], new.provider_stats()["created"]) == (runs["sent"].run, paid)

    go_on_elsewhere(runs["long"])
    new.wait_for(lambda: len(runs["long"].executions()) > 1 or None, LONG, "another execution")
    new.provider_settings(PROVIDER)
    runs["held"].execute(approve)
    receipts = {name: ended(run, data[name]) for name, run in runs.items()}

    for name in ("held", "probed", "sent"):
        (versions_called,) = called(runs[name])
        assert versions_called <= before
    first, *later = called(runs["long"])
    assert first <= before
    assert set().union(*later) <= versions(new)
    assert later
    assert [len(receipt["batches"]) for receipt in receipts.values()] == [1] * len(receipts)
    sent = [(batch["first_custom_id"].split("-")[0], batch["requests"]) for batch in new.provider_stats()["batches"]]
    probed = receipts["probed"]["probe"]["requests"]
    ids = {name: of_rest(run.run) for name, run in runs.items()}
    expected = [(ids["held"], 3), (of_probe(runs["probed"].run), probed), (ids["probed"], PROBED - probed)]
    assert sorted(sent) == sorted([*expected, (ids["sent"], 4), (ids["long"], 5)])


def test_a_drop_after_the_update_has_the_code_of_today(stack: Stack) -> None:
    """The upload event calls the functions as they are deployed now."""
    run = dropped(stack, "inbox/new.jsonl", drop_of(2))
    ended(run, drop_of(2))
    assert set().union(*called(run)) <= versions(stack)
