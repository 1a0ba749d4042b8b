"""A stack is deleted, also while runs wait, and a new one goes on with its bucket: as `docs/operate.md` says it.

Every command of the two sections is typed, in their order.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from local.paths import ROOT
from local.process import interruptible
from local.stack.deployment import STACK_NAME, build, deploy
from local.stack.messages import subscribe
from local.stack.stack import Stack
from local.stack.start import local_stack
from tests.support import runbook
from tests.support.belt import drop_of
from tests.support.command import Command
from tests.support.shell.aws import Interpreter
from tests.support.shell.terminal import Terminal, interpreted
from tests.support.system.runs import WAITING, LiveRun, commands, dropped
from tests.system.conftest import PROVIDER, WAIT_SCALE
from tests.system.test_drops import creates

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGE = (ROOT / "docs" / "operate.md").read_text()
SECTIONS = runbook.sections(PAGE, levels=3)
DATA = drop_of(3)
LONG = 300.0
"""Timeout in seconds: several runs are under way at the same time, on machines that may be busy."""
BY_MAKE = re.compile(r"^make ", re.MULTILINE)


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """Deploy a stack, which the test deletes and creates again."""
    with interruptible(), local_stack(wait_scale=WAIT_SCALE, provider_settings=PROVIDER) as stack:
        yield stack


@dataclass
class Typist:
    """A person who types the blocks of a section, one after the other."""

    terminal: Terminal
    values: dict[str, str]
    """What is put in for a placeholder."""
    left: list[str] = field(default_factory=list)

    def begin(self, title: str) -> None:
        """Turn to a section, when the one before is typed."""
        assert self.left == []
        self.left = runbook.blocks(SECTIONS[title])

    def type(self, begins: str, **more: str) -> str:
        """Type a block of the section, given by its first words, and return what it prints. `more`: more values."""
        block = next(block for block in self.left if block.startswith(begins))
        self.left.remove(block)
        return self.again(block, **more)

    def again(self, block: str, **more: str) -> str:
        """Type a block."""
        typed = runbook.PLACEHOLDER.sub(lambda found: (self.values | more)[found[1]], block)
        return self.terminal.succeed(f"set -e\n{BY_MAKE.sub('made ', typed)}").decode()


def outputs(stack: Stack) -> dict[str, str]:
    """Return the outputs of the stack that has the name now."""
    (found,) = stack.aws.client("cloudformation").describe_stacks(StackName=STACK_NAME)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}


@pytest.fixture
def typist(stack: Stack, tmp_path: Path) -> Iterator[Typist]:
    """Return a person at a terminal, whose `make` does what it says it would."""
    with interpreted(tmp_path / "home", Interpreter(stack.aws.client), stack.aws.env) as terminal:
        # What make would install first is there: the last of its lines is the target's own.
        made = tmp_path / "home-bin" / "made"
        made.write_text(f'#!/bin/sh -e\ncd {ROOT}\neval "$(make -n "$@" | tail -n 1)"\n')
        made.chmod(0o700)
        yield Typist(terminal, outputs(stack))


def sent(stack: Stack, key: str) -> LiveRun:
    """Drop a file whose batch does not end, and return its run when that is with the provider."""
    stack.provider_settings({"seconds": None})
    run = dropped(stack, key, DATA)
    run.fact("batches/1/batch-1.json")
    return run


def redeployed(stack: Stack) -> Stack:
    """Deploy the stack that has the bucket of one that is deleted, beside the same provider."""
    assert stack.provider
    parameters = {"ApiUrl": stack.provider.url} | dict(stack.parameters)
    given = deploy(stack.aws, build(stack.work), parameters | {"BucketName": stack.bucket}, stack.work)
    return Stack(stack.aws, given, subscribe(stack.aws, given["TopicArn"]), stack.work, stack.provider, parameters)


def listed(run: LiveRun, home: Path) -> str:
    """Return what `conveyor runs` says about a run."""
    shown = Command(home, run.stack.aws.env).run("runs", "--stack", STACK_NAME)
    assert shown.exit == 0, shown.error
    return next((line for line in shown.out.splitlines() if run.run in line), "")


def test_a_stack_is_deleted_while_runs_wait_and_a_new_one_goes_on_with_its_bucket(
    stack: Stack, typist: Typist, tmp_path: Path
) -> None:
    """Nothing is lost, nothing is paid twice, and what nobody watches holds up nobody else."""
    done = dropped(stack, "inbox/done.jsonl", DATA)
    assert done.receipt(LONG)["status"] == "completed"
    held = dropped(stack, "inbox/held.jsonl", drop_of(4), {"hold": "always"})
    held.message(WAITING)
    under_way, aborted = (sent(stack, f"inbox/{name}.jsonl") for name in ("sent", "aborted"))
    old = [held, under_way, aborted]
    keys, policy = set(stack.keys()), stack.s3.get_bucket_policy(Bucket=stack.bucket)["Policy"]

    typist.begin("Remove the stack")
    assert set(typist.type("aws stepfunctions list-executions").split()) == {run.run for run in old}
    assert '"PolicyRoles": []' in typist.type("aws iam list-entities-for-policy")
    typist.type("aws stepfunctions stop-execution", executionArn=aborted.executions()[0][0])
    typist.type("aws cloudformation delete-stack")
    assert [run.executions()[0][1] for run in old] == ["FAILED", "FAILED", "ABORTED"]
    assert (held.statuses(), under_way.statuses(), creates(stack)) == ([WAITING], [], 3)
    assert keys <= set(stack.keys())
    assert stack.s3.get_bucket_policy(Bucket=stack.bucket)["Policy"] == policy
    typist.left.clear()  # the rest is typed at the end

    typist.begin("Deploy again over a kept bucket")
    assert f"Now deploy it with BucketName={stack.bucket}." in typist.type("make kept-bucket")
    new = redeployed(stack)
    assert (new.bucket, stack.s3.get_bucket_policy(Bucket=stack.bucket)["Policy"]) == (stack.bucket, policy)
    assert listed(done, tmp_path).startswith("✓ done")
    again = dropped(new, "inbox/done.jsonl", DATA)
    assert (again.first_status(), creates(new)) == ("refused", 3)
    latest = dropped(new, "inbox/new.jsonl", DATA)

    typist.begin("Continue a run of a deleted stack")
    block = typist.left.pop()
    typist.values = new.outputs
    new.provider_settings(PROVIDER)
    for run in old:
        typist.again(block, run=run.run, name=run.fact("run.json")["name"])
    held = LiveRun(new, held.run)
    approve, _ = commands(held.message(WAITING, LONG))
    held.execute(approve)
    for run, lines in zip(old, (4, 3, 3), strict=True):
        assert LiveRun(new, run.run).message("completed", LONG).run == run.run
        assert len(new.lines(f"results/{run.fact('run.json')['name']}/{run.run}/results.jsonl")) == lines
    assert latest.receipt(LONG)["status"] == "completed"
    assert creates(new) == 5, "done, sent, aborted; new, held"


def test_a_stack_without_runs_is_removed_with_its_bucket(stack: Stack, typist: Typist) -> None:
    """As the page says it, to the end."""
    typist.begin("Remove the stack")
    assert typist.type("aws stepfunctions list-executions") == ""
    typist.type("aws iam list-entities-for-policy")
    typist.type("aws cloudformation delete-stack")
    typist.type("aws secretsmanager delete-secret")
    (stop, empty) = typist.left
    assert stop.startswith("aws stepfunctions stop-execution")
    *rounds, delete = empty.splitlines(keepends=True)
    while stack.s3.list_object_versions(Bucket=stack.bucket).get("Versions"):
        typist.again("".join(rounds))
    typist.again(delete)
    names = [each["Name"] for each in stack.s3.list_buckets()["Buckets"]]
    assert stack.bucket not in names
