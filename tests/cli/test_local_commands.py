"""Commands of AWS CLI that are shown of the local stack go there, and never to an account."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from conveyor_cli.doctor.finding import failed
from conveyor_cli.doctor.show import show
from conveyor_cli.frames.frame import frame_of
from conveyor_cli.frames.snapshot import snapshot_of
from conveyor_cli.screen.screen import Screen
from conveyor_cli.screen.terminal import Look
from conveyor_cli.stacks.local import shell_file
from local.stack.local_aws import Aws
from local.stack.stack import Stack
from local.up import exports
from tests.support.belt import Belt
from tests.support.command import Command
from tests.support.ended_runs import write_ended
from tests.support.frames import denied, place
from tests.support.memory_aws.served import Served
from tests.support.receipts import EVERY as RECEIPTS
from tests.support.watched import NOW

SOURCED = ". .demo/local.sh && "
SAYS_WHERE = '#!/bin/sh\necho "$AWS_ENDPOINT_URL ${AWS_PROFILE:-none} $*"\n'


@pytest.fixture
def home(conveyor: Command, aws: Served) -> Path:
    """Return the home of a user who has left `make local` up there."""
    local = Aws(aws.url, conveyor.home / "server.crt", conveyor.home / "log")
    local.certificate.write_text("")
    (conveyor.home / ".demo").mkdir()
    (conveyor.home / ".demo" / "local.sh").write_text(exports(Stack(local, {}, "queue", conveyor.home, None)))
    return conveyor.home


@pytest.fixture
def type_in_shell(home: Path) -> Callable[[str], str]:
    """Return what types a line into a shell with another account, where `aws` says where it goes."""
    (home / "bin").mkdir()
    (home / "bin" / "aws").write_text(SAYS_WHERE)
    (home / "bin" / "aws").chmod(0o755)
    env = {"PATH": f"{home / 'bin'}:/usr/bin:/bin", "AWS_PROFILE": "work"}

    def typed(line: str) -> str:
        return subprocess.run(  # noqa: S603 - what is shown
            ["/bin/sh", "-c", line], cwd=home, env=env, capture_output=True, text=True, check=True
        ).stdout

    return typed


def of_aws(text: str) -> list[str]:
    """Return the commands of AWS CLI in a text."""
    return [line.strip() for line in text.splitlines() if line.startswith("    ") and "aws " in line]


def test_a_command_of_aws_about_the_local_stack_goes_there(
    conveyor: Command, home: Path, belt: Belt, aws: Served, type_in_shell: Callable[[str], str]
) -> None:
    """In the shell of a person with an account, too; the summary for CI says the same."""
    run = write_ended(belt.clients.bucket.put, RECEIPTS["unbalanced"])
    shown = conveyor.call("watch", run, "--local", "--summary", str(home / "summary.md"))
    for text in (shown.out, (home / "summary.md").read_text()):
        (command,) = of_aws(text)
        assert command.startswith(f"{SOURCED}aws s3 sync s3://"), text
        assert type_in_shell(command).startswith(f"{aws.url} none --endpoint-url {aws.url} s3 sync s3://")


def test_a_command_about_a_deployed_stack_stays_as_it_is(conveyor: Command, belt: Belt) -> None:
    """Also in a folder where a local stack is up."""
    conveyor.call("use", "conveyor")
    (conveyor.home / ".demo").mkdir()
    (conveyor.home / ".demo" / "local.sh").write_text("")
    (command,) = of_aws(conveyor.call("watch", write_ended(belt.clients.bucket.put, RECEIPTS["unbalanced"])).out)
    assert command.startswith("aws s3 sync s3://")


def test_a_frame_and_a_finding_have_the_file_in_their_commands(capsys: pytest.CaptureFixture[str]) -> None:
    """A command that is too long for the frame is broken behind it, and can still be pasted."""
    screen = Screen(Look())
    screen.shell_file = ".demo/local.sh"
    frame = frame_of(snapshot_of(denied(), NOW), place()._replace(typed=screen.typed))
    command = next(at for at, line in enumerate(frame) if "aws secretsmanager" in line.plain)
    assert [line.plain for line in frame[command : command + 2]] == [
        f"    {SOURCED}aws secretsmanager put-secret-value \\",
        '      --secret-id conveyor/api-key --secret-string "${API_KEY:?}"',
    ]
    show(screen, "queues", failed("Q has 2 messages", commands=["aws sqs receive-message --queue-url q"]))
    assert capsys.readouterr().out.endswith(f"\n    {SOURCED}aws sqs receive-message --queue-url q\n")


@pytest.mark.parametrize(
    ("command", "typed"),
    [
        ("aws iam enable-outbound-web-identity-federation", "{}aws iam enable-outbound-web-identity-federation"),
        ("echo 'adopt b' | aws s3 cp - s3://b/k", "{}echo 'adopt b' | aws s3 cp - s3://b/k"),
        ("make command", "make command"),
        ("conveyor watch aws", "conveyor watch aws"),
    ],
)
def test_only_commands_of_aws_need_the_file(command: str, typed: str) -> None:
    """One may read from a pipe; `conveyor` finds the stack by its option."""
    screen = Screen(Look())
    screen.shell_file = ".demo/local.sh"
    assert screen.typed(command) == typed.format(SOURCED)


def test_the_file_is_named_as_it_is_typed_in_this_folder(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Below the checkout, or where a variable names it, by its whole path."""
    monkeypatch.delenv("CONVEYOR_LOCAL", raising=False)
    (home / "it's deep").mkdir()
    assert shell_file(home) == ".demo/local.sh"
    assert shell_file(home / "it's deep") == str(home / ".demo" / "local.sh")
    monkeypatch.setenv("CONVEYOR_LOCAL", "it's deep/local.sh")
    monkeypatch.chdir(home)
    assert shell_file(home) == f"""'{home}/it'"'"'s deep/local.sh'"""
