"""The submit function: an upload becomes a run, its lines are validated, and its batches are sent."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from conveyor.clients import Clients
from conveyor.config import Config, read_config
from conveyor.context import RunContext
from conveyor.domain.drop import Upload
from conveyor.domain.invocation import Invocation
from conveyor.domain.schedule import Next
from conveyor.ledger.run_facts import Validation
from conveyor.ledger.state import RunState
from conveyor.submit.register import register
from conveyor.submit.send import submit_next
from conveyor.submit.validate import validate


def submit(event: dict[str, Any], clients: Clients, invocation: Invocation) -> dict[str, Any]:
    """Carry a run on as far as it goes now. Returns the next state of the state machine.

    `event`: an upload; {"run"} from the state machine; or {"run", "continue": state}, which starts a new execution.
    An upload that is ignored, or whose object is gone, returns {"ignored": key}.
    """
    if "continue" in event:
        state = {"gate": None, "budget": "", "warned": None} | event[
            "continue"
        ]  # which executions of earlier versions do not have
        clients.machine.start(f"{event['run']}-{state['execution']['number']}", state)
        return {"run": event["run"]}
    config = cache(partial(read_config, clients.bucket))  # read at most once, and only for a drop that exists
    if "run" in event:
        context = clients.context(event["run"], invocation)
        return _carry_on(context, context.run_state(), config)
    upload = Upload.from_event(event)
    if upload.is_ignored:
        return {"ignored": upload.key}
    run = register(upload, clients, config)
    if run is None:
        return {"ignored": upload.key}
    context = clients.context_of(run, invocation)
    run_state = context.run_state()
    if not run_state.is_validated and not _claim_validation(context):
        return _state(context, sent=False)
    return _carry_on(context, run_state, config)


def _claim_validation(context: RunContext) -> bool:
    """Write that this invocation validates; return False if an earlier one does, for the same upload event.

    The state machine does not claim: it asks only after the last validation has ended. Two that validate at the same
    time do no harm, since both write the same plan.
    """
    claim = Validation(context.writer, context.now(), context.invocation.not_after)
    return context.ledger.write(claim).writer == claim.writer


def _carry_on(context: RunContext, run_state: RunState, config: Callable[[], Config]) -> dict[str, Any]:
    """Validate if that is still to be done, then send at most one batch.

    The ledger is listed again after validation: the run may have been stopped, or another may have written first.
    """
    plan = None
    if not run_state.is_validated:
        plan = validate(context, config())
        run_state = context.run_state()
    return _state(context, sent=run_state.planned and submit_next(context, run_state, plan))


def _state(context: RunContext, *, sent: bool) -> dict[str, Any]:
    """Return when to poll: soon if a batch was sent, since there may be more to send."""
    wait_seconds = context.run.settings.poll_min_seconds if sent else context.usual_wait()
    return {"run": context.run.run, "next": Next.WAIT, "wait_seconds": wait_seconds}
