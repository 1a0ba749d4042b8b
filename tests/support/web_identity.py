"""Tokens as GitHub gives them to a job, without its signature, which the local AWS does not check."""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64encode

ISSUER = "https://token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"
SECONDS = 300
"""How long GitHub's tokens are valid."""


def token(subject: str, *, audience: str = AUDIENCE, issuer: str = ISSUER, seconds: int = SECONDS) -> str:
    """Return a token of a subject, such as `repo:octo-org/octo-repo:ref:refs/heads/main`."""
    now = int(time.time())
    claims = {"iss": issuer, "aud": audience, "sub": subject, "iat": now, "nbf": now, "exp": now + seconds}
    header = {"typ": "JWT", "alg": "RS256", "kid": "none"}
    parts = [urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims, "signature")]
    return b".".join(parts).decode()
