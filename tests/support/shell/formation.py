"""`aws cloudformation deploy`, which is AWS CLI's own: it creates or updates a stack by a change set, and waits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from tests.support.shell.words import Misuse

if TYPE_CHECKING:
    from pathlib import Path

_OPTIONS = {"stack-name", "template-file", "parameter-overrides", "capabilities"}
_CHANGES = "awscli-cloudformation-package-deploy"
_WAIT = {"Delay": 1, "MaxAttempts": 60}


def deploy(client: Any, words: list[str], folder: Path) -> bytes:
    """Deploy a template of at most 51,200 bytes. Raises Misuse."""
    given = _given(words)
    (name,), (file,) = given["stack-name"], given["template-file"]
    pairs = [word.split("=", 1) for word in given.get("parameter-overrides", [])]
    is_new = _is_new(client, name)
    client.create_change_set(
        StackName=name,
        ChangeSetName=_CHANGES,
        ChangeSetType="CREATE" if is_new else "UPDATE",
        TemplateBody=(folder / file).read_text(),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in pairs],
        Capabilities=given.get("capabilities", []),
    )
    client.get_waiter("change_set_create_complete").wait(StackName=name, ChangeSetName=_CHANGES, WaiterConfig=_WAIT)
    client.execute_change_set(StackName=name, ChangeSetName=_CHANGES)
    done = "stack_create_complete" if is_new else "stack_update_complete"
    client.get_waiter(done).wait(StackName=name, WaiterConfig=_WAIT)
    steps = "Waiting for changeset to be created..\nWaiting for stack create/update to complete"
    return f"\n{steps}\nSuccessfully created/updated stack - {name}\n".encode()


def _given(words: list[str]) -> dict[str, list[str]]:
    found = dict[str, list[str]]()
    for word in words:
        if word.startswith("--"):
            found[word.removeprefix("--")] = []
        elif found:
            found[next(reversed(found))].append(word)
        else:
            raise Misuse(f"unknown: {word}")
    if found.keys() - _OPTIONS or not found.keys() >= {"stack-name", "template-file"}:
        raise Misuse(f"cloudformation deploy: {words}")
    return found


def _is_new(client: Any, name: str) -> bool:
    try:
        client.describe_stacks(StackName=name)
    except ClientError as error:
        if "does not exist" in str(error):
            return True
        raise
    return False
