"""Claude Platform on AWS, as far as it differs: calls are signed instead of carrying a key, and AWS says who may.

AWS is the local one, at its address for this (`local/emulation/gateway.py`); or there is none, and signatures are held
against secrets that were told. The body has arrived when a signature is checked: a call that is refused for it may
have met a fault before.
"""

from __future__ import annotations

import hashlib
import logging
import ssl
from functools import cache
from typing import TYPE_CHECKING, BinaryIO, NoReturn

import httpx

from local.provider.auth import signature as sigv4
from local.provider.errors import ApiError

if TYPE_CHECKING:
    from starlette.requests import Request

    from local.provider.faults.actions import CallName
    from local.provider.settings import Signed

ACTIONS = {
    "create": "CreateBatchInference",
    "list": "ListBatchInferences",
    "retrieve": "GetBatchInference",
    "results": "GetBatchInference",
    "cancel": "CancelBatchInference",
    "delete": "DeleteBatchInference",
}
"""What IAM calls each call."""
SERVICE = "aws-external-anthropic"
WORKSPACE_HEADER = "anthropic-workspace-id"
DIGEST_HEADER = "x-amz-content-sha256"
MISMATCH = "The request signature we calculated does not match the signature you provided."
_PIECE = 1 << 20

logger = logging.getLogger(__name__)


def admit(request: Request, signed: Signed) -> None:
    """Check what can be told before the body: raises `ApiError` 400 or 401."""
    headers = request.headers
    if "x-api-key" in headers:
        raise ApiError(401, "API keys of the first-party platform are not accepted here.")
    if not headers.get("authorization", "").startswith(f"{sigv4.ALGORITHM} "):
        raise ApiError(401, "Missing Authentication Token")
    if headers.get(WORKSPACE_HEADER) != signed.workspace:
        raise ApiError(400, f"{WORKSPACE_HEADER}: header is required, and must name a workspace of this Region")
    if "transfer-encoding" in headers:
        raise ApiError(400, "Chunked bodies are not accepted.")


def authorize(request: Request, name: CallName, body: BinaryIO, signed: Signed) -> None:
    """Hold the body against the hash that was signed, and ask for the rest; raises `ApiError` 401 or 403."""
    digest = hashlib.sha256()
    body.seek(0)
    while piece := body.read(_PIECE):
        digest.update(piece)
    headers = dict(request.headers)
    path = request.scope["raw_path"].decode()
    call = sigv4.SignedCall(request.method, path, request.url.query, headers, digest.hexdigest())
    signature = sigv4.Signature.read(headers["authorization"])
    if signature is None:
        _refuse(name, 401, "The authorization header is no whole signature.")
    if unsigned := sigv4.unsigned_headers(headers, signature):
        _refuse(name, 401, f"There were headers present in the request which were not signed: {', '.join(unsigned)}")
    if headers.get(DIGEST_HEADER, call.body_sha256) != call.body_sha256:  # UNSIGNED-PAYLOAD and its like included
        _refuse(name, 401, "The body is not the one whose hash was signed.")
    if signed.aws is None:
        _compare(call, name, signature, signed)
    else:
        _ask(call, name, signed)


def _compare(call: sigv4.SignedCall, name: CallName, signature: sigv4.Signature, signed: Signed) -> None:
    """Check a signature against the secrets that were told."""
    secret = signed.credentials.get(signature.key)
    if secret is None:
        _refuse(name, 401, "The security token included in the request is invalid.")
    if not sigv4.is_timely(call, signature):
        _refuse(name, 401, f"Signature expired: {call.headers.get('x-amz-date')} is too far from the present.")
    of_here = (signature.service, signature.region) == (SERVICE, signed.region)
    if not of_here or not sigv4.is_expected(call, signature, secret):
        _refuse(name, 401, MISMATCH)


def _ask(call: sigv4.SignedCall, name: CallName, signed: Signed) -> None:
    """Ask AWS who calls, and whether the caller may."""
    asked = {
        "method": call.method,
        "path": call.path,
        "query": call.query,
        "headers": {**call.headers, DIGEST_HEADER: call.body_sha256},  # a caller may leave it out
        "region": signed.region,
        "workspace": signed.workspace,
        "action": ACTIONS[name],
    }
    client = _client(str(signed.aws), signed.certificate)
    answer = client.post("/_conveyor/authorize", json=asked).raise_for_status().json()
    if answer:
        _refuse(name, answer["status"], answer["message"])


def _refuse(name: CallName, status: int, message: str) -> NoReturn:
    """Refuse a call, and log why: not every caller tells of the words it is given."""
    logger.info("refused %s: %d %s", name, status, message)
    raise ApiError(status, message)


@cache
def _client(url: str, certificate: str | None) -> httpx.Client:
    """Give the one client of a local AWS, for as long as the provider lives."""
    return httpx.Client(base_url=url, verify=ssl.create_default_context(cafile=certificate), trust_env=False)
