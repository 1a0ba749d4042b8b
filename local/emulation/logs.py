"""Functions log with their role's permissions, and a long log is read in pages.

MiniStack writes a function's log whatever its role may do. On AWS a function without these permissions runs, and
nothing of it is ever seen. MiniStack also answers FilterLogEvents with the 10,000 oldest events and no token, as if
there were no more; AWS gives a token for the next page.
"""
# ruff: noqa: SLF001 - a mend reaches inside

from __future__ import annotations

import json
from typing import Any

from ministack.services import cloudwatch_logs, lambda_svc

from local.emulation.roles import denial

type Answer = tuple[int, dict[str, str], bytes]

MOST_EVENTS = 10_000
"""In one answer of FilterLogEvents."""
ACTIONS = ("logs:CreateLogStream", "logs:PutLogEvents")

emit_lambda_logs = lambda_svc._emit_lambda_logs
filter_log_events = cloudwatch_logs._filter_log_events


def mend() -> None:
    """Put the mends in place."""
    lambda_svc._emit_lambda_logs = _emit_lambda_logs
    cloudwatch_logs._filter_log_events = _filter_log_events


def _emit_lambda_logs(function: dict[str, Any], *about: object, **more: object) -> None:
    config = function.get("config") or function
    name = config["FunctionName"]
    group = (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{name}"
    stream = f"{cloudwatch_logs._make_group_arn_no_star(group)}:log-stream:{config['Version']}"
    if not any(denial(config["Role"], name, action, stream) for action in ACTIONS):
        emit_lambda_logs(function, *about, **more)


def _filter_log_events(request: dict[str, Any]) -> Answer:
    """Answer with a page; its token says where the next one begins: a timestamp, and how many events of it to skip."""
    limit = int(request.get("limit", MOST_EVENTS))
    start, skipped = map(int, request.get("nextToken", f"{request.get('startTime', 0)}:0").split(":"))
    status, headers, body = filter_log_events({**request, "startTime": start, "limit": MOST_EVENTS})
    content = json.loads(body)
    if "events" not in content:
        return status, headers, body
    found = content["events"]
    page = found[skipped : skipped + limit]
    if page and (len(page) == limit or len(found) == MOST_EVENTS):
        last = page[-1]["timestamp"]
        given = found[: skipped + len(page)]
        content["nextToken"] = f"{last}:{sum(event['timestamp'] == last for event in given)}"
    content["events"] = page
    return status, headers, json.dumps(content).encode()
