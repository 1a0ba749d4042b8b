"""submit: started by an upload, and by the state machine while there is something to send."""

from datetime import timedelta
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from conveyor.clients import Clients
from conveyor.domain.invocation import Invocation
from conveyor.submit.check_provider import check_provider, is_check
from conveyor.submit.submit import submit
from conveyor.telemetry.log import telemetry

logger = Logger()
clients = Clients()


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Take an "Object Created" event or {"run"}; answer the state machine's next state.

    {"check": "provider"} of a person gets the answer to one free call.
    """
    invocation = Invocation(timedelta(milliseconds=context.get_remaining_time_in_millis()))
    if is_check(event):
        with telemetry(logger, invocation, "provider is checked", {}) as line:
            answer = check_provider(clients)
            line.update(answer)
        return answer
    with telemetry(logger, invocation, "submit is done", event) as line:
        state = submit(event, clients, invocation)
        line |= {name: value for name, value in state.items() if name != "run"}
    return state
