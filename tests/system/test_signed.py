"""A stack without an API key: every call to the provider is signed by a function's role, whose permissions AWS checks.

The simulated provider acts as the gateway of Claude Platform on AWS: it compares each body with the signed hash, and
the local AWS checks signature and permissions.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from local.process import interruptible
from local.provider.auth.aws_gateway import ACTIONS
from local.stack.deployment import STACK_NAME
from local.stack.start import WORKSPACE, local_stack, signing_settings
from tests.support.belt import drop_of, request
from tests.support.system.scene import Scene
from tests.system.conftest import PARAMETERS, PROVIDER, WAIT_SCALE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack.stack import Stack

CREATE, LIST, GET, CANCEL, DELETE = (
    f"aws-external-anthropic:{ACTIONS[call]}" for call in ("create", "list", "retrieve", "cancel", "delete")
)
ASK, TAG = "sts:GetWebIdentityToken", "sts:TagGetWebIdentityToken"
ALLOWED = {"SubmitRole": {CREATE, LIST}, "PollRole": {GET, LIST, CANCEL}, "SplitRole": {GET}}
"""What each role may do on the workspace."""
BETAS = ["mcp-client-2025-11-20", "task-budgets-2026-03-13"]


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """Deploy a stack with signed calls and beta features."""
    parameters = PARAMETERS | {"Auth": "aws", "Betas": ",".join(BETAS)}
    running = local_stack(wait_scale=WAIT_SCALE, provider_settings=PROVIDER, parameters=parameters)
    with interruptible(), running as stack:
        yield stack


@pytest.fixture(autouse=True)
def fresh_provider(stack: Stack) -> Iterator[None]:
    """Restore the provider's settings, with signed calls."""
    yield
    stack.provider_settings(PROVIDER | {"signed": signing_settings(stack.aws)})


@pytest.fixture(scope="module")
def roles(stack: Stack) -> dict[str, str]:
    """Read the names of the deployed roles by those in the template."""
    resources = stack.aws.client("cloudformation").describe_stack_resources(StackName=STACK_NAME)["StackResources"]
    return {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in resources}


def test_a_drop_completes_without_an_api_key(stack: Stack) -> None:
    """No secret exists; a body of several megabytes is signed and streamed."""
    assert stack.aws.client("secretsmanager").list_secrets()["SecretList"] == []
    data = b"".join(line.replace(b"About", b"x" * 100_000) + b"\n" for line in drop_of(50).splitlines())
    stack.drop(data, "inbox/signed.jsonl")
    message = stack.wait_for_message("inbox/signed.jsonl")
    assert message.subject.startswith("Conveyor: done signed (all 50 answered, $")
    assert stack.provider_stats()["created"] == 1


def test_betas_reach_the_provider_from_the_stack_and_from_a_drop(stack: Stack) -> None:
    """They are signed like every API header. The parameter contains a comma, which deployment must keep."""
    long = "output-300k-2026-03-24"
    line = request("r-1", model="claude-opus-5-5", max_tokens=300_000)
    drops: list[tuple[dict[str, str], list[str], str]] = [
        ({}, BETAS, "failed"),
        ({"betas": f"{long}, {BETAS[0]}"}, [BETAS[0], long], "completed"),
    ]
    for metadata, betas, status in drops:
        stack.drop(line, f"inbox/{len(metadata)}.jsonl", metadata)
        message = stack.wait_for_message(f"inbox/{len(metadata)}.jsonl")
        assert stack.provider_stats()["batches"][-1]["betas"] == betas
        assert message.status == status, "only the beta of the drop allows so many tokens"


def refused(scene: Scene) -> Counter[str]:
    """Count the role's calls that the gateway's log shows as refused for a missing permission, by action."""
    pattern = rf"refused \w+: 403 User: \S+:assumed-role/{scene.role}/\S+ is not authorized to perform: (\S+) on"
    return Counter(re.findall(pattern, (scene.stack.work / "provider.log").read_text()))


@pytest.mark.parametrize(("sid", "action"), [("CreateBatches", CREATE), ("LetGatewayAsk", ASK), ("LetGatewayTag", TAG)])
def test_submit_creates_nothing_without_its_permission(
    stack: Stack, roles: dict[str, str], sid: str, action: str
) -> None:
    """The gateway refuses the call, the message says what to check, and the file can be dropped again."""
    created = stack.provider_stats()["created"]
    scene = Scene(stack, roles["SubmitRole"], sid)
    before = refused(scene)
    with scene.without():
        run = scene.drop()
        assert run.first_status() == "refused"
    assert action in refused(scene) - before
    text = run.messages()[-1].text
    assert "HTTP 403 permission_error" in text
    assert "enable-outbound-web-identity-federation" in text
    assert "secret" not in text
    assert stack.provider_stats()["created"] == created
    assert scene.drop().first_status() == "completed"


@pytest.mark.parametrize(("sid", "action"), [("WatchBatches", GET), ("LetGatewayAsk", ASK), ("LetGatewayTag", TAG)])
def test_poll_reports_a_missing_permission_and_retries(
    stack: Stack, roles: dict[str, str], sid: str, action: str
) -> None:
    """The batch runs and polls are retried; with the permission the run completes."""
    scene = Scene(stack, roles["PollRole"], sid)
    before = refused(scene)
    with scene.without():
        run = scene.drop()
        text = run.message("troubled").text
        assert action in refused(scene) - before
        assert "HTTP 403" in text
        assert "enable-outbound-web-identity-federation" in text
        assert "secret" not in text
    run.message("completed")


@pytest.mark.parametrize(("sid", "action"), [("ReadBatches", GET), ("LetGatewayAsk", ASK), ("LetGatewayTag", TAG)])
def test_split_reads_nothing_without_its_permission(stack: Stack, roles: dict[str, str], sid: str, action: str) -> None:
    """No line is lost: the results are read once the permission is there."""
    scene = Scene(stack, roles["SplitRole"], sid)
    before = refused(scene)
    with scene.without():
        run = scene.drop()
        assert "HTTP 403" in run.fact("batches/1/unread-1.json")["reason"]
        assert action in refused(scene) - before
    run.backdate("batches/1/unread-1.json")
    run.message("completed")


def test_submit_needs_to_list_to_see_how_full_the_queue_is(stack: Stack, roles: dict[str, str]) -> None:
    """Without the permission it still sends, since the provider refuses a batch if its queue is full."""
    scene = Scene(stack, roles["SubmitRole"], "CreateBatches")
    before = refused(scene)
    with scene.without_action(LIST):
        assert scene.drop(key="inbox/queue.jsonl").first_status() == "completed"
    assert set(refused(scene) - before) == {LIST}


def test_poll_needs_to_list_to_find_a_lost_batch(stack: Stack, roles: dict[str, str]) -> None:
    """Nothing is paid again while it cannot list batches."""
    stack.provider_settings({"faults": [{"call": "create", "do": {"kind": "lose", "when": "after"}}]})
    scene = Scene(stack, roles["PollRole"], "WatchBatches")
    created, before = stack.provider_stats()["created"], refused(scene)
    with scene.without_action(LIST):
        run = scene.drop(key="inbox/lost.jsonl")
        assert "enable-outbound-web-identity-federation" in run.message("undecided").text
        assert set(refused(scene) - before) == {LIST}
    run.message("completed")
    assert stack.provider_stats()["created"] == created + 1


def test_poll_needs_to_cancel_to_stop_a_run(stack: Stack, roles: dict[str, str]) -> None:
    """A refused cancel is reported, and retried until it succeeds."""
    stack.provider_settings({"seconds": None})
    scene = Scene(stack, roles["PollRole"], "WatchBatches")
    before = refused(scene)
    with scene.without_action(CANCEL):
        run = scene.drop(key="inbox/stopped.jsonl")
        run.fact("batches/1/batch-1.json")
        run.write_control("cancel", "stop")
        assert "HTTP 403" in run.message("troubled").text
        assert set(refused(scene) - before) == {CANCEL}
    assert run.message("stopped").subject.startswith("Conveyor: stopped")


@pytest.mark.parametrize("role", ["SubmitRole", "PollRole", "SplitRole", "ReportRole", "MachineRole"])
def test_no_role_has_the_permissions_of_another(stack: Stack, roles: dict[str, str], role: str) -> None:
    """Each role has only its own actions, only on this workspace, and no role may delete, as IAM simulates it.

    No role can request a web identity token directly: only the gateway can.
    """
    arn = stack.iam.get_role(RoleName=roles[role])["Role"]["Arn"]
    actions = [CREATE, LIST, GET, CANCEL, DELETE, ASK]

    def allowed(workspace: str) -> set[str]:
        resource = f"arn:aws:aws-external-anthropic:us-east-1:{arn.split(':')[4]}:workspace/{workspace}"
        answer = stack.iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=actions, ResourceArns=[resource])
        return {one["EvalActionName"] for one in answer["EvaluationResults"] if one["EvalDecision"] == "allowed"}

    assert allowed(WORKSPACE) == ALLOWED.get(role, set())
    assert not allowed("wrkspc_01Another")
