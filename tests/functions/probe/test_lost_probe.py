"""The answer to the probe's own call is lost: it is paid once, and never taken for the rest, or the rest for it."""

from typing import Any

import orjson
import pytest

from tests.support.belt import Belt, drop_of
from tests.support.faults.dialects import DIALECTS
from tests.support.faults.scenes import LOST, UNSENT, commands, run_command
from tests.support.gates import HOUR
from tests.support.probes import DATA, IN_PROBE, REST, of_probe, of_rest, sent, upload
from tests.support.promises import check
from tests.support.settings import STACK_SETTINGS


@pytest.fixture(params=DIALECTS)
def stack_settings(request: pytest.FixtureRequest) -> dict[str, str]:
    """Return the settings of a stack of each dialect."""
    name = DIALECTS[request.param].name
    return STACK_SETTINGS | {"BATCH_API": name, "POLL_MIN_SECONDS": "600", "POLL_MAX_SECONDS": "900"}


@pytest.fixture
def dialect(request: pytest.FixtureRequest, belt: Belt) -> None:
    """Let the server be as its dialect is."""
    belt.server_settings = DIALECTS[request.node.callspec.params["stack_settings"]].server
    belt.reset()


@pytest.mark.usefixtures("dialect")
@pytest.mark.parametrize("fault", [LOST, UNSENT])
def test_a_lost_answer_to_the_call_of_the_probe_is_settled_by_proof(belt: Belt, fault: dict[str, Any]) -> None:
    """It is adopted, or sent again once it is surely not there."""
    belt.provider.configure(faults=[fault])
    run = upload(belt)
    check(belt, run, belt.finish(run), DATA)
    assert sent(belt) == [(of_probe(run), IN_PROBE), (of_rest(run), REST)]


@pytest.mark.usefixtures("dialect")
def test_a3_a_lost_answer_to_the_call_of_the_rest_is_not_settled_by_the_probe(belt: Belt) -> None:
    """A3: both have fifty requests."""
    data = drop_of(100)
    run = upload(belt, data)
    probe = belt.fact(run, "probe/batches/1/batch-1.json")["id"]
    belt.provider.configure(faults=[LOST])
    check(belt, run, belt.finish(run), data)
    rest = belt.fact(run, "batches/1/batch-1.json")
    assert (rest["adopted"], rest["id"] != probe) == (True, True)
    assert sent(belt) == [(of_probe(run), 50), (of_rest(run), 50)]


@pytest.mark.usefixtures("dialect")
def test_a_probe_that_was_paid_before_its_ledger_was_lost_is_adopted(belt: Belt) -> None:
    """Its claim outlives the ledger, and names the leg."""
    event = belt.drop(DATA, metadata={"probe": "yes"})
    run = belt.submit(event)["run"]
    batch = belt.fact(run, "probe/batches/1/batch-1.json")["id"]
    for key in belt.stored(f"runs/{run}/"):
        belt.s3.delete_object(Bucket=belt.bucket, Key=key)
    belt.submit(event)
    check(belt, run, belt.finish(run), DATA)
    owner = {"run": f"{run}/probe", "batch": 1, "project": "default"}
    assert orjson.loads(belt.read(f"claims/batches/{batch}")) == owner
    assert sent(belt) == [(of_probe(run), IN_PROBE), (of_rest(run), REST)]


@pytest.mark.usefixtures("dialect")
def test_a_person_decides_for_a_probe_of_which_nobody_can_tell(belt: Belt) -> None:
    """The commands of the message name the leg."""
    unreadable = {"call": "list", "do": {"kind": "answer", "status": 503}, "times": None}
    belt.provider.configure(faults=[LOST, unreadable])
    run = upload(belt)
    while not belt.notices:
        belt.pass_time(belt.poll(run)["wait_seconds"])
    (notice,) = belt.notices
    assert notice["status"] == "undecided"
    assert "batch 1 of the probe" in notice["data"]["first"]
    adopt = commands(notice)[0]
    assert f"control/{run}/probe/batches/1/attempt-1" in adopt
    batch = belt.provider.stats()["batches"][0]["id"]
    run_command(belt, adopt.replace("<batch id>", batch))
    belt.provider.configure(faults=[])
    belt.pass_time(HOUR)
    check(belt, run, belt.finish(run), DATA)
    assert belt.fact(run, "probe/batches/1/batch-1.json")["released"]
