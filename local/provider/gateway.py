"""Claude Platform on AWS, as far as it differs: calls are signed instead of carrying a key, and AWS says who may.

AWS is the local one, at its address for this (`local/emulation/gateway.py`).
"""

from __future__ import annotations

import hashlib
import ssl
from functools import cache
from typing import TYPE_CHECKING, BinaryIO

import httpx
from msgspec import Struct

from local.provider.errors import ApiError

if TYPE_CHECKING:
    from starlette.requests import Request

    from local.provider.faults import CallName

ACTIONS = {
    "create": "CreateBatchInference",
    "list": "ListBatchInferences",
    "retrieve": "GetBatchInference",
    "results": "GetBatchInference",
    "cancel": "CancelBatchInference",
    "delete": "DeleteBatchInference",
}
"""What IAM calls each call."""
_PIECE = 1 << 20
WORKSPACE_HEADER = "anthropic-workspace-id"


class Signed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where calls are signed: the AWS that is asked, and the workspace they are for."""

    aws: str  # address of the local AWS
    certificate: str  # path of its certificate
    workspace: str
    region: str


def admit(request: Request, signed: Signed) -> None:
    """Check what can be told before the body: raises `ApiError` 400 or 401."""
    headers = request.headers
    if "x-api-key" in headers:
        raise ApiError(401, "API keys of the first-party platform are not accepted here.")
    if not headers.get("authorization", "").startswith("AWS4-HMAC-SHA256 "):
        raise ApiError(401, "Missing Authentication Token")
    if headers.get(WORKSPACE_HEADER) != signed.workspace:
        raise ApiError(400, f"{WORKSPACE_HEADER}: header is required, and must name a workspace of this Region")
    if "transfer-encoding" in headers:
        raise ApiError(400, "Chunked bodies are not accepted.")


def authorize(request: Request, name: CallName, body: BinaryIO, signed: Signed) -> None:
    """Hold the body against the hash that was signed, and ask AWS for the rest; raises `ApiError` 401 or 403."""
    digest = hashlib.sha256()
    body.seek(0)
    while piece := body.read(_PIECE):
        digest.update(piece)
    headers = dict(request.headers)
    if headers.get("x-amz-content-sha256") != digest.hexdigest():
        raise ApiError(401, "The body is not the one whose hash was signed.")
    asked = {
        "method": request.method,
        "path": request.scope["raw_path"].decode(),
        "query": request.url.query,
        "headers": headers,
        "region": signed.region,
        "workspace": signed.workspace,
        "action": ACTIONS[name],
    }
    answer = _client(signed.aws, signed.certificate).post("/_conveyor/authorize", json=asked).raise_for_status().json()
    if answer:
        raise ApiError(answer["status"], answer["message"])


@cache
def _client(url: str, certificate: str) -> httpx.Client:
    """Give the one client of a local AWS, for as long as the provider lives."""
    return httpx.Client(base_url=url, verify=ssl.create_default_context(cafile=certificate), trust_env=False)
