"""report: writes the receipt and its page, and words the message of a run that has ended."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from conveyor.clients import Clients
from conveyor.report.report import report

logger = Logger()
metrics = Metrics()
clients = Clients()
_LOGGED = ("run", "project", "status", "results", "failures")


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001  # Lambda gives two
    """Take {"run", "arn"}; answer the fields of a `Notice`, "results" and "failures" (counts), and "cost_usd".

    `arn`: of the execution, for links into its console.
    """
    notice = report(event, clients)
    if no_page := notice.pop("no_page", None):
        logger.error("page not written", extra={"run": notice["run"], "error": no_page})
    logger.info("run has ended", extra={field: notice[field] for field in _LOGGED})
    metrics.add_dimension(name="status", value=notice["status"])
    metrics.add_dimensions(service=metrics.service, project=notice["project"])  # a second set, beside that by status
    metrics.add_metric(name="Runs", unit=MetricUnit.Count, value=1)
    metrics.add_metric(name="Results", unit=MetricUnit.Count, value=notice["results"])
    metrics.add_metric(name="Failures", unit=MetricUnit.Count, value=notice["failures"])
    metrics.add_metric(name="CostUsd", unit=MetricUnit.NoUnit, value=notice["cost_usd"])
    return notice
