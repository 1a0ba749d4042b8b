"""The file to source that `make local` writes."""

from __future__ import annotations

import json
import shlex
from functools import cache
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from local import up
from local.stack.stack import Stack
from tests.support.shell.aws import Interpreter
from tests.support.shell.terminal import interpreted

if TYPE_CHECKING:
    from pathlib import Path

    from local.stack.local_aws import Aws


@pytest.fixture
def stack(aws: Aws, tmp_path: Path) -> Stack:
    """Return the part of a stack that the file uses: a queue with messages."""
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName=f"messages-{uuid4().hex[:8]}")["QueueUrl"]
    for subject, text in (("first", "It's done.\n\n  s3://\\n"), ("second", "größe\n\n    conveyor watch r-1\n")):
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"Subject": subject, "Message": text}))
    return Stack(aws, {"StateMachineArn": "arn", "BucketName": "bucket"}, url, tmp_path, None)


def test_each_message_is_read_once(stack: Stack, tmp_path: Path) -> None:
    """Then the next one is shown."""
    file = tmp_path / "it's local.sh"
    file.write_text(up.exports(stack))
    with interpreted(tmp_path / "home", Interpreter(cache(stack.aws.client))) as terminal:
        source = f". {shlex.quote(str(file))}; "
        read = [terminal.type(f"{source} next_message") for _ in range(3)]
    assert {output.out.decode() for output in read[:2]} == {
        "first\n\nIt's done.\n\n  s3://\\n\n",
        "second\n\ngröße\n\n    conveyor watch r-1 --local\n\n",
    }
    assert [(output.exit, output.out) for output in read[2:]] == [(1, b"")]
    assert "No message yet." in read[2].error


def test_the_file_makes_every_aws_client_use_the_local_aws_only(stack: Stack, tmp_path: Path) -> None:
    """Also if the shell had a profile."""
    (tmp_path / "local.sh").write_text(up.exports(stack))
    with interpreted(tmp_path / "home", Interpreter(cache(stack.aws.client)), {"AWS_PROFILE": "work"}) as terminal:
        env = terminal.succeed(f". {tmp_path}/local.sh; env").decode().splitlines()
    assert {f"{name}={value}" for name, value in stack.aws.env.items()} <= set(env)
    assert not [line for line in env if line.startswith("AWS_PROFILE")]


def test_the_file_is_there_as_long_as_the_stack(stack: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is removed at the end."""
    file = tmp_path / ".demo" / "local.sh"
    monkeypatch.setattr(up, "EXPORTS", file)
    with up.exported(stack):
        assert f". {file}" in up.describe(stack)
        assert "conveyor fetch humaneval-164 --local --to .demo/humaneval-164\n" in up.describe(stack)
        assert file.read_text() == up.exports(stack)
    assert not file.exists()


def test_the_file_of_a_later_stack_stays(stack: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The first of two local stacks may end before the second."""
    file = tmp_path / "local.sh"
    monkeypatch.setattr(up, "EXPORTS", file)
    with up.exported(stack):
        file.write_text("of another stack")
    assert file.read_text() == "of another stack"
