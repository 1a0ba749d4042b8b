"""`make deploy` on the local AWS, typed by people and by a job who have docs/deploy-policy.json and nothing else."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import pytest

from deployment.aws import package
from local.process import interruptible
from local.stack.deployment import STACK_NAME, architecture, build
from local.stack.local_aws import REGION, local_aws
from local.stack.messages import subscribe
from local.stack.provider_process import simulated_provider
from local.stack.stack import Stack
from tests.support.command import Command, Ran
from tests.support.deploying import PROJECT, Deployer, deployer
from tests.support.recipes.desk import desk
from tests.support.recipes.page import page
from tests.support.recipes.workflow import Job, read
from tests.system.conftest import PROVIDER, WAIT_SCALE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = "sk-ant-typed-at-a-hidden-prompt"
EMAIL = "team@example.com"
SECRET = "conveyor/api-key"  # noqa: S105 - its name
WORKFLOW = PROJECT / "samples" / "ci" / "deploy.yml"
SUBJECT = "repo:octo-org/octo-repo:ref:refs/heads/main"
SOURCES = (
    "Makefile",
    "template.yaml",
    "samconfig.toml",
    "functions",
    "layers",
    "statemachine",
    "requirements",
    "deployment",
)


@dataclass(frozen=True)
class Deployed:
    """A stack that somebody has deployed by four answers."""

    stack: Stack
    screen: Ran
    person: Deployer
    built: Path
    settings: Path

    @property
    def more(self) -> tuple[str, ...]:
        """What is given beside the answers, here: a build that exists, and where the file is kept."""
        return (f"BUILT={self.built}", f"SETTINGS={self.settings}", "DOCTOR=no")


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """Deploy a stack: the defaults of name and secret, a Region, an address, a hidden key, and yes."""
    work = tmp_path_factory.mktemp("deployed")
    built, settings = build(work), work / "deployments" / "conveyor.toml"
    running = local_aws(work, wait_scale=WAIT_SCALE), simulated_provider(work, PROVIDER)
    with interruptible(), running[0] as aws, running[1] as provider:
        person = deployer(aws, "anna", work)
        given = [f"BUILT={built}", f"SETTINGS={settings}", "DOCTOR=no"]
        given += [f"PARAMETERS=ApiUrl={provider.url} Architecture={architecture()}"]
        screen = person.answers(["", REGION, EMAIL, "", KEY, "y"], *given)
        assert screen.exit == 0, screen.out
        outputs = dict(re.findall(r"^  (\w+)  +(\S+)$", screen.out.partition("Its outputs:")[2], re.MULTILINE))
        stack = Stack(aws, outputs, subscribe(aws, outputs["TopicArn"]), work, provider)
        yield Deployed(stack, screen, person, built, settings)


@pytest.fixture(scope="module")
def stack(deployed: Deployed) -> Stack:
    """Return the stack of all tests of this module."""
    return deployed.stack


def status(stack: Stack, name: str) -> str | None:
    """Return the status of a stack; None if there is none."""
    pages = stack.aws.client("cloudformation").get_paginator("describe_stacks").paginate()
    return next((each["StackStatus"] for page in pages for each in page["Stacks"] if each["StackName"] == name), None)


def parameter(stack: Stack, name: str) -> str:
    """Return a parameter of the deployed stack."""
    (found,) = stack.aws.client("cloudformation").describe_stacks(StackName=STACK_NAME)["Stacks"]
    value: str = {each["ParameterKey"]: each["ParameterValue"] for each in found["Parameters"]}[name]
    return value


def test_four_answers_deploy_a_stack(deployed: Deployed) -> None:
    """What it creates and costs is shown before the last question, and what to do next after it."""
    asked, _, done = deployed.screen.out.partition("Deploy? [y/N]: ")
    assert re.findall(r"^(\d/4) ", asked, re.MULTILINE) == ["1/4", "2/4", "3/4", "4/4"]
    assert re.search(r"New stack conveyor\. Resources: \d+ added\.", asked)
    assert re.search(r"at most \$\d+\.\d\d a month", asked)
    assert "+ AWS::S3::Bucket: Bucket\n" in asked
    assert "created: Bucket (AWS::S3::Bucket)\n" in done
    assert f"AWS has sent a mail to {EMAIL}. Confirm it" in done
    assert status(deployed.stack, STACK_NAME) == "CREATE_COMPLETE"
    assert parameter(deployed.stack, "NotificationEmail") == EMAIL


def test_the_key_is_in_its_secret_and_nowhere_else(deployed: Deployed) -> None:
    """Neither on the screen, nor in a file, nor among the arguments or variables of any process meanwhile."""
    secrets = deployed.stack.aws.client("secretsmanager")
    assert secrets.get_secret_value(SecretId=SECRET)["SecretString"] == KEY
    assert "The provider's key (it is not shown): \n" in deployed.screen.out
    assert KEY not in deployed.screen.out
    files = [path for path in deployed.stack.work.rglob("*") if path.is_file() and path.stat().st_size < 10**7]
    assert deployed.settings in files
    assert [path for path in files if KEY.encode() in path.read_bytes()] == []
    assert any(b"deployment\0" in process for process in deployed.person.processes) or sys.platform != "linux"
    assert [process for process in deployed.person.processes if KEY.encode() in process] == []


def test_the_first_drop_is_typed_as_it_stands_there(deployed: Deployed, tmp_path: Path) -> None:
    """From the folder of the checkout, once the command is installed."""
    stack, command = deployed.stack, Command(tmp_path, deployed.stack.aws.env)
    (tmp_path / "samples").symlink_to(PROJECT / "samples")
    lines = [line.strip() for line in deployed.screen.out.splitlines() if line.startswith("    ")]
    install, *typed = lines[-3:]
    assert install == "make command"
    for line in typed:
        done = command.call(*line.split()[1:])
        assert done.exit == 0, f"{line}\n{done.out}{done.error}"
    assert stack.wait_for_message("inbox/humaneval-164.jsonl").attributes["status"] == "completed"


def test_the_second_time_nothing_is_asked(deployed: Deployed) -> None:
    """The file has it all; where nothing has changed, nothing is deployed."""
    again = deployed.person.types("STACK=conveyor", "YES=1", *deployed.more)
    assert again.exit == 0, again.error
    assert "conveyor is as it should be already: nothing to deploy." in again.out
    without = deployed.person.types("STACK=conveyor", *deployed.more)
    assert (without.exit, "add YES=1" in without.error) == (2, True)


def test_who_says_no_changes_nothing(deployed: Deployed) -> None:
    """Nor leaves a change set behind. A value that is not in the file is said to be for once."""
    said = deployed.person.answers(["n"], "STACK=conveyor", "PARAMETERS=HoldHours=100", *deployed.more)
    assert said.exit != 0
    assert "Only this time: HoldHours." in said.out
    assert "~ AWS::Lambda::Function: Submit" in said.out
    assert "Nothing was deployed." in said.out
    assert parameter(deployed.stack, "HoldHours") == "72"
    left = deployed.stack.aws.client("cloudformation").list_change_sets(StackName=STACK_NAME)["Summaries"]
    assert [each for each in left if each["ExecutionStatus"] == "AVAILABLE"] == []


def test_a_first_deployment_that_fails_says_why_and_leaves_nothing(deployed: Deployed, tmp_path: Path) -> None:
    """The first resource that failed, with the reason of AWS. Without the cause, the same command starts again."""
    person = deployer(deployed.stack.aws, "berta", tmp_path, "sqs:CreateQueue")
    given = ("STACK=conveyor-two", f"REGION={REGION}", "EMAIL=", f"SECRET={SECRET}", "YES=1", f"BUILT={deployed.built}")
    failed = person.types(*given, f"SETTINGS={tmp_path / 'two.toml'}", "DOCTOR=no")
    assert failed.exit == 2, failed  # make's
    assert re.search(
        r"^\w+Queue \(AWS::SQS::Queue\): .*not authorized to perform: sqs:CreateQueue", failed.error, re.MULTILINE
    )
    assert "Nothing is left of this first deployment" in failed.error
    assert "\n    make deploy STACK=conveyor-two\n" in failed.error
    assert status(deployed.stack, "conveyor-two") in {None, "DELETE_COMPLETE"}


def test_a_stack_of_another_name_is_not_theirs(deployed: Deployed, tmp_path: Path) -> None:
    """The policy is for stacks whose names begin with `conveyor`."""
    given = ("STACK=other", f"REGION={REGION}", "EMAIL=", f"SECRET={SECRET}", "YES=1", f"BUILT={deployed.built}")
    refused = deployed.person.types(*given, f"SETTINGS={tmp_path / 'other.toml'}", "DOCTOR=no")
    assert refused.exit == 2
    assert "not authorized to perform: cloudformation:DescribeStacks" in refused.error
    assert "docs/deploy-policy.json" in refused.error


def test_the_build_has_the_layer_and_the_functions() -> None:
    """By the SAM CLI, from this checkout, for the processor that is asked for."""
    built = package.build(architecture())
    assert (built / "Layer" / "python" / "conveyor" / "__init__.py").is_file()
    assert all((built / name / "app.py").is_file() for name in ("Submit", "Poll", "Split", "Report"))


def checkout(folder: Path, settings: Path) -> Path:
    """Make a repository of the sources, with the file of the stack in it."""
    folder.mkdir()
    for name in SOURCES:
        source = PROJECT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, folder / name)
    (folder / "deployments").mkdir()
    shutil.copy2(settings, folder / "deployments")
    return folder


def test_the_workflow_is_one_that_github_takes() -> None:
    """By its schema."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(WORKFLOW)]
    subprocess.run(command, check=True)  # noqa: S603 - fixed


def test_a_job_deploys_what_the_repository_says(deployed: Deployed, tmp_path: Path) -> None:
    """A job of another branch gets no session. The page is typed from top to bottom."""
    stack = deployed.stack
    with page("deploy.md") as recipe, desk(stack, tmp_path) as shell:
        repository = checkout(tmp_path / "octo-repo", deployed.settings)
        role = ""
        for language, act in (("sh", shell.type), ("sh", shell.type)):
            role = act(recipe.take(language)).splitlines()[-1]
        assert recipe.take("yaml") == WORKFLOW.read_text()
        variables = {"CONVEYOR_DEPLOY_ROLE": role, "CONVEYOR_REGION": REGION, "CONVEYOR_STACK": STACK_NAME}
        of = partial(
            Job, read(WORKFLOW), repository, aws=stack.aws, variables=variables, built=deployed.built,
        )  # fmt: skip
        other = of(work=tmp_path / "branch", subject=SUBJECT.replace("main", "feature"))
        assert not other.run()
        assert "Not authorized to perform sts:AssumeRoleWithWebIdentity" in list(other.logs.values())[-1], other.logs
        settings = repository / "deployments" / "conveyor.toml"
        settings.write_text(settings.read_text() + recipe.take("toml"))
        job = of(work=tmp_path / "first", subject=SUBJECT)
        assert job.run(), job.logs
        log = job.logs["Deploy"]
        for line in recipe.take("text").splitlines():
            assert line in log, log
        assert parameter(stack, "HoldHours") == "24"
        shell.type(recipe.take("sh"))
