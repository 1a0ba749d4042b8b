"""Reading a run that the functions drive: each phase is seen, and the figures end as those of the receipt."""

from datetime import timedelta
from decimal import Decimal
from itertools import combinations
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from conveyor.ledger.run_facts import Run
from conveyor.ledger.state import RunState
from conveyor.wording.numbers import span
from conveyor_cli.frames.frame import frame_of
from conveyor_cli.frames.snapshot import Snapshot, as_json, snapshot_of
from conveyor_cli.runs.facts import first_trouble
from conveyor_cli.runs.reader import Reader
from conveyor_cli.state import Phase
from tests.support.belt import FIRST, Belt, drop_of
from tests.support.frames import place
from tests.support.gates import HELD, say, stop
from tests.support.probes import PROBED
from tests.support.rounds import DATA, ROUNDS, failing_at_first
from tests.support.settings import tune


@pytest.fixture
def stack_settings(stack_settings: dict[str, str]) -> dict[str, str]:
    """Cut drops into several batches, and have rounds."""
    return stack_settings | ROUNDS | {"MAX_REQUESTS_PER_BATCH": "3"}


def reader_of(belt: Belt, run: str) -> Reader:
    """Return a reader of a run."""
    return Reader(belt.clients.bucket, msgspec.json.decode(belt.read(Run.key(run)), type=Run))


def watched(belt: Belt, run: str) -> list[Snapshot]:
    """Drive a run to its end, and return what is seen at each step; each has a frame that fits."""
    reader, seen = reader_of(belt, run), list[Snapshot]()

    def look() -> None:
        snapshot = snapshot_of(reader.look(belt.moment), belt.moment)
        assert len(frame_of(snapshot, place())) < 24
        assert as_json(snapshot, belt.moment)["run"] == run
        seen.append(snapshot)

    def call(task: Any) -> Any:
        look()
        return task()

    belt.finish(run, call)
    return seen


def phases(seen: list[Snapshot]) -> list[Phase]:
    """Return the phases that were seen, each once in a row."""
    found = [snapshot.facts.state.phase for snapshot in seen]
    return [phase for at, phase in enumerate(found) if not at or phase != found[at - 1]]


def test_a_run_with_rounds(belt: Belt) -> None:
    """Lines that are sent again count once: at the end the figures are those of the receipt."""
    with failing_at_first(belt):
        run = belt.upload(DATA)
        seen = watched(belt, run)
    assert {Phase.BATCHES, Phase.ROUND} <= set(phases(seen))
    assert phases(seen)[-1] is Phase.WRITING
    receipt, last = belt.receipt(run), seen[-1].total
    assert last.answered == receipt["results"]
    assert last.usd.quantize(Decimal("0.000001")) == Decimal(str(receipt["cost_usd"]))
    assert any(snapshot.total.again for snapshot in seen)
    assert any(row.label == "round 1" for row in seen[-1].rows)


def test_a_run_with_a_sample_and_a_gate(belt: Belt, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is held, its sample is out, and then the rest."""
    tune(monkeypatch, max_requests_per_batch=100)
    run = belt.upload(drop_of(60), metadata=PROBED | HELD)
    reader = reader_of(belt, run)
    held = snapshot_of(reader.look(belt.moment), belt.moment)
    assert held.is_held
    assert held.said.steps[0].command == f"conveyor approve three --up-to {amount_in(held)}"
    say(belt, run, "up-to 50")
    seen = watched(belt, run)
    assert [phase for phase in phases(seen) if phase in {Phase.HELD, Phase.PROBING, Phase.BATCHES}] == [
        Phase.HELD, Phase.PROBING, Phase.BATCHES,
    ]  # fmt: skip
    probing = next(each for each in seen if each.facts.state.phase is Phase.PROBING)
    assert probing.said.first == "A sample of 50 lines is with the provider"
    assert seen[-1].total.answered == 60
    assert as_json(seen[-1], belt.moment)["approved_usd"] == 50


def amount_in(snapshot: Snapshot) -> str:
    """Return the amount that opens the gate."""
    assert snapshot.facts.gate is not None
    assert snapshot.facts.gate.need_usd is not None
    return str(snapshot.facts.gate.need_usd.quantize(Decimal("0.01"), "ROUND_CEILING"))


def test_a_run_that_is_stopped(belt: Belt) -> None:
    """It is seen to end, and what is never sent has a cell of its own; the verdict follows from the receipt."""
    run = belt.upload(drop_of(6))
    stop(belt, run)
    seen = watched(belt, run)
    assert Phase.ENDING in phases(seen)
    verdict = reader_of(belt, run).end()
    assert verdict is not None
    assert verdict.exit == 5
    assert verdict.as_json["failures"] == belt.receipt(run)["failures"]


def test_a_lost_answer(belt: Belt) -> None:
    """It is said first, with the batch."""
    belt.provider.fail("create", {"kind": "answer", "status": 529}, times=1)
    run = belt.upload(drop_of(3))
    snapshot = snapshot_of(reader_of(belt, run).look(belt.moment), belt.moment)
    assert snapshot.said.first.startswith("The answer to the paid call for batch 1 was lost, 0 s ago")
    assert as_json(snapshot, belt.moment)["trouble"]["code"] == "lost"


def test_the_search_for_a_lost_batch_ends_when_the_frame_says(belt: Belt) -> None:
    """And the command by which a person decides before is one that the run takes."""
    belt.provider.fail("create", {"kind": "answer", "status": 503}, times=1)
    run = belt.upload(drop_of(3))
    settle = belt.clients.settings.settle_seconds
    said = snapshot_of(reader_of(belt, run).look(belt.moment), belt.moment).said
    ends = span(timedelta(seconds=settle))
    assert f"The search ends by itself in {ends}: a batch that is not listed by then is sent again." in said.more
    assert [step.command for step in said.steps] == ["conveyor decide three"]
    belt.pass_time(settle - 1)
    belt.poll(run)
    assert not belt.facts(run, "absent")
    belt.pass_time(2)
    late = snapshot_of(reader_of(belt, run).look(belt.moment), belt.moment).said
    assert "The search goes on until the provider's answers show whether it exists." in late.more
    belt.poll(run)
    assert belt.facts(run, "absent")


def test_trouble_in_asking_about_a_batch_is_seen_until_it_is_over(belt: Belt) -> None:
    """Its fact is read once; of several, the one that a person can end."""
    belt.provider.configure(seconds=3600)
    run = belt.upload(drop_of(3))
    reader = reader_of(belt, run)
    belt.provider.fail("retrieve", {"kind": "answer", "status": 503}, times=3)
    for _ in range(2):
        belt.poll(run)
        belt.pass_time(60)
    snapshot = snapshot_of(reader.look(belt.moment), belt.moment)
    assert snapshot.said.first == "The provider is not available (HTTP 503), for 2 min"
    assert snapshot.facts.state.words == "with the provider, calls fail"
    belt.provider.fail("retrieve", {"kind": "answer", "status": 401}, times=None)
    belt.remember(run, FIRST)
    for _ in range(2):
        belt.poll(run)
        belt.pass_time(60)
    snapshot = snapshot_of(reader.look(belt.moment), belt.moment)
    assert snapshot.said.first == "The provider does not accept the credentials (HTTP 401), for 2 min"
    assert "put-secret-value --secret-id " in str(snapshot.said.steps[0].command)
    belt.provider.configure(faults=[])
    belt.poll(run)
    assert as_json(snapshot_of(reader.look(belt.moment), belt.moment), belt.moment)["trouble"] is None


def test_of_several_troubles_one_is_read_and_first_what_a_person_can_end(belt: Belt) -> None:
    """A look costs one request more at most."""
    run = belt.upload(drop_of(3))
    places = ["unavailable-20261101T000000Z", "credentials-20261122T000000Z", "other-20261030T000000Z"]
    state = belt.clients.context(run, belt.invocation()).run_state()
    assert first_trouble(replace(state, troubles=set(places))) == places[1]
    assert first_trouble(replace(state, troubles={places[0], places[2]})) == places[2]
    assert first_trouble(state) is None


def test_of_two_troubles_of_one_moment_each_look_reads_the_same() -> None:
    """The order of a set is another one in each process: the frame and the check of the stack must agree."""
    places = [f"{kind}-20261101T000000Z" for kind in ("unavailable", "other", "drop", "busy")]
    for pair in combinations(places, 2):
        assert first_trouble(RunState(troubles=set(pair))) == min(pair)
