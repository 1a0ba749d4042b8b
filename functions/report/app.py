"""report: writes the receipt and its page, and words the message of a run that has ended."""

from datetime import timedelta
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from conveyor.clients import Clients
from conveyor.domain.invocation import Invocation
from conveyor.report.report import report
from conveyor.telemetry.log import telemetry

logger = Logger()
clients = Clients()


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Take {"run", "arn"}; answer the fields of a `Notice`, with "results" and "failures" (counts).

    `arn`: of the execution, for links into its console.
    """
    invocation = Invocation(timedelta(milliseconds=context.get_remaining_time_in_millis()))
    with telemetry(logger, invocation, "run has ended", event):
        return report(event, clients, invocation)
