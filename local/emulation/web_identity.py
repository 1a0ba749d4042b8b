"""STS: what AssumeRoleWithWebIdentity refuses of a token before it looks at the role's trust policy.

MiniStack evaluates the trust policy with `aud` and `sub` of a token, but takes a token of a provider that the account
does not have, one that has expired, and any duration. AWS refuses these; the codes are those of the API reference.

Not here: the signature. AWS compares it with the provider's published keys; an emulated provider has none.
"""
# ruff: noqa: SLF001 - a patch replaces private names

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64decode
from typing import Any

from ministack.services import iam, sts

type Json = dict[str, Any]
type Problem = tuple[str, str]
"""The code and the message of an error."""

DEFAULT_SECONDS = 3600
"""The longest session of a role that does not say."""
INVALID = "InvalidIdentityToken"

trust_denied = sts._web_identity_trust_denied


def patch() -> None:
    """Apply the patch."""
    sts._web_identity_trust_denied = _refused


def _refused(role: str, params: Json, use_json: bool) -> Any:  # noqa: ANN401, FBT001 - MiniStack's own
    problem = problem_of(sts._p(params, "WebIdentityToken"), role.split(":")[4]) or _problem_of_length(role, params)
    if problem:
        return sts.error_response_json(*problem, 400) if use_json else sts._error(400, *problem, ns="sts")
    return trust_denied(role, params, use_json)


def problem_of(token: str, account: str) -> Problem | None:
    """Return why STS does not take a token for an account; None if it does."""
    try:
        claims = _claims(token)
        issuer, expires = str(claims["iss"]), float(claims["exp"])
        audience = claims["aud"]
    except (ValueError, TypeError):
        return INVALID, "The ID Token provided is not a valid JWT."
    except KeyError as error:
        return INVALID, f"Missing a required claim: {error.args[0]}"
    provider = f"arn:aws:iam::{account}:oidc-provider/{issuer.removeprefix('https://').rstrip('/')}"
    known = iam._oidc_providers.get(provider)
    if known is None:
        return INVALID, f"No OpenIDConnect provider found in your account for {issuer}"
    if expires <= time.time():
        return "ExpiredTokenException", "Token expired: the current time must be before its expiration"
    audiences = {audience} if isinstance(audience, str) else set(audience)
    if not audiences & set(known["ClientIDList"]):
        return INVALID, "Incorrect token audience"
    return None


def _claims(token: str) -> Json:
    _, payload, _ = token.split(".")
    claims: Json = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


def _problem_of_length(role: str, params: Json) -> Problem | None:
    wanted = int(sts._p(params, "DurationSeconds") or DEFAULT_SECONDS)
    known = iam._roles.get_scoped(role.split(":")[4], None, role.rsplit("/", 1)[-1]) or {}
    if wanted <= int(known.get("MaxSessionDuration") or DEFAULT_SECONDS):
        return None
    return "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
