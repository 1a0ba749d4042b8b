"""report: writes the receipt and words the message of a run that has ended."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from conveyor.clients import Clients
from conveyor.reporting import report

logger = Logger()
clients = Clients()


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001  # Lambda gives two
    """Take {"run"}; answer the message: {"run", "name", "status", "subject", "message"}."""
    notice = report(event, clients)
    logger.info("run has ended", extra={name: notice[name] for name in ("run", "status")})
    return notice
