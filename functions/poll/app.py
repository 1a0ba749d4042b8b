"""poll: checks a run, and returns what it needs next."""

from datetime import timedelta
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from conveyor.clients import Clients
from conveyor.domain.invocation import Invocation
from conveyor.poll.poll import poll
from conveyor.telemetry.log import telemetry

logger = Logger()
clients = Clients()


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Take {"run"} and the state, with the ARN of the execution in "arn"; return the state machine's next state."""
    invocation = Invocation(timedelta(milliseconds=context.get_remaining_time_in_millis()))
    with telemetry(logger, invocation, "poll is done", event) as line:
        state = poll(event, clients, invocation)
        line |= {"next": state["next"], "wait_seconds": state["wait_seconds"]}
    return state
