"""split: turns the results of one ended batch into the user's files."""

from datetime import timedelta
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from conveyor.clients import Clients
from conveyor.domain.invocation import Invocation
from conveyor.split.split import split
from conveyor.telemetry.log import telemetry

logger = Logger()
clients = Clients()


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Take {"run", "batch"}; answer {"batch", "status"}."""
    invocation = Invocation(timedelta(milliseconds=context.get_remaining_time_in_millis()))
    with telemetry(logger, invocation, "split is done", event) as line:
        answer = split(event, clients, invocation)
        line["status"] = answer["status"]
    return answer
