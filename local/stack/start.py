"""Starting the stack: build the template, start the local AWS and the provider, deploy."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.stack.deployment import build, deploy, kept
from local.stack.local_aws import REGION, Aws, local_aws
from local.stack.messages import subscribe
from local.stack.provider_process import simulated_provider
from local.stack.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mypy_boto3_secretsmanager import SecretsManagerClient

SECRET_NAME = "conveyor/api-key"  # noqa: S105 - the name of a secret, not the secret
WORKSPACE = "wrkspc_01LocalStack"
FUNCTIONS = ("submit", "poll", "split", "report")
PLACEHOLDER_KEY = "sk-ant-local-placeholder"


@dataclass(frozen=True)
class Api:
    """A server with the provider's API, and a key that it accepts."""

    url: str
    key: str = PLACEHOLDER_KEY


ROUND_SECONDS = 600
"""The default of `round-seconds`."""


@contextmanager
def local_stack(  # noqa: PLR0913 - each has its default, and none belongs to another
    *,
    api: Api | None = None,
    wait_scale: float = 0.02,
    provider_settings: Mapping[str, Any] | None = None,
    parameters: Mapping[str, str] | None = None,
    aws_settings: Mapping[str, str] | None = None,
    prepare: Callable[[Aws], Mapping[str, str]] = lambda _: {},
    announce: Callable[[str], None] = lambda _: None,
) -> Iterator[Stack]:
    """Run a stack for the length of the block, and remove it afterwards.

    `api`: the server to use; None starts the simulated provider, with `provider_settings`. With the parameter Auth=aws
    its calls are signed, and there is no secret.
    `wait_scale`: factor for the seconds of Wait and Retry, and for the pause before a round, which the functions
    measure by the real clock. `parameters`: of the template, by name.
    `aws_settings`: environment of the local AWS. `prepare`: creates what must be there before the deployment, such as
    keys, and returns the parameters that name it. `announce` is called with each step before it starts.
    Raises ProcessFailed if something does not start, build or deploy.
    """
    with ExitStack() as running:
        work = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="conveyor-", ignore_cleanup_errors=True)))
        announce("building the template with the SAM CLI")
        built = running.enter_context(kept(build(work)))
        announce("starting the local AWS, with IAM and TLS enforced")
        settings = {**faster_functions(built), **(aws_settings or {})}
        aws = running.enter_context(local_aws(work, wait_scale=wait_scale, extra=settings))
        provider = None
        parameters = with_short_rounds({**(parameters or {}), **prepare(aws)}, wait_scale)
        is_signed = parameters.get("Auth") == "aws"
        if api is None:
            announce("starting the simulated provider")
            signing = {"signed": signing_settings(aws)} if is_signed else {}
            provider = running.enter_context(simulated_provider(work, dict(provider_settings or {}) | signing))
            api = Api(provider.url)
        if is_signed:
            parameters |= {"WorkspaceId": WORKSPACE}
        else:
            secrets: SecretsManagerClient = aws.client("secretsmanager")
            key: Any = {"KmsKeyId": parameters["SecretKmsKeyArn"]} if "SecretKmsKeyArn" in parameters else {}
            secrets.create_secret(Name=SECRET_NAME, SecretString=api.key, **key)
        announce("deploying the template with the SAM CLI")
        outputs = deploy(aws, built, {"ApiUrl": api.url} | parameters, work)
        yield Stack(aws, outputs, subscribe(aws, outputs["TopicArn"]), work, provider, parameters)


def faster_functions(built: Path) -> dict[str, str]:
    """Return settings of a local AWS: functions are unpacked beside what was built, and copied with their modules."""
    loaded = ("boto3", "httpx", "conveyor.clients", "conveyor.page.page")
    modules = (*loaded, *(f"conveyor.{name}.{name}" for name in FUNCTIONS))
    return {"LAMBDA_PACKAGES": str(built), "LAMBDA_MODULES": ",".join(modules)}


def with_short_rounds(parameters: Mapping[str, str], wait_scale: float) -> dict[str, str]:
    """Return the parameters of a stack whose pause before a round is scaled as well, unless they say how long it is."""
    tuning = parameters.get("Tuning", "")
    if "round-seconds=" not in tuning:
        tuning = ",".join(filter(None, (tuning, f"round-seconds={max(1, round(ROUND_SECONDS * wait_scale))}")))
    return {**parameters, "Tuning": tuning}


def signing_settings(aws: Aws) -> dict[str, str]:
    """Return the settings of a simulated provider whose calls are signed by roles of a local AWS."""
    return {"aws": aws.url, "certificate": str(aws.certificate), "workspace": WORKSPACE, "region": REGION}
