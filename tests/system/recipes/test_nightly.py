"""docs/recipes/nightly.md as it stands: the role, and the workflow as GitHub runs it, on the deployed stack."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.support.recipes.desk import desk
from tests.support.recipes.page import PROJECT, alike, page
from tests.support.recipes.workflow import Job, read

if TYPE_CHECKING:
    from pathlib import Path

    from local.stack.stack import Stack

pytestmark = pytest.mark.parametrize("stack", ["messages"], indirect=True)
WORKFLOW = PROJECT / "samples" / "ci" / "nightly.yml"
SUBJECT = "repo:octo-org/octo-repo:ref:refs/heads/main"
DROP = "Drop them"
LABELS = {"login", "billing", "bug", "feature", "other", ""}


def source(folder: Path) -> str:
    """Return where the command can be installed from: a repository with the sources of this checkout."""
    for part in ("cli", "layers"):
        shutil.copytree(PROJECT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    git = ["git", "-C", str(folder), "-c", "user.name=test", "-c", "user.email=test@example.com"]
    for words in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "test"], ["tag", "v0.1.0"]):
        subprocess.run([*git, *words], check=True)  # noqa: S603 - fixed
    return f"file://{folder}@v0.1.0"


def test_the_workflow_is_one_that_github_takes() -> None:
    """By its schema."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(WORKFLOW)]
    subprocess.run(command, check=True)  # noqa: S603 - fixed


def test_a_job_labels_the_table_and_its_rerun_pays_nothing(stack: Stack, tmp_path: Path) -> None:
    """A job of another branch gets no session. The page is typed from top to bottom."""
    stack.provider_settings({"outcomes": {}, "every": {}})
    with page("nightly.md") as recipe, desk(stack, tmp_path) as shell:
        shell.type(recipe.take("sh"))
        role = shell.type(recipe.take("sh")).splitlines()[-1]
        shell.type(recipe.take("sh"))
        assert recipe.take("yaml") == WORKFLOW.read_text()
        variables = {
            "CONVEYOR_ROLE": role,
            "CONVEYOR_REGION": "us-east-1",
            "CONVEYOR_STACK": "conveyor",
            "CONVEYOR_PROJECT": "support",
            "CONVEYOR_SOURCE": source(tmp_path / "source"),
        }
        of = partial(
            Job, read(tmp_path / "octo-repo/.github/workflows/nightly.yml"), tmp_path / "octo-repo",
            aws=stack.aws, variables=variables,
        )  # fmt: skip
        other = of(work=tmp_path / "branch", subject=SUBJECT.replace("main", "feature"))
        assert not other.run()
        assert "Not authorized to perform sts:AssumeRoleWithWebIdentity" in list(other.logs.values())[-1], other.logs
        first, again = (of(work=tmp_path / name, subject=SUBJECT) for name in ("first", "again"))
        before = stack.provider_stats()["created"]
        assert first.run(), first.logs
        paid = stack.provider_stats()["created"]
        assert paid > before
        assert alike(first.summary) == alike(recipe.take("markdown"))
        with (first.work / "checkout" / "labels.csv").open(newline="") as labels:
            assert {row["label"] for row in csv.DictReader(labels)} == {
                "login",
                "billing",
                "bug",
                "feature",
                "other",
                "",
            }
        assert again.run(), again.logs
        assert stack.provider_stats()["created"] == paid, "the job that ran again has paid again"
        assert again.outputs["drop"] == first.outputs["drop"]
        refused = json.loads(again.logs[DROP].splitlines()[0])["refused"]
        assert alike(json.dumps(refused, indent=2)) == alike(recipe.take("json"))
        assert refused["run"] == first.outputs["drop"]["run"]
        assert "Emoji" not in f"{first.logs} {again.logs}", "a log has a prompt"
        for _ in range(2):
            shell.type(recipe.take("sh"))
