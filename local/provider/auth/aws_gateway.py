"""Claude Platform on AWS: calls are signed instead of carrying a key, and IAM says who may make them.

The local AWS checks signatures and permissions (`local/emulation/claude_platform.py`). Without one, signatures are
checked with the secrets in the settings. A signature is checked once the body has arrived, so a call with a wrong one
may meet a fault first.
"""

from __future__ import annotations

import hashlib
import logging
import ssl
from functools import cache
from typing import TYPE_CHECKING, BinaryIO, NoReturn

import httpx

from local.provider.auth.signature import ALGORITHM, Signature, SignedCall, is_recent, is_valid, unsigned_headers
from local.provider.errors import ApiError

if TYPE_CHECKING:
    from starlette.requests import Request

    from local.provider.faults.actions import CallName
    from local.provider.settings import SigningSettings

ACTIONS = {
    "create": "CreateBatchInference",
    "list": "ListBatchInferences",
    "retrieve": "GetBatchInference",
    "results": "GetBatchInference",
    "cancel": "CancelBatchInference",
    "delete": "DeleteBatchInference",
}
"""The IAM action of each call."""
SERVICE = "aws-external-anthropic"
WORKSPACE_HEADER = "anthropic-workspace-id"
DIGEST_HEADER = "x-amz-content-sha256"
MISMATCH = "The request signature we calculated does not match the signature you provided."
_CHUNK_BYTES = 1 << 20

logger = logging.getLogger(__name__)


def check_headers(request: Request, signing: SigningSettings) -> None:
    """Check what the headers show before the body arrives: raises `ApiError` 400 or 401."""
    headers = request.headers
    if "x-api-key" in headers:
        raise ApiError(401, "API keys of the first-party platform are not accepted here.")
    if not headers.get("authorization", "").startswith(f"{ALGORITHM} "):
        raise ApiError(401, "Missing Authentication Token")
    if headers.get(WORKSPACE_HEADER) != signing.workspace:
        raise ApiError(400, f"{WORKSPACE_HEADER}: header is required, and must name a workspace of this Region")
    if "transfer-encoding" in headers:
        raise ApiError(400, "Chunked bodies are not accepted.")


def check_signature(request: Request, name: CallName, body: BinaryIO, signing: SigningSettings) -> None:
    """Check the body's hash, the signature, and the permissions; raises `ApiError` 401 or 403."""
    headers = dict(request.headers)
    path = request.scope["raw_path"].decode()
    call = SignedCall(request.method, path, request.url.query, headers, _sha256(body))
    signature = Signature.parse(headers["authorization"])
    if signature is None:
        _refuse(name, 401, "The authorization header is incomplete.")
    if unsigned := unsigned_headers(headers, signature):
        _refuse(name, 401, f"There were headers present in the request which were not signed: {', '.join(unsigned)}")
    if headers.get(DIGEST_HEADER, call.body_sha256) != call.body_sha256:  # UNSIGNED-PAYLOAD and its like included
        _refuse(name, 401, "The body does not match the hash that was signed.")
    if signing.aws is None:
        _check_with_secrets(call, name, signature, signing)
    else:
        _check_with_aws(call, name, signing)


def _sha256(body: BinaryIO) -> str:
    digest = hashlib.sha256()
    body.seek(0)
    while chunk := body.read(_CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


def _check_with_secrets(call: SignedCall, name: CallName, signature: Signature, signing: SigningSettings) -> None:
    """Check a signature with the secrets in the settings."""
    secret = signing.credentials.get(signature.access_key)
    if secret is None:
        _refuse(name, 401, "The security token included in the request is invalid.")
    if not is_recent(call, signature):
        _refuse(name, 401, f"Signature expired: {call.headers.get('x-amz-date')} is too far from the present.")
    is_for_here = (signature.service, signature.region) == (SERVICE, signing.region)
    if not is_for_here or not is_valid(call, signature, secret):
        _refuse(name, 401, MISMATCH)


def _check_with_aws(call: SignedCall, name: CallName, signing: SigningSettings) -> None:
    """Let the local AWS check a signature, and the caller's permissions."""
    question = {
        "method": call.method,
        "path": call.path,
        "query": call.query,
        "headers": {**call.headers, DIGEST_HEADER: call.body_sha256},  # a caller may leave it out
        "region": signing.region,
        "workspace": signing.workspace,
        "action": ACTIONS[name],
    }
    client = _client(str(signing.aws), signing.certificate)
    refusal = client.post("/_conveyor/authorize", json=question).raise_for_status().json()
    if refusal:
        _refuse(name, refusal["status"], refusal["message"])


def _refuse(name: CallName, status: int, message: str) -> NoReturn:
    """Refuse a call, and log why: not every caller shows the message."""
    logger.info("refused %s: %d %s", name, status, message)
    raise ApiError(status, message)


@cache
def _client(url: str, certificate: str | None) -> httpx.Client:
    """Return the client of a local AWS, which is used until the process ends."""
    return httpx.Client(base_url=url, verify=ssl.create_default_context(cafile=certificate), trust_env=False)
