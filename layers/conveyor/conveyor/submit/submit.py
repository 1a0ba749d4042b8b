"""The submit function: an upload becomes a run, its lines are checked, its batches are sent."""

from typing import Any

from conveyor.clients import Clients
from conveyor.context import Turn
from conveyor.domain.drop import Upload
from conveyor.domain.invocation import Invocation
from conveyor.domain.schedule import Next
from conveyor.ledger.records import Validation
from conveyor.ledger.state import Facts
from conveyor.submit.register import receive
from conveyor.submit.send import submit_next
from conveyor.submit.validate import validate


def submit(event: dict[str, Any], clients: Clients, invocation: Invocation) -> dict[str, Any]:
    """Carry a run on as far as it goes now, whether an upload or the state machine asks. Returns the machine's state.

    An upload that nobody meant, or of which nothing is left, gives {"ignored": key}.
    {"run", "continue": state} goes on in a new execution.
    """
    if "continue" in event:
        clients.machine.start(f"{event['run']}-{event['continue']['execution']['number']}", event["continue"])
        return {"run": event["run"]}
    if "run" in event:
        turn = clients.turn(event["run"], invocation)
        facts = turn.facts()
    else:
        upload = Upload.from_event(event)
        if upload.is_ignored:
            return {"ignored": upload.key}
        run = receive(upload, clients.storage, clients.machine, clients.settings, clients.environment.stack_id)
        if run is None:
            return {"ignored": upload.key}
        turn = clients.turn(run.run, invocation)
        facts = turn.facts()
        if _another_validates(turn, facts):
            return _state(turn, sent=False)
    return _state(turn, sent=_carry_on(turn, facts))


def _state(turn: Turn, *, sent: bool) -> dict[str, Any]:
    """Return when to look again: soon after something was sent, since there may be more to send."""
    shortest = turn.run.settings.poll_min_seconds
    wait = shortest if sent else turn.usual_wait()
    return {"run": turn.run.run, "next": Next.WAIT, "wait_seconds": wait}


def _another_validates(turn: Turn, facts: Facts) -> bool:
    """Tell a repeated upload event to leave the work to the first one, or to the state machine after that one's end.

    The state machine itself does not ask: it comes only when the last validation is over. Two that validate at once
    do no harm, since both write the same plan.
    """
    if facts.planned or facts.refused:
        return False
    mine = Validation(turn.invocation.writer, turn.now(), turn.invocation.not_after)
    return turn.ledger.write_validation(mine).writer != mine.writer


def _carry_on(turn: Turn, facts: Facts) -> bool:
    """Validate and send as far as that is open; tell whether a paid call was made."""
    if not (facts.planned or facts.refused):
        validate(turn)
        facts = turn.facts()
    return facts.planned and submit_next(turn, facts)
