"""What `make local` writes and says: the file to source, and at the end what is lost."""

from __future__ import annotations

import json
import shlex
import signal
from contextlib import nullcontext
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from local import up
from local.stack.stack import Stack
from tests.support.shell.aws import Interpreter
from tests.support.shell.terminal import interpreted

if TYPE_CHECKING:
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


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        ((0, 0), ""),
        ((1, 0), " Its data is gone: 1 run, 0 still under way."),
        ((1, 2), " Its data is gone: 3 runs, 2 still under way."),
    ],
)
def test_at_the_end_it_says_which_runs_are_lost(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], runs: tuple[int, int], said: str
) -> None:
    """They are in the bucket of the stack only, also those that wait for a person."""
    (ended, going), bucket = runs, f"bucket-{uuid4().hex[:8]}"
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=bucket)
    for number in range(ended + going):
        s3.put_object(Bucket=bucket, Key=f"runs/r-{number}/run.json", Body=b"{}")
    for number in range(ended):
        s3.put_object(Bucket=bucket, Key=f"results/team/a/r-{number}/receipt.json", Body=b"{}")
    outputs = {"StateMachineArn": "arn", "BucketName": bucket}
    monkeypatch.setattr(up, "local_stack", lambda **_: nullcontext(Stack(aws, outputs, "queue", Path(), None)))
    monkeypatch.setattr(up, "exported", nullcontext)
    monkeypatch.setattr(signal, "pause", lambda: signal.raise_signal(signal.SIGINT))
    assert up.main() == 0
    assert capsys.readouterr().out.endswith(f"\nStopped; everything is shut down.{said}\n")


def test_a_batch_at_a_real_provider_goes_on(aws: Aws, stack: Stack) -> None:
    """It may be charged, and nobody collects its results."""
    bucket = f"bucket-{uuid4().hex[:8]}"
    aws.client("s3").create_bucket(Bucket=bucket)
    aws.client("s3").put_object(Bucket=bucket, Key="runs/r-1/run.json", Body=b"{}")
    stack.outputs["BucketName"] = bucket
    assert up.lost_with(stack, is_remote=True).endswith(
        "Batches that were sent go on at the provider, and may be charged."
    )
