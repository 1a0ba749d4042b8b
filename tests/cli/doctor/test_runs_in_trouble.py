"""Which runs are in trouble, as their ledgers say it: the reason, since when, and few requests."""

from conveyor_cli.doctor.checkup import Wish, checks, found_by
from conveyor_cli.doctor.finding import Finding, State
from conveyor_cli.doctor.reading.desk import Desk
from conveyor_cli.stacks.chosen import ChosenStack
from conveyor_cli.stacks.profiles import Profile
from tests.support.belt import Belt, drop_of
from tests.support.faults.taps import Call, When, tapped
from tests.support.probes import DATA, PROBED

PROFILE = Profile("conveyor", "eu-central-1", "1", {})


def examined(belt: Belt) -> Finding:
    """Return what the check finds."""
    (check,) = [each for each in checks(Wish(0)) if each.name == "runs in trouble"]
    return found_by(check, Desk(ChosenStack(PROFILE, belt.clients.bucket)))


def asked(belt: Belt) -> list[str]:
    """Return the requests of the check."""
    calls = list[str]()

    def listen(call: Call, when: When) -> None:
        calls.extend([call.name] if when == "before" else [])

    with tapped(belt.clients, listen):
        examined(belt)
    return calls


def under_way(belt: Belt, name: str) -> str:
    """Send a batch that takes its time."""
    belt.provider.configure(seconds=3600)
    return belt.upload(drop_of(3), f"inbox/{name}.jsonl")


def look(belt: Belt, *runs: str) -> None:
    """Poll twice."""
    for _ in range(2):
        for run in runs:
            belt.poll(run)
        belt.pass_time(60)


def test_a_run_whose_calls_fail_is_named_with_the_reason_and_since_when(belt: Belt) -> None:
    """Until a look meets it no more. What has ended is not looked at."""
    ended = under_way(belt, "ended")
    belt.provider.configure(seconds=0)
    belt.finish(ended)
    run, began = under_way(belt, "going"), belt.moment
    assert examined(belt).message == "1 run under way, requests about its batches are answered"
    belt.provider.fail("retrieve", {"kind": "answer", "status": 503}, times=None)
    look(belt, run)
    found = examined(belt)
    assert found.state is State.FAILED
    assert found.message == f"{run}: the provider is not available (HTTP 503), since {began:%Y-%m-%dT%H:%M:%SZ}"
    assert found.commands == (f"conveyor watch {run}",)
    belt.provider.configure(faults=[])
    look(belt, run)
    assert examined(belt).state is State.OK


def test_the_batches_of_the_sample_and_of_rounds_are_not_listed(belt: Belt) -> None:
    """They stand between the facts of the run, and may be thousands; their trouble is the run's."""
    run = under_way(belt, "going")
    usual = len(asked(belt))
    for number in range(600):
        for leg in ("probe", "round-1"):
            belt.s3.put_object(Bucket=belt.bucket, Key=f"runs/{run}/{leg}/batches/{number}/part.json", Body=b"{}")
    assert len(asked(belt)) == usual


def test_a_sample_in_trouble_is_trouble_of_its_run(belt: Belt) -> None:
    """No batch is named, so that a batch of the sample is not taken for one of the drop."""
    belt.provider.configure(seconds=3600)
    run = belt.upload(DATA, metadata=PROBED)
    assert belt.stored(f"runs/{run}/probe/batches/1/batch-1.json")
    belt.provider.fail("retrieve", {"kind": "answer", "status": 503}, times=None)
    look(belt, run)
    found = examined(belt)
    assert found.message.startswith(f"{run}: the provider is not available (HTTP 503), since ")
    belt.provider.configure(faults=[])
    look(belt, run)
    assert examined(belt).state is State.OK


def test_a_run_in_trouble_costs_two_requests_more(belt: Belt) -> None:
    """Which trouble is over, and what it is. Three are named; of the others the second is not read."""
    runs = [under_way(belt, str(number)) for number in range(4)]
    usual = len(asked(belt))
    belt.provider.fail("retrieve", {"kind": "answer", "status": 503}, times=None)
    look(belt, runs[1])
    assert len(asked(belt)) == usual + 2
    look(belt, *runs)
    assert len(asked(belt)) == usual + 4 + 3
    message = examined(belt).message
    assert [run in message for run in sorted(runs)] == [True, True, True, False]
    assert message.endswith("; and 1 more")


def test_a_run_that_is_deleted_meanwhile_is_left_out(belt: Belt) -> None:
    """The others are named all the same."""
    runs = sorted(under_way(belt, str(number)) for number in range(2))
    belt.provider.fail("retrieve", {"kind": "answer", "status": 503}, times=None)
    look(belt, *runs)

    def delete(call: Call, when: When) -> None:
        """Delete the first run once its ledger was listed, before its trouble is read."""
        if call.name.startswith("GetObject") and when == "before":
            for key in belt.stored(f"runs/{runs[0]}/"):
                belt.s3.delete_object(Bucket=belt.bucket, Key=key)

    with tapped(belt.clients, delete):
        found = examined(belt)
    assert found.state is State.FAILED
    assert found.message.startswith(f"{runs[1]}: the provider is not available (HTTP 503), since ")
    assert "more" not in found.message


def test_results_that_may_be_lost_are_not_said_to_be_safe(belt: Belt) -> None:
    """A batch that the provider does not know is given up in the end; one that it does not show now is not."""
    run = under_way(belt, "going")
    said = list[str]()
    for status in (503, 404):
        belt.provider.configure(faults=[])
        belt.provider.fail("retrieve", {"kind": "answer", "status": status}, times=None)
        look(belt, run)
        said.append(" ".join(examined(belt).more))
    assert ["results are lost" in words for words in said] == [False, True]
