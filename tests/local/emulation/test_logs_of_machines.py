"""A state machine that logs needs a role that may deliver logs, as on AWS."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from tests.support import template

if TYPE_CHECKING:
    from local.stack.local_aws import Aws

(STATEMENT,) = [each for each in template.statements("MachineRole") if each["Sid"] == "DeliverLogs"]
LOGGING: list[str] = STATEMENT["Action"]
DEFINITION = json.dumps({"StartAt": "End", "States": {"End": {"Type": "Succeed"}}})


def role_that_may(aws: Aws, *actions: str) -> str:
    """Create a role with these actions; return its ARN."""
    iam, name = aws.client("iam"), f"machine-{uuid4().hex[:8]}"
    trust = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
    arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))["Role"][
        "Arn"
    ]
    allow = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_role_policy(RoleName=name, PolicyName="machine", PolicyDocument=policy)
    return arn


@pytest.mark.parametrize("lacking", LOGGING)
def test_a_machine_logs_only_with_every_action_that_aws_documents(aws: Aws, lacking: str) -> None:
    """The role is tried when the machine is written. Without a log it needs none of them."""
    states = aws.client("stepfunctions")
    group = "arn:aws:logs:us-east-1:000000000000:log-group:/aws/vendedlogs/states/x:*"
    logging = {"level": "ERROR", "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": group}}]}
    role = role_that_may(aws, *(set(LOGGING) - {lacking}))
    asked = {"name": f"m-{uuid4().hex[:8]}", "definition": DEFINITION, "roleArn": role}
    with pytest.raises(ClientError, match="not authorized to access the Log Destination"):
        states.create_state_machine(**asked, loggingConfiguration=logging)
    machine = states.create_state_machine(**asked)["stateMachineArn"]
    with pytest.raises(ClientError, match="not authorized to access the Log Destination"):
        states.update_state_machine(stateMachineArn=machine, loggingConfiguration=logging)
    able = role_that_may(aws, *LOGGING)
    states.update_state_machine(stateMachineArn=machine, roleArn=able, loggingConfiguration=logging)
    assert states.describe_state_machine(stateMachineArn=machine)["loggingConfiguration"]["level"] == "ERROR"
