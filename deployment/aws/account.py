"""The account: its clients, who calls, and what an error of AWS means."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)

from deployment.trouble import Trouble, misused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient

_DENIED = frozenset({"AccessDenied", "AccessDeniedException"})
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
_INVALID = frozenset({"InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch"})


class Account:
    """An AWS account in one Region, with the credentials of the environment."""

    def __init__(self, region: str) -> None:
        """Take the Region."""
        self.region = region
        with explained():
            self._session = boto3.Session(region_name=region)

    @cached_property
    def cloudformation(self) -> CloudFormationClient:
        """The client of CloudFormation."""
        client: CloudFormationClient = self._session.client("cloudformation")
        return client

    @cached_property
    def s3(self) -> S3Client:
        """The client of S3."""
        client: S3Client = self._session.client("s3")
        return client

    @cached_property
    def secrets(self) -> SecretsManagerClient:
        """The client of Secrets Manager."""
        client: SecretsManagerClient = self._session.client("secretsmanager")
        return client

    def caller(self) -> tuple[str, str]:
        """Return the number of the account, and the ARN of the caller."""
        with explained():
            identity = self._session.client("sts").get_caller_identity()
            return identity["Account"], identity["Arn"]


def default_region() -> str:
    """Return the Region of the shell or of the AWS profile; empty if there is none."""
    with explained():
        return boto3.Session().region_name or ""


def known_regions() -> list[str]:
    """Return the Regions of all partitions that this version of the AWS SDK lists."""
    session = boto3.Session(region_name="us-east-1")
    partitions = session.get_available_partitions()
    return [region for each in partitions for region in session.get_available_regions("cloudformation", each)]


@contextmanager
def explained() -> Iterator[None]:
    """Raise a Trouble for each error of AWS in the block."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise explain(error) from error


def is_denied(error: ClientError) -> bool:
    """Whether the caller may not do that."""
    return error.response["Error"]["Code"] in _DENIED


def explain(error: ClientError | BotoCoreError) -> Trouble:
    """Return what an error of AWS means for the person who deploys."""
    match error:
        case ProfileNotFound() | NoCredentialsError() | PartialCredentialsError():
            return misused(
                f"There are no credentials of AWS here: {error}",
                "Sign in as you do for AWS CLI (AWS_PROFILE, or aws sso login), and type the same again.",
            )
        case SSOError() | TokenRetrievalError():
            return Trouble("Your session of AWS has ended. Sign in again, and type the same again.")
        case EndpointConnectionError():
            return Trouble(f"AWS cannot be reached: {error}")
        case ClientError():
            return _of_answer(error)
        case _:
            return Trouble(f"AWS: {error}")


def _of_answer(error: ClientError) -> Trouble:
    code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    if code in _EXPIRED:
        return Trouble("Your session of AWS has ended. Sign in again, and type the same again.")
    if code in _INVALID:
        return Trouble(f"AWS does not accept the credentials of this shell: {message}")
    if code in _DENIED:
        return Trouble(
            f"AWS refuses: {message}",
            "Who deploys needs the permissions of docs/deploy-policy.json (docs/operate.md, Deploy).",
        )
    return Trouble(f"AWS refuses ({code}): {message}")
