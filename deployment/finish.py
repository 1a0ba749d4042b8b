"""What a person does after a deployment, and the check of what is deployed."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

from deployment.answers.questions import EMAIL
from deployment.aws.package import ROOT
from deployment.trouble import FAILED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deployment.aws.change_set import ChangeSet
    from deployment.plan import Plan
    from deployment.screen import Screen

_SUBSCRIPTION = "AWS::SNS::Subscription"
_WAIT_MINUTES = 10
"""EventBridge may see the files of a new bucket only after five minutes."""


def tell(screen: Screen, plan: Plan, change_set: ChangeSet, outputs: Mapping[str, str]) -> None:
    """Print the outputs, and what to do first."""
    screen.line()
    screen.line(f"{plan.name} is {'deployed' if change_set.is_first else 'updated'}. Its outputs:")
    width = max(map(len, outputs), default=0)
    for name, value in sorted(outputs.items()):
        screen.line(f"  {name:<{width}}  {value}")
    if _asks_for_confirmation(change_set):
        screen.line()
        screen.line(f"AWS has sent a mail to {plan.parameters[EMAIL]}. Confirm it, or no message reaches you.")
    if change_set.is_first:
        screen.line()
        screen.line("Your first drop, once all is well below:")
        screen.commands(
            "make command",
            f"conveyor use {plan.name} --region {plan.account.region}",
            "conveyor drop samples/humaneval-164.jsonl",
        )


def check(screen: Screen, plan: Plan, *, is_first: bool) -> int:
    """Run `conveyor doctor` on the stack, which waits until EventBridge delivers; returns the exit code."""
    words = ["doctor", "--stack", plan.name, "--region", plan.account.region]
    words += ["--wait", str(_WAIT_MINUTES)] if is_first else []
    screen.line(f"$ conveyor {shlex.join(words)}")
    sources = os.pathsep.join(str(ROOT / part) for part in ("cli", "layers/conveyor"))
    env = {name: value for name, value in os.environ.items() if not name.startswith("ANTHROPIC_")}
    done = subprocess.run(  # noqa: S603 - the command of this checkout
        [sys.executable, "-m", "conveyor_cli", *words], env=env | {"PYTHONPATH": sources}, check=False
    )
    if done.returncode:
        screen.line()
        screen.line(f"{plan.name} is deployed, but not all is well: see above. To look again:")
        screen.commands(f"conveyor {shlex.join(words)}")
    return FAILED if done.returncode else 0


def _asks_for_confirmation(change_set: ChangeSet) -> bool:
    """Whether a subscription is new, so that its address must be confirmed."""
    return any(
        each.type == _SUBSCRIPTION and (each.action == "Add" or each.replacement != "False")
        for each in change_set.changes
    )
