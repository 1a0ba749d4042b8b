"""Claude Platform on AWS: a path at which the simulated provider has a call's signature and permissions checked.

MiniStack has no such service, but it knows the credentials that it gave to functions, and their roles. The caller needs
permission for the action on the workspace, and for what the real gateway asks STS on the caller's behalf.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from ministack import app
from ministack.core import iam_evaluator, sigv4

from local.emulation.iam import denial

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

type Json = dict[str, Any]

PATH = "/_conveyor/authorize"
SERVICE = "aws-external-anthropic"
CALLED_VIA = {"aws:calledvialast": f"{SERVICE}.amazonaws.com"}
"""A condition key of the gateway's calls on the caller's behalf."""
ON_BEHALF = ("sts:GetWebIdentityToken", "sts:TagGetWebIdentityToken")

serve = app.app


def patch() -> None:
    """Add the path."""
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
    answer = json.dumps(_authorize(json.loads(body))).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": answer})


def _authorize(call: Json) -> Json:
    """Return `{}` if a call is permitted, else the `status` and `message` of its refusal.

    `call`: method, path, query, headers (names in lower case), region, workspace, and the action on it.
    """
    caller = _caller(call)
    if isinstance(caller, str):
        return {"status": HTTPStatus.UNAUTHORIZED, "message": caller}
    if caller.principal_type == "Root":
        return {}
    if caller.principal_type != "AssumedRole":
        return {"status": HTTPStatus.FORBIDDEN, "message": f"{caller.principal_arn} is not the role of a function."}
    account, (_, role, session) = str(caller.account_id), str(caller.principal_arn).split("/")
    arn = f"arn:aws:iam::{account}:role/{role}"
    workspace = f"arn:aws:{SERVICE}:{call['region']}:{account}:workspace/{call['workspace']}"
    required = [(f"{SERVICE}:{call['action']}", workspace), *((action, "*") for action in ON_BEHALF)]
    reasons = (denial(arn, session, action, resource, CALLED_VIA) for action, resource in required)
    reason = next(filter(None, reasons), None)
    return {"status": HTTPStatus.FORBIDDEN, "message": reason} if reason else {}


def _caller(call: Json) -> iam_evaluator.ResolvedCredential | str:
    """Return who signed a call, or the reason why the signature is wrong."""
    headers = call["headers"]
    signature = sigv4.parse_header_signature(headers)
    if isinstance(signature, tuple):
        return str(signature[1])
    if (signature.service, signature.region) != (SERVICE, call["region"]):
        return str(sigv4.SIGNATURE_MISMATCH)
    token = headers.get("x-amz-security-token")
    caller = iam_evaluator.resolve_credential(signature.access_key_id, session_token=token)
    if isinstance(caller, iam_evaluator.CredentialResolutionError):
        return str(caller.message)
    signed = (call["method"], call["path"], parse_qs(call["query"], keep_blank_values=True), headers, b"")
    secret = caller.secret_access_key
    failure = sigv4.request_time_failure(signature) or sigv4.header_signature_failure(signature, secret, *signed)
    return str(failure[1]) if failure else caller
