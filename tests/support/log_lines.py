"""The log lines of the functions: their fields, and those of runs that are played, as Logs Insights reads them."""

from __future__ import annotations

import io
import json
import os
import re
from contextlib import contextmanager, redirect_stdout, suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from unittest import mock
from uuid import uuid4

from aws_lambda_powertools import Logger

from conveyor.domain.invocation import Invocation
from conveyor.domain.observed import BatchCounts, Ended, Failing, FailureCause, TroubleWith, Wait, WaitsFor
from conveyor.telemetry.log import telemetry
from local.emulation.insights.events import Row, row
from local.emulation.insights.queries import parse
from tests.support import template

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.support.belt import Belt

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
FUNCTIONS = ("submit", "poll", "split", "report")


def fields_of_lines() -> set[str]:
    """Return every field that a log line of ours can have."""
    written = io.StringIO()
    logger = _logger(written)
    logger.append_keys(function_name="poll", function_request_id="x")
    for error in (None, KeyError("x")):
        invocation = Invocation(timedelta(seconds=60), lambda: NOON)
        with suppress(KeyError), _no_metrics(), telemetry(logger, invocation, "done", _ABOUT):
            _fill(invocation)
            if error:
                raise error
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    return {name for line in lines for name in line} | _of_handlers()


_ABOUT = {"run": "run-1", "batch": 1}


@contextmanager
def _no_metrics() -> Iterator[None]:
    """Let metrics be written to nowhere."""
    names = {"POWERTOOLS_METRICS_NAMESPACE": "Conveyor", "POWERTOOLS_SERVICE_NAME": "conveyor"}
    with redirect_stdout(io.StringIO()), mock.patch.dict(os.environ, names):
        yield


def _logger(stream: io.StringIO) -> Logger:
    """Return a logger with a stream of its own: Powertools keeps the first one of a service."""
    return Logger(service=f"stack-{uuid4().hex}", stream=stream)


def _fill(invocation: Invocation) -> None:
    """See all there is to be seen."""
    observed = invocation.observed
    observed.began_at = NOON
    observed.wait = Wait(WaitsFor.ROOM, NOON)
    observed.failing = Failing(TroubleWith.CREDENTIALS, "HTTP 401", NOON)
    observed.batches = BatchCounts(1, 1, 1)
    causes = [FailureCause("api_error", 1)]
    observed.ended = Ended("completed", "unsent", 1, 0, 1, Decimal(1), causes, "KeyError")


def _of_handlers() -> set[str]:
    """Return the fields that the functions themselves add."""
    sources = [(template.PROJECT / f"functions/{name}/app.py").read_text() for name in FUNCTIONS]
    return {field for source in sources for field in re.findall(r'line(?: \|= \{|\[)"(\w+)"', source)}


class Journal:
    """The functions of a belt, which log now as they do when deployed; and what queries find in it."""

    def __init__(self, belt: Belt, monkeypatch: Any) -> None:
        """Log every call from now on."""
        self._belt, self._invocation, self._monkeypatch = belt, belt.invocation, monkeypatch
        self._rows = list[Row]()
        for name in FUNCTIONS:
            monkeypatch.setattr(belt, name, self._logged(name, getattr(belt, name)))

    def _logged(self, name: str, function: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
        done = "run has ended" if name == "report" else f"{name} is done"

        def call(about: Any, *more: Any) -> dict[str, Any]:
            written, invocation = io.StringIO(), self._invocation()
            logger = _logger(written)
            logger.append_keys(function_name=f"conveyor-{name}")
            event = about if isinstance(about, dict) else {"run": about, **({"batch": more[0]} if more else {})}
            try:
                with _no_metrics(), telemetry(logger, invocation, done, event):
                    self._monkeypatch.setattr(self._belt, "invocation", lambda: invocation)
                    return function(about, *more)
            finally:
                self._monkeypatch.setattr(self._belt, "invocation", self._invocation)
                self._rows += [self._row(name, line) for line in written.getvalue().splitlines()]

        return call

    def _row(self, name: str, line: str) -> Row:
        moment = self._belt.moment
        system = {
            "@timestamp": f"{moment:%Y-%m-%d %H:%M:%S.000}",
            "@message": line,
            "@log": f"/aws/lambda/conveyor-{name}",
        }
        return row({**system, "@ptr": ""}, int(moment.timestamp() * 1000))

    def ask(self, query: str) -> list[Mapping[str, str]]:
        """Return the rows of the result of a query."""
        return [{cell["field"]: cell["value"] for cell in found} for found in parse(query).run(self._rows)]
