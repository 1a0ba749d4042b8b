"""docs/recipes/slack.md as it stands: messages of the deployed stack reach a webhook."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.recipes.desk import desk
from tests.support.recipes.page import PROJECT, alike, page
from tests.support.recipes.webhook import TOKEN, Webhook, webhook

if TYPE_CHECKING:
    from pathlib import Path

    from local.stack.stack import Stack

pytestmark = pytest.mark.parametrize("stack", ["messages"], indirect=True)
SECONDS = 60.0
TRIES = 3


def texts(value: Any) -> list[str]:
    """Return the texts of a payload, line by line."""
    if isinstance(value, dict):
        return [line for name, each in value.items() for line in (texts(each) if name != "url" else [])]
    if isinstance(value, list):
        return [line for each in value for line in texts(each)]
    return value.splitlines() if isinstance(value, str) and value not in NO_TEXTS else []


NO_TEXTS = {"section", "mrkdwn", "actions", "button", "plain_text", "context"}


def wait_for(stack: Stack, chat: Webhook, count: int) -> None:
    """Wait until so many messages were posted."""
    stack.wait_for(lambda: len(chat.posted) >= count or None, SECONDS, f"{count} posted messages")


def publish(stack: Stack, event: str) -> None:
    """Publish the sample's message as one about something else."""
    (record,) = json.loads((PROJECT / "samples" / "chat" / "event.json").read_text())["Records"]
    attributes = {"event": event, "project": "support"}
    stack.aws.client("sns").publish(
        TopicArn=stack.outputs["TopicArn"],
        Message=record["Sns"]["Message"],
        MessageAttributes={name: {"DataType": "String", "StringValue": text} for name, text in attributes.items()},
    )


def logged(stack: Stack) -> str:
    """Return what the function has logged."""
    outputs = stack.aws.client("cloudformation").describe_stacks(StackName="conveyor-chat")["Stacks"][0]["Outputs"]
    (group,) = [each["OutputValue"] for each in outputs if each["OutputKey"] == "LogGroup"]
    events = stack.aws.client("logs").filter_log_events(logGroupName=group)["events"]
    return "\n".join(event["message"] for event in events)


def test_a_run_that_ends_is_posted_and_what_the_chat_refuses_is_kept(stack: Stack, tmp_path: Path) -> None:
    """After three tries. The page is typed from top to bottom; the address is in no log and no variable."""
    stack.provider_settings({"outcomes": {"7": "errored:invalid_request_error"}, "every": {}})
    with page("slack.md") as recipe, desk(stack, tmp_path) as shell, webhook() as chat:
        assert shell.type(recipe.take("sh")) == recipe.take("json")
        shell.type(recipe.take("sh"))
        (shell.folder / "webhook.txt").write_text(f"{chat.address}\n")
        for _ in range(3):
            shell.type(recipe.take("sh"))
        assert shell.type(recipe.take("sh")).splitlines()[-1] == "null"
        assert chat.posted[0]["text"].startswith("Approve: held support/contracts-q4")
        shell.type(recipe.take("sh"))
        wait_for(stack, chat, 2)
        assert alike("\n".join(texts(chat.posted[1]))) == alike(recipe.take("text"))
        publish(stack, "started")
        chat.status = 500
        publish(stack, "held")
        wait_for(stack, chat, 2 + TRIES)
        time.sleep(1)  # the queue
        kept, error = shell.type(recipe.take("sh")).splitlines()
        assert json.loads(kept)["requestPayload"]["Records"][0]["Sns"]["MessageAttributes"]["event"]["Value"] == "held"
        assert "the chat answered 500" in error
        assert len(chat.posted) == 2 + TRIES, "the filter let something through"
        settings = [stack.lambdas.get_function_configuration(FunctionName=each) for each in functions(stack)]
        assert TOKEN not in f"{logged(stack)} {settings}"
        assert '"posted"' in logged(stack)
        for _ in range(2):
            shell.type(recipe.take("sh"))


def functions(stack: Stack) -> list[str]:
    """Return the names of all functions."""
    return [each["FunctionName"] for each in stack.lambdas.list_functions()["Functions"]]
