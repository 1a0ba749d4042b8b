"""The clients of one function, built from its environment on first use and kept while its process lives."""

import json
import os
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
import httpx
from aws_lambda_powertools.utilities.parameters import SecretsProvider
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError
from botocore.config import Config

from conveyor.api import CredentialsUnusable
from conveyor.api.messages import ApiKey, MessageBatches
from conveyor.invocation import Invocation
from conveyor.ledger import Ledger
from conveyor.settings import Environment, Settings
from conveyor.storage import Storage
from conveyor.turn import Turn

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

_KEY_SECONDS = 300
_CONFIG = Config(connect_timeout=5, read_timeout=60, retries={"mode": "standard", "total_max_attempts": 5})


class Machine:
    """The one state machine."""

    def __init__(self, client: "SFNClient", arn: str) -> None:
        """Take a client and the machine's ARN."""
        self._client = client
        self._arn = arn

    def start(self, name: str, state: dict[str, Any]) -> None:
        """Start the execution of this name unless it was started before, however it ended."""
        try:
            self._client.start_execution(stateMachineArn=self._arn, name=name, input=json.dumps(state))
        except self._client.exceptions.ExecutionAlreadyExists:
            return


class Clients:
    """What a function reaches the world by. Each client is built when it is first asked for."""

    @cached_property
    def environment(self) -> Environment:
        """Where things are."""
        return Environment.from_env(os.environ)

    @cached_property
    def settings(self) -> Settings:
        """The stack's settings."""
        return Settings.from_env(os.environ)

    @cached_property
    def storage(self) -> Storage:
        """The bucket."""
        return Storage(boto3.client("s3", config=_CONFIG), self.environment.bucket)

    @cached_property
    def machine(self) -> Machine:
        """The state machine."""
        return Machine(boto3.client("stepfunctions", config=_CONFIG), self.environment.state_machine_arn)

    def turn(self, run: str, invocation: Invocation) -> Turn:
        """Read a run and give what is needed to work on it."""
        ledger = Ledger(self.storage, run)
        about = ledger.run()
        api = MessageBatches(self._http, about.settings.api_url, self._api_key)
        return Turn(about, ledger, self.storage, api, invocation)

    @cached_property
    def _http(self) -> httpx.Client:
        return httpx.Client(follow_redirects=False)

    @cached_property
    def _secrets(self) -> SecretsProvider:
        return SecretsProvider(boto_config=_CONFIG)

    def _api_key(self, *, renew: bool = False) -> ApiKey:
        """Read the key. Raises CredentialsUnusable where there is none that could ever serve."""
        name = self.environment.api_key_secret
        try:
            text = str(self._secrets.get(name, max_age=_KEY_SECONDS, force_fetch=renew)).strip()
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
