"""Claude Platform on AWS: its gateway asks AWS who calls, and whether the caller may. Here the simulated one asks.

MiniStack has no such service, but it knows the credentials that it gave to functions, and their roles. So an address
is added at which a signature is checked, and what the caller may do: the action on the workspace, and what the gateway
asks STS on the caller's behalf.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from ministack import app
from ministack.core import iam_evaluator, sigv4

from local.emulation.roles import denial

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

type Json = dict[str, Any]

PATH = "/_conveyor/authorize"
SERVICE = "aws-external-anthropic"
CALLED_VIA = {"aws:calledvialast": f"{SERVICE}.amazonaws.com"}
"""A condition key of what the gateway asks on the caller's behalf."""
ON_BEHALF = ("sts:GetWebIdentityToken", "sts:TagGetWebIdentityToken")

serve = app.app


def mend() -> None:
    """Add the address."""
    app.app = _app


async def _app(scope: Json, receive: Callable[[], Awaitable[Json]], send: Callable[[Json], Awaitable[None]]) -> None:
    if scope["type"] != "http" or scope["path"] != PATH:
        await serve(scope, receive, send)
        return
    body = bytearray()
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    answer = json.dumps(_authorized(json.loads(body))).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": answer})


def _authorized(asked: Json) -> Json:
    """Say `{}` where a call may be made, else the `status` and `message` of its refusal.

    `asked`: method, path, query, headers (names in lower case), region, workspace, and the action on it.
    """
    caller = _caller(asked)
    if isinstance(caller, str):
        return {"status": HTTPStatus.UNAUTHORIZED, "message": caller}
    if caller.principal_type == "Root":
        return {}
    if caller.principal_type != "AssumedRole":
        return {"status": HTTPStatus.FORBIDDEN, "message": f"{caller.principal_arn} is no role of a function."}
    account, (_, role, session) = str(caller.account_id), str(caller.principal_arn).split("/")
    arn = f"arn:aws:iam::{account}:role/{role}"
    workspace = f"arn:aws:{SERVICE}:{asked['region']}:{account}:workspace/{asked['workspace']}"
    needs = [(f"{SERVICE}:{asked['action']}", workspace), *((action, "*") for action in ON_BEHALF)]
    reasons = (denial(arn, session, action, resource, CALLED_VIA) for action, resource in needs)
    reason = next(filter(None, reasons), None)
    return {"status": HTTPStatus.FORBIDDEN, "message": reason} if reason else {}


def _caller(asked: Json) -> iam_evaluator.ResolvedCredential | str:
    """Find out who signed a call; answers with the reason where the signature is not right."""
    headers = asked["headers"]
    signature = sigv4.parse_header_signature(headers)
    if isinstance(signature, tuple):
        return str(signature[1])
    if (signature.service, signature.region) != (SERVICE, asked["region"]):
        return str(sigv4.SIGNATURE_MISMATCH)
    token = headers.get("x-amz-security-token")
    caller = iam_evaluator.resolve_credential(signature.access_key_id, session_token=token)
    if isinstance(caller, iam_evaluator.CredentialResolutionError):
        return str(caller.message)
    call = (asked["method"], asked["path"], parse_qs(asked["query"], keep_blank_values=True), headers, b"")
    secret = caller.secret_access_key
    failure = sigv4.request_time_failure(signature) or sigv4.header_signature_failure(signature, secret, *call)
    return str(failure[1]) if failure else caller
