"""What a call to the provider is made with."""

from dataclasses import dataclass, field
from typing import Protocol

import httpx


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key that cannot print itself."""

    value: str = field(repr=False)


class KeySource(Protocol):
    """Where the key comes from."""

    def __call__(self, *, renew: bool = False) -> ApiKey:
        """Return the key, read anew where a kept one may be old. Raises CredentialsUnusable."""
        ...


class Credential(Protocol):
    """What lets a call in."""

    signs_body: bool
    """Whether the SHA-256 of a body must be known before its first byte is sent."""

    def renew(self) -> None:
        """Read it anew, if it is kept. Raises CredentialsUnusable."""
        ...

    def sign(self, request: httpx.Request, digest: str) -> None:
        """Put it into a request, whose body has this SHA-256, in hex; empty where nobody needs to know."""
        ...

    def hide(self, words: str) -> str:
        """Return words of the provider without the secret, should they quote it."""
        ...


class KeyHeader:
    """An API key in a header of its own, or as a bearer token."""

    signs_body = False

    def __init__(self, source: KeySource, *, bearer: bool = False) -> None:
        """Take where the key comes from."""
        self._source = source
        self._bearer = bearer
        self._sent = ""

    def renew(self) -> None:
        """Read the key anew."""
        self._source(renew=True)

    def sign(self, request: httpx.Request, digest: str) -> None:  # noqa: ARG002  # a key vouches for no body
        """Put the key into the header."""
        key = self._sent = self._source().value
        if self._bearer:
            request.headers["authorization"] = f"Bearer {key}"
        else:
            request.headers["x-api-key"] = key

    def hide(self, words: str) -> str:
        """Blot the key out that was sent last; there may be another by now."""
        return words.replace(self._sent, "…") if self._sent else words
