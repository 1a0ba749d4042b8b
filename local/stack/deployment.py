"""Build and deploy the template with the real SAM CLI; the same sources are built once."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import platform
import shutil
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from deployment.kept_bucket import import_bucket
from local.paths import ROOT
from local.process import clean_env, run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from local.stack.local_aws import Aws

STACK_NAME = "conveyor"
ENVIRONMENT = ROOT / ".venv" / "sam" / "bin"
PYTHON = ENVIRONMENT / "python"
SAM = (PYTHON, "-m", "samcli")
BUILDS = ROOT / ".aws-sam" / "local"
KEPT_BUILDS = 4
USERS = "users"
"""A file of a build that each of its stacks locks."""
ZIPPED = {"CodeUri", "ContentUri"}
"""The properties that name a folder of what was built."""
DEPLOYED = ("template.yaml", "functions", "layers", "statemachine")
"""The sources of what is deployed."""
SAM_ENV = {
    "SAM_CLI_TELEMETRY": "0",
    "SAM_CLI_POLL_DELAY": "0.5",
    "__SAM_CLI_APP_DIR": str(ROOT / ".aws-sam" / "cli"),  # instead of the user's ~/.aws-sam
}


def architecture() -> str:
    """Return AWS's name for the processor of this machine, on which the functions run."""
    return "arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x86_64"


def build(work: Path, sources: Path = ROOT) -> Path:
    """Return the directory of the built template, and build it if the sources have changed. The log is in `work`.

    `sources`: the folder with the template, which is that of a release or this project. A second process waits for the
    first one's build. Raises ProcessFailed with the end of the log.
    """
    BUILDS.mkdir(parents=True, exist_ok=True)
    built = BUILDS / _digest(sources)
    with (BUILDS / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not built.exists():
            _build_at(built, work, sources)
        built.touch()
        _remove_old_builds()
    return built


def _build_at(built: Path, work: Path, sources: Path) -> None:
    """Build in another directory and then rename it: an interrupted build is never used."""
    unfinished = Path(tempfile.mkdtemp(dir=BUILDS, prefix="unfinished-"))
    try:
        _sam_build(unfinished, work, sources)
        if platform.system() != "Linux":
            _replace_wheels(unfinished, work, sources)
        _pack(unfinished)
        unfinished.rename(built)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


@contextmanager
def kept(built: Path) -> Iterator[Path]:
    """Keep a built template for the length of the block, whatever is built meanwhile."""
    with (built / USERS).open("w") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        yield built


def deploy(aws: Aws, built: Path, parameters: Mapping[str, str], work: Path) -> dict[str, str]:
    """Deploy a built template; returns the stack's outputs. Raises ProcessFailed with the end of the log.

    With the parameter `BucketName`, a new stack has the bucket of that name, if there is one.
    """
    formation = aws.client("cloudformation")
    if bucket := parameters.get("BucketName"):
        import_bucket(formation, aws.client("s3"), STACK_NAME, bucket)
    env = clean_env() | SAM_ENV | aws.env | {"HOME": str(work), "TMPDIR": str(work)}
    command: list[str | Path] = [
        *SAM,
        "deploy",
        "--template-file",
        built / "template.yaml",
        "--stack-name",
        STACK_NAME,
        "--resolve-s3",
    ]
    command += ["--capabilities", "CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "--config-env", "local"]
    command += ["--no-confirm-changeset", "--no-progressbar", "--parameter-overrides"]
    command += [f"{name}={value}" for name, value in ({"Architecture": architecture()} | dict(parameters)).items()]
    run(command, env=env, log=work / "sam-deploy.log", cwd=ROOT)
    stacks = formation.describe_stacks(StackName=STACK_NAME)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stacks[0]["Outputs"]}


def _sam_build(directory: Path, work: Path, sources: Path) -> None:
    command: list[str | Path] = [*SAM, "build", "--template-file", sources / "template.yaml", "--build-dir", directory]
    command += ["--config-file", ROOT / "samconfig.toml", "--config-env", "local"]
    command += ["--parameter-overrides", f"Architecture={architecture()}"]
    run(command, env=_build_env(work), log=work / "sam-build.log", cwd=sources)


def _replace_wheels(built: Path, work: Path, sources: Path) -> None:
    """Replace Linux's wheels with this machine's: the functions of the local AWS are processes of this machine."""
    command: list[str | Path] = [PYTHON, "-m", "pip", "install", "--no-deps", "--only-binary", ":all:", "--upgrade"]
    command += ["--require-hashes", "--requirement", sources / "layers" / "conveyor" / "requirements.txt"]
    run([*command, "--target", built / "Layer" / "python"], env=_build_env(work), log=work / "pip.log", cwd=sources)


def _pack(built: Path) -> None:
    """Zip functions and layer, and write the template as JSON, once for all deployments.

    The SAM CLI takes zip files as they are, and reads this template many times, which takes seconds in YAML.
    """
    path = built / "template.yaml"
    template = yaml.load(path.read_bytes(), yaml.CSafeLoader)
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        for name in ZIPPED & properties.keys():
            folder = built / properties[name]
            properties[name] = Path(shutil.make_archive(str(folder), "zip", folder)).name
            shutil.rmtree(folder)
    path.write_text(json.dumps(template))


def _build_env(work: Path) -> dict[str, str]:
    """Return the user's environment, as pip may need its index and proxy, without credentials to deploy with."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "ANTHROPIC_"))}
    path = f"{ENVIRONMENT}{os.pathsep}{env.get('PATH', os.defpath)}"  # SAM looks for a python3.13 there
    return env | SAM_ENV | {"PATH": path, "TMPDIR": str(work)}


def _digest(sources: Path) -> str:
    """Return a digest of everything that the output of `sam build` depends on."""
    digest = hashlib.sha256(f"{platform.python_version()} {platform.platform()}\n".encode())
    digest.update((ROOT / "requirements" / "sam.txt").read_bytes())
    for path in deployed_files(sources):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(sources)} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def deployed_files(sources: Path = ROOT) -> Iterator[Path]:
    """Yield the files of what is deployed."""
    for name in DEPLOYED:
        source = sources / name
        paths = sorted(source.rglob("*")) if source.is_dir() else [source]
        yield from (path for path in paths if path.is_file() and "__pycache__" not in path.parts)


def _remove_old_builds() -> None:
    builds = [path for path in BUILDS.iterdir() if path.is_dir() and not path.name.startswith("unfinished-")]
    for old in sorted(builds, key=lambda path: path.stat().st_mtime)[:-KEPT_BUILDS]:
        with suppress(BlockingIOError), (old / USERS).open("w") as users:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(old, ignore_errors=True)
