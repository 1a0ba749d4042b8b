"""Functions log with their role's permissions.

MiniStack writes a function's log whatever its role may do. On AWS a function without these permissions runs, and
nothing of it is ever seen.
"""
# ruff: noqa: SLF001 - a mend reaches inside

from __future__ import annotations

from typing import Any

from ministack.services import cloudwatch_logs, lambda_svc

from local.emulation.roles import denial

ACTIONS = ("logs:CreateLogStream", "logs:PutLogEvents")

emit_lambda_logs = lambda_svc._emit_lambda_logs


def mend() -> None:
    """Put the mend in place."""
    lambda_svc._emit_lambda_logs = _emit_lambda_logs


def _emit_lambda_logs(function: dict[str, Any], *about: object, **more: object) -> None:
    config = function.get("config") or function
    name = config["FunctionName"]
    group = (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{name}"
    stream = f"{cloudwatch_logs._make_group_arn_no_star(group)}:log-stream:{config['Version']}"
    if not any(denial(config["Role"], name, action, stream) for action in ACTIONS):
        emit_lambda_logs(function, *about, **more)
