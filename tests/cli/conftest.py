"""An AWS in memory behind a socket, with one stack, and the command as a program."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.functions.conftest import (
    belt,
    bucket,
    machine,
    memory_provider,
    memory_services,
    provider,
    services,
    the_memory,
)
from tests.support.belt import Belt
from tests.support.command import Command
from tests.support.desk_drops import SETTINGS, Reaction, deploy
from tests.support.memory_aws.served import Served, served
from tests.support.memory_aws.stacks import Stack

__all__ = [
    "belt",
    "bucket",
    "machine",
    "memory_provider",
    "memory_services",
    "provider",
    "services",
]

MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:conveyor"


@pytest.fixture(scope="session")
def socket() -> Iterator[Served]:
    """Serve the AWS in memory."""
    with served(the_memory()) as server:
        yield server


@pytest.fixture
def aws(socket: Served, bucket: str) -> Served:
    """Return the AWS in memory, with a stack that has an empty bucket."""
    socket.reset()
    outputs = {"BucketName": bucket, "StateMachineArn": MACHINE}
    socket.memory.stacks.named = {"conveyor": Stack(outputs), "other": Stack({"Url": "https://example.org"})}
    return socket


@pytest.fixture
def conveyor(aws: Served, tmp_path: Path) -> Command:
    """Return the command of a user who has chosen no stack yet."""
    return Command(tmp_path, {**aws.memory.env, "AWS_ENDPOINT_URL": aws.url})


@pytest.fixture
def desk(conveyor: Command) -> Command:
    """Return the command of a user who has chosen the stack."""
    conveyor.call("use", "conveyor")
    return conveyor


@pytest.fixture
def stack_settings() -> dict[str, str]:
    """Return the settings of the stack that the command finds."""
    return SETTINGS


@pytest.fixture
def reaction(belt: Belt, aws: Served, conveyor: Command) -> Reaction:
    """Return a stack that was chosen, and reacts to uploads."""
    deploy(aws)
    assert conveyor.call("use", "conveyor").exit == 0
    reaction = Reaction(belt)
    aws.reactions["HEAD"] = reaction
    return reaction
