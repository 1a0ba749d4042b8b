"""The submit function: an upload becomes a run, its lines are checked, its batches are sent."""

from typing import Any

from conveyor.clients import Clients
from conveyor.context import RunContext
from conveyor.domain.drop import Upload
from conveyor.domain.invocation import Invocation
from conveyor.domain.schedule import Next
from conveyor.ledger.run_facts import Validation
from conveyor.ledger.state import RunState
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
        context = clients.context(event["run"], invocation)
        run_state = context.run_state()
    else:
        upload = Upload.from_event(event)
        if upload.is_ignored:
            return {"ignored": upload.key}
        run = receive(upload, clients.bucket, clients.machine, clients.settings, clients.environment.stack_id)
        if run is None:
            return {"ignored": upload.key}
        context = clients.context(run.run, invocation)
        run_state = context.run_state()
        if _another_validates(context, run_state):
            return _state(context, sent=False)
    return _state(context, sent=_carry_on(context, run_state))


def _state(context: RunContext, *, sent: bool) -> dict[str, Any]:
    """Return when to look again: soon after something was sent, since there may be more to send."""
    shortest = context.run.settings.poll_min_seconds
    wait = shortest if sent else context.usual_wait()
    return {"run": context.run.run, "next": Next.WAIT, "wait_seconds": wait}


def _another_validates(context: RunContext, run_state: RunState) -> bool:
    """Tell a repeated upload event to leave the work to the first one, or to the state machine after that one's end.

    The state machine itself does not ask: it comes only when the last validation is over. Two that validate at once
    do no harm, since both write the same plan.
    """
    if run_state.planned or run_state.refused:
        return False
    mine = Validation(context.writer, context.now(), context.invocation.not_after)
    return context.ledger.write(mine).writer != mine.writer


def _carry_on(context: RunContext, run_state: RunState) -> bool:
    """Validate and send as far as that is open; tell whether a paid call was made."""
    if not (run_state.planned or run_state.refused):
        validate(context)
        run_state = context.run_state()
    return run_state.planned and submit_next(context, run_state)
