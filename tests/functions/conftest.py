"""AWS and a provider in memory for this folder; a new bucket and state machine and a reset provider for each test.

Tests marked with `local_aws` use the local AWS, and the provider behind a socket.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import cache, partial
from typing import Any, NamedTuple
from uuid import uuid4

import boto3
import pytest

from conveyor.clients import Clients
from local.provider.control import Control
from local.provider.http.server import serving
from local.provider.settings import Settings
from local.stack.local_aws import Aws, local_aws
from tests.support.belt import Belt, Objects, ObjectsOfS3
from tests.support.memory_aws.aws import MemoryAws
from tests.support.memory_provider import MemoryProvider
from tests.support.settings import STACK_SETTINGS, tune, variables

API_KEY = "sk-ant-simulated"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)
DEFINITION = json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}})


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    """Run a local AWS with a secret and a role for state machines."""
    with local_aws(tmp_path_factory.mktemp("aws")) as aws:
        with closing(aws.client("secretsmanager")) as secrets, closing(aws.client("iam")) as iam:
            secrets.create_secret(Name=STACK_SETTINGS["API_KEY_SECRET"], SecretString=API_KEY)
            iam.create_role(RoleName="machine", AssumeRolePolicyDocument=TRUST)
        yield aws


@pytest.fixture(scope="session")
def served_provider() -> Iterator[Control]:
    """Run a provider whose batches end at once, behind a socket."""
    with serving(Settings(seconds=0, canceling_seconds=0, api_key=API_KEY)) as control:
        yield control


@cache
def the_provider() -> MemoryProvider:
    """Return the provider of this process: of two, one would be controlled, and the other get the requests."""
    return MemoryProvider(Settings(seconds=0, canceling_seconds=0, api_key=API_KEY))


@pytest.fixture(scope="session")
def memory_provider() -> Iterator[Control]:
    """Return such a provider without a socket."""
    memory = the_provider()
    with pytest.MonkeyPatch.context() as patch, closing(memory), memory.control as control:
        memory.install(patch)
        yield control


@pytest.fixture
def provider(request: pytest.FixtureRequest) -> Control:
    """Return the provider of a test after a reset."""
    is_local = request.node.get_closest_marker("local_aws")
    control: Control = request.getfixturevalue("served_provider" if is_local else "memory_provider")
    control.reset()
    return control


class Services(NamedTuple):
    """An AWS, and clients of it with all permissions."""

    env: dict[str, str]
    """The environment variables for a client."""
    s3: Any
    states: Any
    secrets: Any
    objects: Callable[[str], Objects]
    """Returns the objects of a bucket."""


@pytest.fixture(scope="session")
def local_services(aws: Aws) -> Iterator[Services]:
    """Build each client of the local AWS once, since that takes longer than most tests."""
    with (
        closing(aws.client("s3")) as s3,
        closing(aws.client("stepfunctions")) as states,
        closing(aws.client("secretsmanager")) as secrets,
    ):
        yield Services(aws.env, s3, states, secrets, partial(ObjectsOfS3, s3))


@cache
def the_memory() -> MemoryAws:
    """Return the AWS in memory of this process: with two of them, one would get the requests to the other."""
    return MemoryAws()


@pytest.fixture(scope="session")
def memory_services() -> Iterator[Services]:
    """Return the AWS in memory, and build each client of it once."""
    memory = the_memory()
    with pytest.MonkeyPatch.context() as patch:
        memory.install(patch)
        with pytest.MonkeyPatch.context() as environment:
            for name, value in memory.env.items():
                environment.setenv(name, value)
            s3, states, secrets = map(boto3.client, ("s3", "stepfunctions", "secretsmanager"))
            services = Services(memory.env, s3, states, secrets, memory.s3.buckets.__getitem__)
        services.secrets.create_secret(Name=STACK_SETTINGS["API_KEY_SECRET"], SecretString=API_KEY)
        yield services


@pytest.fixture
def services(request: pytest.FixtureRequest) -> Services:
    """Return the AWS of a test."""
    is_local = request.node.get_closest_marker("local_aws")
    services: Services = request.getfixturevalue("local_services" if is_local else "memory_services")
    return services


@pytest.fixture
def bucket(services: Services) -> Iterator[str]:
    """Create a versioned bucket. What is in it in memory is forgotten: a process plays thousands of tests."""
    name = f"belt-{uuid4().hex[:12]}"
    services.s3.create_bucket(Bucket=name)
    services.s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    yield name
    the_memory().s3.buckets.pop(name, None)


@pytest.fixture
def machine(services: Services, bucket: str) -> str:
    """Create a state machine that ends at once, since the test runs the loop itself."""
    role = "arn:aws:iam::000000000000:role/machine"
    made = services.states.create_state_machine(name=bucket, definition=DEFINITION, roleArn=role)
    arn: str = made["stateMachineArn"]
    return arn


@pytest.fixture
def stack_settings() -> dict[str, str]:
    """Return the stack's settings, as tests have them."""
    return STACK_SETTINGS


@pytest.fixture
def belt(  # noqa: PLR0913, PLR0917  # one for each service a function uses
    services: Services,
    provider: Control,
    bucket: str,
    machine: str,
    stack_settings: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Belt]:
    """Return the functions with the environment that the template gives them."""
    resources = {"BUCKET": bucket, "STATE_MACHINE_ARN": machine, "API_URL": provider.url}
    for name, value in variables(stack_settings | resources).items():
        monkeypatch.setenv(name, value)
    for name, value in services.env.items():
        monkeypatch.setenv(name, value)
    clients = Clients()
    yield Belt(clients, services.s3, services.states, provider, bucket, services.objects(bucket))
    close(clients)


@pytest.fixture
def seldom(belt: Belt, monkeypatch: pytest.MonkeyPatch) -> Belt:
    """Return the functions, which check a run seldom: for runs of days, where the times between polls prove nothing."""
    tune(monkeypatch, poll_min_seconds=600, poll_max_seconds=900)
    return belt


def close(clients: Clients) -> None:
    """Close the opened clients; a Lambda never does, since its process ends."""
    opened = vars(clients)
    for name in ("bucket", "machine"):
        if name in opened:
            opened[name]._client.close()  # noqa: SLF001
    if "connector" in opened:
        opened["connector"].http.close()
        if "secrets" in vars(opened["connector"]):
            opened["connector"].secrets.client.close()
