"""The dialects there are, and the credential that the operator chose."""

from functools import cached_property
from importlib import import_module

import botocore.session
import httpx
from aws_lambda_powertools.utilities.parameters import SecretsProvider
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError
from botocore.config import Config

from conveyor.provider.credentials import ApiKey, Credential, KeyHeader
from conveyor.provider.protocol import BatchApi, CredentialsUnusable
from conveyor.provider.retry_after import RetryAfter
from conveyor.provider.transport import Transport
from conveyor.settings.settings import Settings

DIALECTS = {
    "messages": "conveyor.provider.messages.api",
    "files": "conveyor.provider.files.api",
}
"""By the value of `BatchApi`. Each has `connect`, which takes the way to a provider and a run's settings."""

_KEY_SECONDS = 300


class Connector:
    """What all calls of one process share."""

    def __init__(self, secret: str, config: Config) -> None:
        """Take the name of the key's secret, and how AWS is called."""
        self.http = httpx.Client(follow_redirects=False)
        self._secret = secret
        self._config = config

    @cached_property
    def secrets(self) -> SecretsProvider:
        """Where the key is kept."""
        return SecretsProvider(boto_config=self._config)

    def api(self, settings: Settings, retry_after: RetryAfter | None = None) -> BatchApi:
        """Return the provider of a run, which is not asked while it rests.

        Raises LookupError for a dialect that there is not.
        """
        if settings.batch_api not in DIALECTS:
            raise LookupError(f'BatchApi "{settings.batch_api}" is none of {", ".join(DIALECTS)}')
        workspace = {"anthropic-workspace-id": settings.workspace_id} if settings.workspace_id else {}
        transport = Transport(self.http, settings.api_url, self._credential(settings.auth), workspace, retry_after)
        api: BatchApi = import_module(DIALECTS[settings.batch_api]).connect(transport, settings)
        return api

    def _credential(self, auth: str) -> Credential:
        return self._signature if auth == "aws" else KeyHeader(self._key, bearer=auth == "bearer")

    @cached_property
    def _signature(self) -> Credential:
        from conveyor.provider.sigv4 import RoleSignature  # noqa: PLC0415  # loaded by those who sign

        return RoleSignature(botocore.session.get_session())

    def _key(self, *, renew: bool = False) -> ApiKey:
        """Read the key. Raises CredentialsUnusable where there is none that could ever serve."""
        name = self._secret
        try:
            text = str(self.secrets.get(name, max_age=_KEY_SECONDS, force_fetch=renew)).strip()
        except GetParameterError as error:
            if "ResourceNotFoundException" in str(error):
                raise CredentialsUnusable(f'there is no secret "{name}"') from None
            raise
        if text.startswith("{"):
            raise CredentialsUnusable(
                f'the secret "{name}" holds JSON (key/value); it must be the API key as plain text'
            )
        if not (text.isascii() and text.isprintable() and text and " " not in text):
            raise CredentialsUnusable(f'the secret "{name}" holds no API key: it must be one line of plain ASCII text')
        return ApiKey(text)
