"""How calls to the provider are authenticated."""

from dataclasses import dataclass, field
from typing import Protocol

import httpx


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key. Its `repr` does not show it."""

    value: str = field(repr=False)


class KeySource(Protocol):
    """Returns the API key."""

    def __call__(self, *, renew: bool = False) -> ApiKey:
        """Return the key; `renew` reads it again instead of taking a cached one. Raises CredentialsUnusable."""
        ...


class Credential(Protocol):
    """Authenticates requests."""

    signs_body: bool
    """Whether the SHA-256 of the body must be known before it is sent."""

    def renew(self) -> None:
        """Read it again, if it is cached. Raises CredentialsUnusable."""
        ...

    def sign(self, request: httpx.Request, digest: str) -> None:
        """Authenticate a request. `digest`: SHA-256 of the body in hex; empty unless `signs_body`."""
        ...

    def redact(self, text: str) -> str:
        """Return text of the provider without the secret, in case it quotes it."""
        ...


class KeyHeader:
    """An API key in a header of its own, or as a bearer token."""

    signs_body = False

    def __init__(self, source: KeySource, *, bearer: bool = False) -> None:
        """`bearer`: send the key as a bearer token."""
        self._source = source
        self._bearer = bearer
        self._sent = ""

    def renew(self) -> None:
        """Read the key again."""
        self._source(renew=True)

    def sign(self, request: httpx.Request, digest: str) -> None:  # noqa: ARG002  # a key does not sign the body
        """Add the header with the key."""
        key = self._sent = self._source().value
        if self._bearer:
            request.headers["authorization"] = f"Bearer {key}"
        else:
            request.headers["x-api-key"] = key

    def redact(self, text: str) -> str:
        """Replace the key that was sent last; by now there may be another."""
        return text.replace(self._sent, "…") if self._sent else text
