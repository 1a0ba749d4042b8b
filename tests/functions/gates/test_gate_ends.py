"""The end of a gate, when people, the clock and crashes come between its facts."""

import pytest

from conveyor.ledger.gate_facts import Ending, GateEnd
from tests.support.belt import Belt, drop_of
from tests.support.settings import STACK_SETTINGS

DATA = drop_of(3)


@pytest.fixture
def stack_settings() -> dict[str, str]:
    """Return the template's settings with fewer polls, since runs wait for days."""
    return STACK_SETTINGS | {"POLL_MIN_SECONDS": "600", "POLL_MAX_SECONDS": "900"}


@pytest.fixture
def held(belt: Belt) -> str:
    """Return a run of three requests that waits at its first gate."""
    return belt.upload(DATA, metadata={"hold": "always"})


def end_gate(belt: Belt, run: str, how: Ending) -> None:
    """Write the end of the first gate, as a function does that crashes right after it."""
    context = belt.clients.context(run, belt.invocation())
    context.ledger.write(GateEnd(context.writer, context.now(), how), 1)


@pytest.mark.parametrize(("how", "status"), [(Ending.STOPPED, "stopped"), (Ending.DECLINED, "declined")])
def test_a_run_whose_gate_has_ended_ends_too_whoever_crashed_after_that(
    belt: Belt, held: str, how: Ending, status: str
) -> None:
    """The object by which a person stopped it may be deleted by then."""
    end_gate(belt, held, how)
    assert belt.finish(held)["status"] == status
    assert belt.creates() == (0, 0)
