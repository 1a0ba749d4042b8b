"""The log lines of a function: one when its work is done, or one with the error, each with its run and batch.

Fields of a line are named here only; saved queries and the docs use these names.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from aws_lambda_powertools import Logger

from conveyor.domain.invocation import Invocation
from conveyor.domain.observed import NOTHING, Ended, Observed
from conveyor.telemetry.metrics import measures_of, write
from conveyor.wording.trouble import in_words

FAILED = "function failed"
ENDED = "run has ended"
CAUSE = "requests failed"
NO_PAGE = "page not written"
"""Messages of lines, beside `<function> is done`."""
_LONGEST_ERROR = 500
"""Characters of an error that a table shows; the traceback is in `exception`."""

_CHATTY = ("boto3", "botocore", "httpcore", "httpx", "urllib3")
"""Lambda sets the level of all loggers to INFO, at which httpx logs each call with the provider's own words."""
for _name in _CHATTY:
    logging.getLogger(_name).setLevel(logging.WARNING)


@contextmanager
def telemetry(logger: Logger, invocation: Invocation, done: str, event: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Log what an invocation has seen, and write its metrics, when the block ends; log an error, and let it go on.

    `done`: the message. Yields a dictionary, empty at first: more fields of the line.
    """
    observed, more = invocation.observed, dict[str, Any]()
    observed.run, observed.batch = event.get("run", ""), event.get("batch")
    observed.upload = event.get("detail", {}).get("object", {}).get("key", "")
    try:
        yield more
    except Exception as error:
        logger.exception(FAILED, extra=_ids(observed) | {"error": f"{type(error).__name__}: {error}"[:_LONGEST_ERROR]})
        raise
    ids = _ids(observed)
    if observed.ended:
        _log_causes(logger, ids | {"project": observed.project}, observed.ended)
    moment = invocation.now()
    logger.info(done, extra=ids | _fields(observed, moment) | more)
    write(measures_of(observed, moment), observed.run)


def _ids(observed: Observed) -> dict[str, Any]:
    """Return the fields of every line. `upload`: the key of a file of which there is no run yet."""
    ids = {"run": observed.run, "batch": observed.batch, "upload": "" if observed.run else observed.upload}
    return {name: value for name, value in ids.items() if value}


def _fields(observed: Observed, now: datetime) -> dict[str, Any]:
    fields: dict[str, Any] = {"project": observed.project, "waits_for": NOTHING, "trouble_with": NOTHING}
    if observed.began_at:
        fields["age_seconds"] = int((now - observed.began_at).total_seconds())
    if wait := observed.wait:
        fields |= {"waits_for": wait.reason, "waits_since": _moment(wait.since)}
    if failing := observed.failing:
        fields |= {"trouble": in_words(failing.reason), "trouble_with": failing.at}
        fields["trouble_since"] = _moment(failing.since)
    if batches := observed.batches:
        fields |= {f"batches_{name}": count for name, count in batches._asdict().items()}
    if ended := observed.ended:
        fields |= {"status": ended.status, "code": ended.code, "requests": ended.requests}
        fields |= {"results": ended.results, "failures": ended.failures, "cost_usd": float(ended.cost_usd or 0)}
    return fields


def _log_causes(logger: Logger, about: dict[str, Any], ended: Ended) -> None:
    for cause in ended.causes:
        logger.info(CAUSE, extra=about | {"cause": cause.cause, "requests": cause.requests})
    if ended.no_page:
        logger.error(NO_PAGE, extra=about | {"error": ended.no_page})


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
