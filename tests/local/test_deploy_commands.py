"""The commands that a deployment prints when it cannot go on, typed on the local AWS: each removes the cause."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING
from unittest.mock import patch
from uuid import uuid4

import pytest

from deployment.answers import key
from deployment.aws import stack
from deployment.aws.account import Account
from deployment.screen import Screen
from deployment.trouble import Trouble
from local.stack.local_aws import REGION
from tests.support.shell.aws import Interpreter
from tests.support.shell.terminal import interpreted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from local.stack.local_aws import Aws


@pytest.fixture
def account(aws: Aws) -> Iterator[Account]:
    """Return the account as the command sees it."""
    with patch.dict(os.environ, aws.env):
        yield Account(REGION)


def typed(aws: Aws, folder: Path, refused: Callable[[], object]) -> None:
    """Type the command of a Trouble in a folder with the key in a file."""
    with pytest.raises(Trouble) as trouble:
        refused()
    with interpreted(folder, Interpreter(aws.client), aws.env) as terminal:
        (folder / "key.txt").write_text("sk-ant-of-a-file")
        for command in trouble.value.commands:
            terminal.succeed(command)


def test_a_missing_secret_is_created_and_a_deleted_one_restored(aws: Aws, account: Account, tmp_path: Path) -> None:
    """Without a terminal; then the deployment goes on."""
    name, screen, secrets = f"key-{uuid4().hex[:8]}", Screen(), aws.client("secretsmanager")
    screen.has_terminal = False
    typed(aws, tmp_path / "first", lambda: key.provide(screen, account, name))
    key.provide(screen, account, name)
    assert secrets.get_secret_value(SecretId=name)["SecretString"] == "sk-ant-of-a-file"
    secrets.delete_secret(SecretId=name, RecoveryWindowInDays=7)
    typed(aws, tmp_path / "second", lambda: key.provide(screen, account, name))
    key.provide(screen, account, name)


def test_what_a_failed_deployment_has_left_is_deleted(aws: Aws, account: Account, tmp_path: Path) -> None:
    """Then the name is free."""
    name, formation = f"left-{uuid4().hex[:8]}", aws.client("cloudformation")
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": "never"}}
    parameters = {each: {"Type": "String", "Default": ""} for each in ("ApiKeySecretName", "NotificationEmail")}
    body = json.dumps({"Parameters": parameters, "Resources": {"Queue": queue}})
    formation.create_stack(StackName=name, TemplateBody=body)
    while formation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"] != "ROLLBACK_COMPLETE":
        pass
    typed(aws, tmp_path / "left", lambda: stack.find(account.cloudformation, name))
    formation.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    assert stack.find(account.cloudformation, name) is None
