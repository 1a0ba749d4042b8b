"""A stack without a key: every call to the provider is signed by a function's role, and AWS says what each may do.

The simulated provider stands behind the gateway of Claude Platform on AWS: it holds each body against the hash that was
signed, and asks the local AWS for the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.deployment import STACK_NAME
from local.process import interruptible
from local.stack import local_stack, signed_by
from tests.functions.belt import drop_of
from tests.system.conftest import PARAMETERS, PROVIDER, WAIT_SCALE
from tests.system.scene import Scene

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack import Stack


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """Deploy a stack that signs."""
    parameters = PARAMETERS | {"Auth": "aws"}
    running = local_stack(wait_scale=WAIT_SCALE, provider_settings=PROVIDER, parameters=parameters)
    with interruptible(), running as stack:
        yield stack


@pytest.fixture(autouse=True)
def fresh_provider(stack: Stack) -> Iterator[None]:
    """Undo what the test told the provider, but that calls are signed."""
    yield
    stack.provider_settings(PROVIDER | {"signed": signed_by(stack.aws)})


@pytest.fixture(scope="module")
def roles(stack: Stack) -> dict[str, str]:
    """Read the names of the deployed roles by those in the template."""
    resources = stack.aws.client("cloudformation").describe_stack_resources(StackName=STACK_NAME)["StackResources"]
    return {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in resources}


def test_a_drop_goes_through_although_there_is_no_key_anywhere(stack: Stack) -> None:
    """No secret exists; a body of some megabytes is signed and streamed all the same."""
    assert stack.aws.client("secretsmanager").list_secrets()["SecretList"] == []
    data = b"".join(line.replace(b"About", b"x" * 100_000) + b"\n" for line in drop_of(50).splitlines())
    stack.drop(data, "inbox/signed.jsonl")
    message = stack.wait_for_message("inbox/signed.jsonl")
    assert message.subject == "Conveyor: completed signed (50 results, 0 failures)"
    assert stack.provider_stats()["created"] == 1


@pytest.mark.parametrize("sid", ["CreateBatches", "LetGatewayAsk", "LetGatewayTag"])
def test_submit_creates_nothing_without_its_permission(stack: Stack, roles: dict[str, str], sid: str) -> None:
    """The gateway refuses, so nothing was created; the message says what to look at, and the drop can come again."""
    created = stack.provider_stats()["created"]
    scene = Scene(stack, roles["SubmitRole"], sid)
    with scene.without():
        run = scene.drop()
        assert run.first_word() == "refused"
    text = run.messages()[-1].text
    assert "HTTP 403 permission_error" in text
    assert "enable-outbound-web-identity-federation" in text
    assert "secret" not in text
    assert stack.provider_stats()["created"] == created
    assert scene.drop().first_word() == "completed"


@pytest.mark.parametrize("sid", ["WatchBatches", "LetGatewayAsk", "LetGatewayTag"])
def test_poll_learns_nothing_without_its_permission_and_says_so(stack: Stack, roles: dict[str, str], sid: str) -> None:
    """The batch runs, and the run goes on asking; when it may, all is well."""
    scene = Scene(stack, roles["PollRole"], sid)
    with scene.without():
        run = scene.drop()
        text = run.message("troubled").text
        assert "HTTP 403" in text
        assert "enable-outbound-web-identity-federation" in text
        assert "secret" not in text
    run.message("completed")


@pytest.mark.parametrize("sid", ["ReadBatches", "LetGatewayAsk", "LetGatewayTag"])
def test_split_reads_nothing_without_its_permission(stack: Stack, roles: dict[str, str], sid: str) -> None:
    """No line is lost for it: results are read when they can be."""
    scene = Scene(stack, roles["SplitRole"], sid)
    with scene.without():
        run = scene.drop()
        assert "HTTP 403" in run.fact("batches/1/unread-1.json")["reason"]
    run.let_pass("batches/1/unread-1.json")
    run.message("completed")
