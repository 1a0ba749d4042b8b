"""Runs a job of a GitHub Actions workflow: its steps in order, each with the files and variables that GitHub gives it.

Only what samples/ci uses is known; anything else is an error. https://docs.github.com/actions/reference
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml
from botocore.exceptions import ClientError

from tests.support.recipes.page import PROJECT
from tests.support.web_identity import token

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from local.stack.local_aws import Aws

SECONDS = 300
_EXPRESSION = re.compile(r"\$\{\{ (.*?) \}\}")
_OF_STEP = re.compile(r"steps\.([a-z]+)\.outcome == 'success'")


@dataclass
class Job:
    """One attempt of a job."""

    workflow: Any
    repository: Path
    """What is checked out."""
    work: Path
    """Belongs to this attempt."""
    aws: Aws
    variables: Mapping[str, str]
    """Of the repository's settings."""
    subject: str
    """Of the token that GitHub gives the job."""
    built: Path | None = None
    """A build of the stack, which `make deploy` uses; its environments are those of this project."""
    env: dict[str, str] = field(default_factory=dict)
    logs: dict[str, str] = field(default_factory=dict)
    """What each step has written, by its name."""
    outcomes: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    artifact: list[str] = field(default_factory=list)

    def run(self) -> bool:
        """Run all steps; return whether all have succeeded."""
        (job,) = self.workflow["jobs"].values()
        self._programs.mkdir(parents=True)
        for step in job["steps"]:
            name = step.get("name") or step["uses"]
            if not self._is_due(step.get("if")):
                continue
            self.logs[name], succeeds = self._uses(step) if "uses" in step else self._runs(step)
            self.outcomes[step.get("id", name)] = "success" if succeeds else "failure"
        return set(self.outcomes.values()) == {"success"}

    @property
    def _programs(self) -> Path:
        """The folder for programs of the user."""
        return self.work / ".local" / "bin"

    @property
    def summary(self) -> str:
        """What GitHub shows of the job."""
        path = self.work / "summary"
        return path.read_text() if path.exists() else ""

    def _is_due(self, condition: str | None) -> bool:
        if condition is None:
            return "failure" not in self.outcomes.values()
        first, _, second = condition.removeprefix("${{ ").removesuffix(" }}").partition(" && ")
        of = _OF_STEP.fullmatch(second)
        assert first == "!cancelled()", condition
        assert of, condition
        return self.outcomes.get(of[1]) == "success"

    def _value(self, text: Any) -> str:
        return _EXPRESSION.sub(lambda found: self._expression(found[1]), str(text))

    def _expression(self, expression: str) -> str:
        match expression.split("."):
            case ["vars", name]:
                return self.variables[name]
            case ["steps", step, "outputs", name]:
                return self.outputs[step][name]
            case _:
                raise LookupError(expression)

    def _runs(self, step: Any) -> tuple[str, bool]:
        assert self.workflow["defaults"]["run"]["shell"] == "bash"
        output = self.work / "output"
        output.write_text("")
        given = {name: self._value(value) for name, value in step.get("env", {}).items()}
        files = {"GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(self.work / "summary")}
        runner = {"PATH": f"{self._programs}{os.pathsep}/usr/bin:/bin", "HOME": str(self.work)}
        done = subprocess.run(  # noqa: S603 - a step of our own sample
            ["/bin/bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", self._value(step["run"])],
            cwd=self.work / "checkout",
            env={"LANG": "C.UTF-8", **runner, **self.env, **files, **given},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        pairs = (line.split("=", 1) for line in output.read_text().splitlines())
        self.outputs[step.get("id", "")] = dict(pairs)
        return done.stdout, done.returncode == 0

    def _uses(self, step: Any) -> tuple[str, bool]:
        action, given = step["uses"].partition("@")[0], dict(step.get("with", {}))
        match action:
            case "actions/checkout":
                shutil.copytree(self.repository, self.work / "checkout")
                if self.built:
                    (self.work / "checkout" / ".venv").symlink_to(PROJECT / ".venv")
                    _write(self._programs / "make", _MAKE.format(built=self.built))
            case "actions/setup-python":
                assert given.pop("python-version") == "{}.{}".format(*sys.version_info)
            case "astral-sh/setup-uv":
                _write(self._programs / "uv", _UV.format(python=sys.executable))
            case "aws-actions/configure-aws-credentials":
                try:
                    self._take_role(*(self._value(given.pop(name)) for name in _OF_ROLE))
                except ClientError as error:
                    return f"Could not assume role with OIDC: {error}", False
            case "actions/upload-artifact":
                assert (given.pop("name"), given.pop("if-no-files-found")) == ("labels", "error")
                self.artifact = given.pop("path").split()
                assert all((self.work / "checkout" / path).is_file() for path in self.artifact), self.artifact
            case _:
                raise LookupError(action)
        assert not given, f"unknown inputs of {action}: {given}"
        return "", True

    def _take_role(self, role: str, region: str, seconds: str) -> None:
        """Do what the action does: take the role with GitHub's token, and set the variables of AWS."""
        assert self.workflow["permissions"]["id-token"] == "write"
        keys = self.aws.client("sts").assume_role_with_web_identity(
            RoleArn=role,
            RoleSessionName="GitHubActions",
            WebIdentityToken=token(self.subject),
            DurationSeconds=int(seconds),
        )["Credentials"]
        place = {name: value for name, value in self.aws.env.items() if name in _PLACE}
        self.env |= place | {
            "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
            "AWS_SESSION_TOKEN": keys["SessionToken"],
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
        }


_OF_ROLE = ("role-to-assume", "aws-region", "role-duration-seconds")
_PLACE = {"AWS_ENDPOINT_URL", "AWS_CA_BUNDLE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"}
"""Where the local AWS is."""


_UV = """#!/bin/sh
set -eu
[ "$1 $2 $3 $4" = "tool install --python 3.13" ]
name=${{5%% *}} from=${{5#*git+}}
address=${{from%@*}} release=${{from##*@}} folder=${{from##*#subdirectory=}}
git -c advice.detachedHead=false clone --quiet --branch "${{release%#*}}" "$address" "$HOME/$name"
cd "$HOME/$name/$folder"
{python} -m hatchling build --target wheel --directory "$HOME/$name/dist"
{python} -m zipfile -e "$HOME/$name/dist/"*.whl "$HOME/$name/installed"
program=$HOME/.local/bin/conveyor
printf '#!/bin/sh\nPYTHONPATH=%s exec {python} -m conveyor_cli "$@"\n' "$HOME/$name/installed" > "$program"
chmod 700 "$program"
"""
"""Does what `uv tool install` does with a package of a repository, but with the packages that are here: no network."""


_MAKE = """#!/bin/sh
exec /usr/bin/make --old-file .venv/tools/.local --old-file .venv/sam/.sam "$@" BUILT='{built}'
"""
"""Builds and installs nothing, as there is a build already."""


def _write(path: Path, program: str) -> None:
    path.write_text(program)
    path.chmod(0o700)


def read(path: Path) -> Any:
    """Read a workflow."""
    return yaml.safe_load(path.read_text())
