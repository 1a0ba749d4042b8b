"""The account of a person: its stacks, and their buckets. The only module that builds clients."""

import os
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import ClientError

from conveyor.s3.bucket import MOST_READS, Bucket
from conveyor_cli.aws.errors import AWS_ERRORS, explain, explained
from conveyor_cli.aws.inbox import Inbox
from conveyor_cli.aws.versions import Versions
from conveyor_cli.trouble import Trouble

if TYPE_CHECKING:
    from boto3 import Session
    from botocore.config import Config
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import StackTypeDef
    from mypy_boto3_s3 import S3Client

_CONNECT_SECONDS, _READ_SECONDS, _ATTEMPTS = 5, 30, 3
_BUCKET, _MACHINE = "BucketName", "StateMachineArn"
"""Outputs that a stack of Conveyor has."""
_OWN_KEYS = ("AWS_PROFILE", "AWS_ACCESS_KEY_ID")


class StackFound(NamedTuple):
    """A stack of Conveyor."""

    name: str
    region: str
    account: str
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]
    id: str
    status: str

    @property
    def bucket(self) -> str:
        """The name of its bucket."""
        return self.outputs[_BUCKET]


class Account:
    """An AWS account as a person sees it, in one Region. Raises Trouble for each error of AWS."""

    def __init__(self, region: str | None, profile: str | None = None) -> None:
        """Take the Region, else that of the environment. `profile`: used unless the environment names credentials."""
        own = any(os.environ.get(name) for name in _OWN_KEYS)
        with explained():
            self._session, self._config = _start(region, None if own else profile)

    @property
    def region(self) -> str:
        """The Region."""
        return self._session.region_name or ""

    def stack(self, name: str) -> StackFound:
        """Look up a stack. Says which stacks there are if it is not among them."""
        try:
            found = self._stacks.describe_stacks(StackName=name)["Stacks"][0]
        except AWS_ERRORS as error:
            is_unknown = isinstance(error, ClientError) and error.response["Error"]["Code"] == "ValidationError"
            raise (self._no_stack(name) if is_unknown else explain(error)) from error
        if stack := _stack_of(found):
            return stack
        status = found["StackStatus"]
        raise Trouble(
            "not-of-conveyor",
            f'"{name}" in {self.region} is no stack of Conveyor that can be used',
            f"Its status is {status}, and it has no output {_BUCKET}.",
        )

    def bucket(self, name: str) -> Bucket:
        """Return a bucket; nothing is asked yet. Its errors are botocore's: see `explained`."""
        with explained():
            client: S3Client = self._session.client("s3", config=self._config)
            return Bucket(client, name)

    def inbox(self, name: str) -> Inbox:
        """Return the inbox of a bucket; nothing is asked yet. Its errors are botocore's: see `explained`."""
        with explained():
            client: S3Client = self._session.client("s3", config=self._config)
            return Inbox(client, name)

    def versions(self, name: str) -> Versions:
        """Return the versions of a bucket; nothing is asked yet. Its errors are botocore's: see `explained`."""
        with explained():
            client: S3Client = self._session.client("s3", config=self._config)
            return Versions(client, name)

    def client(self, service: str, seconds: int = _READ_SECONDS) -> Any:  # noqa: ANN401 - the caller knows its type
        """Return the client of any service. Its errors are botocore's: see `explained`.

        `seconds`: for which an answer is waited for.
        """
        from botocore.config import Config  # noqa: PLC0415 - see `_start`

        with explained():
            return self._session.client(service, config=self._config.merge(Config(read_timeout=seconds)))

    @cached_property
    def _stacks(self) -> "CloudFormationClient":
        with explained():
            client: CloudFormationClient = self._session.client("cloudformation", config=self._config)
            return client

    def _no_stack(self, name: str) -> Trouble:
        others = self._others()
        more = [f"Stacks of Conveyor here: {', '.join(others)}."] if others else ["No stack of Conveyor is seen here."]
        if not others:
            more.append("It may be in another Region or account.")
        commands = [f"conveyor use {each} --region {self.region}" for each in others[:1]]
        return Trouble(
            "no-stack",
            f'No stack "{name}" in {self.region}{self._of_account()}',
            *more,
            commands=tuple(commands or [f"conveyor use {name} --region REGION"]),
        )

    def _others(self) -> list[str]:
        """Return the stacks of Conveyor in this Region, as far as they may be seen."""
        try:
            pages = self._stacks.get_paginator("describe_stacks").paginate()
            return [stack.name for page in pages for found in page["Stacks"] if (stack := _stack_of(found))]
        except AWS_ERRORS:
            return []

    def _of_account(self) -> str:
        """Return which account was asked, if that can be known."""
        try:
            return f", account {self._session.client('sts', config=self._config).get_caller_identity()['Account']}"
        except AWS_ERRORS:
            return ""


def _start(region: str | None, profile: str | None) -> "tuple[Session, Config]":
    """Import boto3, which takes longer than all else that help and completion need."""
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    config = Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
        max_pool_connections=MOST_READS,
    )
    return boto3.Session(profile_name=profile, region_name=region), config


def _stack_of(found: "StackTypeDef") -> StackFound | None:
    outputs = {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}
    if not outputs.keys() >= {_BUCKET, _MACHINE}:
        return None
    _, _, _, region, account, *_ = outputs[_MACHINE].split(":")
    parameters = {each["ParameterKey"]: each["ParameterValue"] for each in found.get("Parameters", [])}
    return StackFound(found["StackName"], region, account, outputs, parameters, found["StackId"], found["StackStatus"])
