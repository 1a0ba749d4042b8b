"""Connects a run to its provider: by the dialect and the authentication that its settings choose."""

from collections.abc import Callable
from functools import cached_property
from importlib import import_module
from typing import Any

import botocore.session
import httpx
from aws_lambda_powertools.utilities.parameters import SecretsProvider
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError

from conveyor.domain.refusal import NO_SECRET
from conveyor.provider.credentials import ApiKey, Credential, KeyHeader
from conveyor.provider.protocol import BatchApi, CredentialsUnusable, module_of
from conveyor.provider.retry_after import RetryAfter
from conveyor.provider.transport import Transport
from conveyor.settings.settings import Settings

_KEY_SECONDS = 300


class Connector:
    """The HTTP client and the API key that all calls of one process share."""

    def __init__(self, secret: str, secrets_client: Callable[[], Any]) -> None:
        """`secret`: name of the secret that holds the API key. `secrets_client`: builds the client that reads it."""
        self.http = httpx.Client(follow_redirects=False)
        self._secret = secret
        self._secrets_client = secrets_client

    @cached_property
    def secrets(self) -> SecretsProvider:
        """Reads the secret, and caches it."""
        # By itself it would build another session of botocore, which takes as long as a client.
        return SecretsProvider(boto3_client=self._secrets_client())

    def api(self, settings: Settings, retry_after: RetryAfter | None = None) -> BatchApi:
        """Return the provider of a run, which is not called before `retry_after`.

        Raises LookupError for an unknown dialect.
        """
        workspace = {"anthropic-workspace-id": settings.workspace_id} if settings.workspace_id else {}
        transport = Transport(self.http, settings.api_url, self._credential(settings.auth), workspace, retry_after)
        api: BatchApi = import_module(module_of(settings)).connect(transport, settings)
        return api

    def _credential(self, auth: str) -> Credential:
        return self._signature if auth == "aws" else KeyHeader(self._key, bearer=auth == "bearer")

    @cached_property
    def _signature(self) -> Credential:
        from conveyor.provider.sigv4 import RoleSignature  # noqa: PLC0415  # only loaded with Auth=aws

        return RoleSignature(botocore.session.get_session())

    def _key(self, *, renew: bool = False) -> ApiKey:
        """Read the key. Raises CredentialsUnusable if there is none, or the secret cannot be a key."""
        name = self._secret
        try:
            text = str(self.secrets.get(name, max_age=_KEY_SECONDS, force_fetch=renew)).strip()
        except GetParameterError as error:
            if "ResourceNotFoundException" in str(error):
                raise CredentialsUnusable(f'{NO_SECRET} "{name}"') from None
            raise
        if text.startswith("{"):
            raise CredentialsUnusable(
                f'the secret "{name}" holds JSON (key/value); it must be the API key as plain text'
            )
        if not (text.isascii() and text.isprintable() and text and " " not in text):
            raise CredentialsUnusable(f'the secret "{name}" holds no API key: it must be one line of plain ASCII text')
        return ApiKey(text)
