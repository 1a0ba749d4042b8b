"""Functions need permission to log, metrics in a log are recorded, and a long log is read in pages.

MiniStack writes a function's log whatever its role permits. On AWS a function without permission runs and logs nothing.
MiniStack also answers FilterLogEvents with the 10,000 oldest events and no token for the next page.
"""
# ruff: noqa: SLF001 - a patch replaces private names

from __future__ import annotations

import json
from typing import Any

from ministack.services import cloudwatch_logs, lambda_svc

from local.emulation.cloudwatch import emf
from local.emulation.iam import denial

type Answer = tuple[int, dict[str, str], bytes]

MAX_EVENTS = 10_000
"""In one answer of FilterLogEvents."""
ACTIONS = ("logs:CreateLogStream", "logs:PutLogEvents")

emit_lambda_logs = lambda_svc._emit_lambda_logs
filter_log_events = cloudwatch_logs._filter_log_events


def patch() -> None:
    """Apply the patches."""
    lambda_svc._emit_lambda_logs = _emit_lambda_logs
    cloudwatch_logs._filter_log_events = _filter_log_events


def _emit_lambda_logs(function: dict[str, Any], request: str, log: str, *args: object, **kwargs: object) -> None:
    config = function.get("config") or function
    name = config["FunctionName"]
    group = (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{name}"
    stream = f"{cloudwatch_logs._make_group_arn_no_star(group)}:log-stream:{config['Version']}"
    if not any(denial(config["Role"], name, action, stream) for action in ACTIONS):
        emit_lambda_logs(function, request, log, *args, **kwargs)
        emf.record(group, log.split("\n"))


def _filter_log_events(request: dict[str, Any]) -> Answer:
    """Return a page; its token is where the next one starts: a timestamp, and how many events of it to skip."""
    limit = int(request.get("limit", MAX_EVENTS))
    start, skipped = map(int, request.get("nextToken", f"{request.get('startTime', 0)}:0").split(":"))
    status, headers, body = filter_log_events({**request, "startTime": start, "limit": MAX_EVENTS})
    content = json.loads(body)
    if "events" not in content:
        return status, headers, body
    events = content["events"]
    page = events[skipped : skipped + limit]
    if page and (len(page) == limit or len(events) == MAX_EVENTS):
        last = page[-1]["timestamp"]
        returned = events[: skipped + len(page)]
        content["nextToken"] = f"{last}:{sum(event['timestamp'] == last for event in returned)}"
    content["events"] = page
    return status, headers, json.dumps(content).encode()
