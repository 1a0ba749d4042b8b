"""The way to the provider: one HTTP client, and the API key that the operator keeps in Secrets Manager."""

from functools import cached_property

import httpx
from aws_lambda_powertools.utilities.parameters import SecretsProvider
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError
from botocore.config import Config

from conveyor.api import BatchApi, CredentialsUnusable
from conveyor.api.messages import ApiKey, MessageBatches

_KEY_SECONDS = 300


class Access:
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

    def api(self, url: str) -> BatchApi:
        """Return the provider at an address."""
        return MessageBatches(self.http, url, self._key)

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
