"""Events that a state machine sends: with the permission of its role, and as the optimized integration sends them.

MiniStack checks no permission, takes a refused entry for a success, leaves `Detail` as it is, and adds no resources:
"Add EventBridge events with Step Functions" (Step Functions Developer Guide).
"""
# ruff: noqa: SLF001 - a patch replaces private names

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ministack.core.responses import get_account_id, get_region
from ministack.services import stepfunctions

from local.emulation.iam import denial

if TYPE_CHECKING:
    from collections.abc import Callable

type Json = dict[str, Any]

RESOURCE = "states:::events:putEvents"


def put(arguments: Json, role: str, execution: str, machine: str, invoke: Callable[[Json], Json]) -> Json:
    """Send events as the role of a machine. `execution`, `machine`: ARNs. Raises the error of a task that failed."""
    entries = [_entry(entry, [execution, machine]) for entry in arguments["Entries"]]
    for entry in entries:
        _require(entry, role, execution.rpartition(":")[2])
    result = invoke({**arguments, "Entries": entries})
    if result["FailedEntryCount"]:
        raise stepfunctions._ExecutionError("EventBridge.FailedEntry", json.dumps(result))
    return result


def _entry(entry: Json, resources: list[str]) -> Json:
    detail = entry["Detail"]
    text = detail if isinstance(detail, str) else json.dumps(detail)
    return {**entry, "Detail": text, "Resources": [*entry.get("Resources", []), *resources]}


def _require(entry: Json, role: str, session: str) -> None:
    bus = f"arn:aws:events:{get_region()}:{get_account_id()}:event-bus/{entry.get('EventBusName', 'default')}"
    keys = {"events:source": entry["Source"], "events:detail-type": entry["DetailType"]}
    if reason := denial(role, session, "events:PutEvents", bus, keys):
        cause = f"{reason} (Service: EventBridge, Status Code: 400, Request ID: {uuid4()})"
        raise stepfunctions._ExecutionError("EventBridge.AccessDeniedException", cause)
