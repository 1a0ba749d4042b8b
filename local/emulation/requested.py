"""What a request asks for, in the words of policies: the action, and the ARN of the resource.

MiniStack differs from AWS where people are checked: it drops the slash at the end of a key of S3 and those that are
doubled, leaves out the version or alias of a function, has a rule of the default event bus under the name of that bus,
does not know the rule that ListTargetsByRule is about, and takes reading a function's concurrency for writing it.
"""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from ministack.core import iam_actions

if TYPE_CHECKING:
    from collections.abc import Callable

type Json = dict[str, Any]
type Before = Callable[..., Any]

_CONCURRENCY = {"GET": "GetFunctionConcurrency", "DELETE": "DeleteFunctionConcurrency"}
_OF_RULES = ("Name", "Rule")


def patch() -> None:
    """Apply the patches, over those of other modules."""
    iam_actions.extract_resource_arn = partial(_extract_resource_arn, iam_actions.extract_resource_arn)
    iam_actions.extract_iam_action = partial(_extract_iam_action, iam_actions.extract_iam_action)


def _extract_iam_action(before: Before, service: str, method: str, path: str, *more: Any) -> str | None:  # noqa: ANN401
    if service == "lambda" and path.rstrip("/").endswith("/concurrency") and method in _CONCURRENCY:
        return f"lambda:{_CONCURRENCY[method]}"
    action: str | None = before(service, method, path, *more)
    return action


def _extract_resource_arn(  # noqa: PLR0913, PLR0917 - MiniStack's
    before: Before, service: str, method: str, path: str, headers: Json, body: bytes, query: Json, region: str,
    account: str,
) -> str:  # fmt: skip
    arn: str = before(service, method, path, headers, body, query, region, account)
    match service:
        case "s3" if key := path.lstrip("/").partition("/")[2]:
            return f"{arn.partition('/')[0]}/{key}"
        case "lambda" if ":function:" in arn and (qualifier := _first(query.get("Qualifier"))):
            return arn if arn.endswith(f":{qualifier}") else f"{arn}:{qualifier}"
        case "events" if name := _rule(body):
            return f"arn:aws:events:{region}:{account}:rule/{name}"
        case _:
            return arn


def _first(value: Any) -> str:  # noqa: ANN401 - one text, or a list of them
    return str(value[0] if isinstance(value, list) else value or "")


def _rule(body: bytes) -> str:
    """Return the name of a rule of the default event bus that a request is about."""
    try:
        given = json.loads(body or b"{}")
    except ValueError:
        return ""
    if not isinstance(given, dict) or given.get("EventBusName", "default") != "default":
        return ""
    return next((str(given[name]) for name in _OF_RULES if given.get(name)), "")
