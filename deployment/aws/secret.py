"""The secret with the provider's key: whether it exists, and how it is created. Its value is never read."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from deployment.aws.account import explain, explained, is_denied

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

_DESCRIPTION = "The API key of the provider, as plain text. The functions of Conveyor read it."


class Found(Enum):
    """What can be seen of a secret."""

    EXISTS = auto()
    MISSING = auto()
    DELETED = auto()
    """It is scheduled for deletion, and cannot be read."""
    UNSEEN = auto()
    """The caller may not look."""


def look(client: SecretsManagerClient, name: str) -> Found:
    """Look whether a secret exists, by DescribeSecret, which does not return its value."""
    try:
        described = client.describe_secret(SecretId=name)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return Found.MISSING
        if is_denied(error):
            return Found.UNSEEN
        raise explain(error) from error
    return Found.DELETED if described.get("DeletedDate") is not None else Found.EXISTS


def create(client: SecretsManagerClient, name: str, key: str) -> None:
    """Create the secret."""
    with explained():
        client.create_secret(Name=name, SecretString=key, Description=_DESCRIPTION)
