"""Every statement of every role is needed: without it a task fails, and with it the run continues.

The statements are read from the template and compared with the local AWS's IAM. Each is removed from the deployed role
in turn, a drop that needs it is made, and the test expects AWS's refusal where an operator would see it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.stack.deployment import STACK_NAME
from tests.support import template
from tests.support.system.permissions.ends import ENDS
from tests.support.system.permissions.poll import POLL
from tests.support.system.permissions.submit import SUBMIT
from tests.support.system.scene import Scene, policy_of

if TYPE_CHECKING:
    from local.stack.stack import Stack

pytestmark = pytest.mark.parametrize("stack", ["messages"], indirect=True)
"""Permissions do not depend on the dialect; the other tests show that no role lacks one in the file dialect."""
STATEMENTS = [
    (role, statement["Sid"]) for role in template.resources("AWS::IAM::Role") for statement in template.statements(role)
]
SCENES = SUBMIT | POLL | ENDS


@pytest.fixture(scope="module")
def roles(stack: Stack) -> dict[str, str]:
    """Read the names of the deployed roles by those in the template."""
    resources = stack.aws.client("cloudformation").describe_stack_resources(StackName=STACK_NAME)["StackResources"]
    return {
        resource["LogicalResourceId"]: resource["PhysicalResourceId"]
        for resource in resources
        if resource["ResourceType"] == "AWS::IAM::Role"
    }


def test_the_statements_are_those_deployed_in_iam(stack: Stack, roles: dict[str, str]) -> None:
    """The test below covers every statement of the template and of the deployed roles."""
    deployed = {(role, statement["Sid"]) for role in roles for statement in policy_of(stack, roles[role])["Statement"]}
    assert deployed == set(STATEMENTS) == set(SCENES)


@pytest.mark.parametrize(("role", "sid"), STATEMENTS)
def test_a_run_needs_every_statement(stack: Stack, roles: dict[str, str], role: str, sid: str) -> None:
    """No role has a permission that it does not need, and none lacks one that it needs."""
    stack.provider_settings({"seconds": 0})
    SCENES[role, sid](Scene(stack, roles[role], sid))
