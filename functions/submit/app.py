"""submit: started by an upload, and by the state machine while there is something to send."""

from datetime import timedelta
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from conveyor.clients import Clients
from conveyor.domain.invocation import Invocation
from conveyor.submit.submit import submit

logger = Logger()
clients = Clients()


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Take an "Object Created" event or {"run"}; answer the state machine's next state."""
    invocation = Invocation(timedelta(milliseconds=context.get_remaining_time_in_millis()))
    state = submit(event, clients, invocation)
    logger.info("submit is done", extra=state)
    return state
