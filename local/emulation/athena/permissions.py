"""Permissions of queries: Athena reads the catalog and S3, and writes answers, as the one who asks.

MiniStack checks none of that, and takes a call about a query for one about all workgroups.
"""
# ruff: noqa: SLF001 - a patch replaces private names

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

from ministack.core import iam_actions
from ministack.core import iam_evaluator as evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import athena

from local.emulation.iam import denial

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class DeniedError(Exception):
    """The caller may not do something."""


def patch() -> None:
    """Apply the patch, on top of those that are applied already."""
    iam_actions.extract_resource_arn = partial(_extract_resource_arn, iam_actions.extract_resource_arn)


def _extract_resource_arn(  # noqa: PLR0913, PLR0917 - MiniStack's own arguments
    extract: Callable[..., str],
    service: str,
    method: str,
    path: str,
    headers: dict[str, str],
    body: bytes,
    *others: object,
) -> str:
    """Return the workgroup of the query that a call is about."""
    arn = extract(service, method, path, headers, body, *others)
    if service != "athena" or arn != "*":
        return arn
    asked = json.loads(body or b"{}")
    query = athena._executions.get(asked.get("QueryExecutionId"))
    name = query["WorkGroup"] if query else "primary" if "QueryString" in asked else None
    return athena._arn_workgroup(name) if name else arn


def require_table(database: str, name: str) -> None:
    """Require what reads a table of the catalog."""
    start = f"arn:aws:glue:{get_region()}:{get_account_id()}"
    for resource in ("catalog", f"database/{database}", f"table/{database}/{name}"):
        require("glue:GetTable", f"{start}:{resource}")


def require_listing(bucket: str, prefix: str) -> None:
    """Require what lists the files of a table."""
    require("s3:ListBucket", f"arn:aws:s3:::{bucket}", {"s3:prefix": prefix})


def require_object(action: str, bucket: str, key: str) -> None:
    """Require an action on an object."""
    require(action, f"arn:aws:s3:::{bucket}/{key}")


def require(action: str, resource: str, keys: Mapping[str, str] | None = None) -> None:
    """Require an action of the caller: root may do everything, and users of IAM nothing. Raises DeniedError."""
    _, _, _, _, _, caller = evaluator.caller_arn().split(":", 5)
    kind, _, name = caller.partition("/")
    if kind == "root":
        return
    role, _, session = name.partition("/")
    refused = denial(f"arn:aws:iam::{get_account_id()}:role/{role}", session, action, resource, keys)
    if refused or kind != "assumed-role":
        raise DeniedError(refused or f"not emulated: queries of {caller}")
