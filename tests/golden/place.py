"""The functions on an AWS and a provider in memory, at a fixed time and without chance: each play is the same."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from itertools import count
from typing import NamedTuple
from uuid import UUID

import boto3
import pytest

from conveyor.clients import Clients
from conveyor.domain import invocation
from conveyor.provider.files import input_files
from local.provider.control import Control
from tests.functions.conftest import API_KEY, DEFINITION, close
from tests.golden.kept import BUCKET
from tests.golden.recorder import Recorder
from tests.support.belt import Belt
from tests.support.memory_aws.aws import MemoryAws
from tests.support.memory_aws.bucket import BucketInMemory
from tests.support.memory_provider import URL
from tests.support.settings import STACK_SETTINGS, variables

START = datetime(2026, 11, 30, 12, tzinfo=UTC)
ROLE = "arn:aws:iam::000000000000:role/machine"
MOST_BATCHES = 20


class Place(NamedTuple):
    """Where a run is played."""

    belt: Belt
    bucket: BucketInMemory
    provider: Recorder


@contextmanager
def place(stack: dict[str, str]) -> Iterator[Place]:
    """Return an empty place. `stack`: settings that differ from those that tests have."""
    aws, provider = MemoryAws(), Recorder()
    with pytest.MonkeyPatch.context() as patch, closing(provider), Control(URL) as control:
        patch.setattr(secrets, "token_hex", _no_chance())  # ids of files at the provider
        for module in (invocation, input_files):  # ids of writers, and the boundaries of forms
            patch.setattr(module, "uuid4", _numbered())
        aws.use(patch)
        provider.install(patch)
        s3, states, keys = map(boto3.client, ("s3", "stepfunctions", "secretsmanager"))
        keys.create_secret(Name=STACK_SETTINGS["API_KEY_SECRET"], SecretString=API_KEY)
        s3.create_bucket(Bucket=BUCKET)
        machine = states.create_state_machine(name=BUCKET, definition=DEFINITION, roleArn=ROLE)["stateMachineArn"]
        resources = {"BUCKET": BUCKET, "STATE_MACHINE_ARN": machine, "API_URL": URL}
        for name, value in variables(STACK_SETTINGS | stack | resources).items():
            patch.setenv(name, value)
        bucket = aws.s3.buckets[BUCKET]
        clients = Clients()
        belt = Belt(clients, s3, states, control, BUCKET, bucket)
        belt.set_clock(START)
        control.configure(batch_ids={str(n): f"msgbatch_01golden{n}" for n in range(1, MOST_BATCHES + 1)})
        bucket.now = lambda: belt.moment
        yield Place(belt, bucket, provider)
        close(clients)


def _no_chance() -> Callable[[int], str]:
    """Return what stands for random digits."""
    numbers = count(1)
    return lambda size: f"{next(numbers):0{2 * size}x}"


def _numbered() -> Callable[[], UUID]:
    """Return what stands for `uuid4`. Each module has its own, since others may draw at any time."""
    numbers = count(1)
    return lambda: UUID(int=next(numbers))
