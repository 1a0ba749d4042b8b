"""The SAM CLI builds and uploads the code; the packaged template is uploaded beside it."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from deployment.aws.account import explained
from deployment.trouble import Trouble

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mypy_boto3_s3 import S3Client

ROOT = Path(__file__).parents[2]
BUILT = ROOT / ".aws-sam" / "build"
_ENVIRONMENT = ROOT / ".venv" / "sam" / "bin"
_SAM = (_ENVIRONMENT / "python", "-m", "samcli")
_LAST_LINES = 30
_UPLOADED = re.compile(r"s3://([^/\s]+)/")


def build(architecture: str) -> Path:
    """Build the template for a processor; returns the folder. Neither credentials nor keys are handed to it."""
    env = {name: value for name, value in _environment().items() if not name.startswith("AWS_")}
    command = ["build", "--parameter-overrides", f"Architecture={architecture}", "--build-dir", str(BUILT)]
    _run([*command, "--cached", "--parallel"], env, "building")
    return BUILT


def upload(s3: S3Client, built: Path, stack: str, region: str) -> str:
    """Upload code and template of a build; returns the URL of the template.

    The SAM CLI keeps a bucket for this in each Region of an account, and creates it the first time.
    """
    with tempfile.TemporaryDirectory(prefix="conveyor-") as folder:
        packaged = Path(folder) / "template.yaml"
        command = ["package", "--template-file", str(built / "template.yaml"), "--resolve-s3", "--s3-prefix", stack]
        command += ["--output-template-file", str(packaged), "--region", region, "--no-progressbar"]
        _run([*command, "--config-env", "none"], _environment(), "uploading")
        content = packaged.read_bytes()
    uploaded = _UPLOADED.search(content.decode())
    if uploaded is None:
        raise Trouble("The SAM CLI has uploaded nothing: the packaged template names no object.")
    bucket, key = uploaded[1], f"{stack}/{hashlib.sha256(content).hexdigest()}.template"
    with explained():
        s3.put_object(Bucket=bucket, Key=key, Body=content)
    return f"{s3.meta.endpoint_url}/{bucket}/{key}"


def _environment() -> Mapping[str, str]:
    """Return the environment of the SAM CLI: it looks for a python3.13 on the path, and needs no key of a provider."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("ANTHROPIC_", "PYTHON"))}
    path = f"{_ENVIRONMENT}{os.pathsep}{env.get('PATH', os.defpath)}"
    return env | {"SAM_CLI_TELEMETRY": "0", "PATH": path}


def _run(words: Sequence[str], env: Mapping[str, str], doing: str) -> None:
    done = subprocess.run(  # noqa: S603 - the SAM CLI of this checkout
        [*_SAM, *words],
        cwd=ROOT,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        last = [line for line in done.stdout.splitlines() if line.strip()][-_LAST_LINES:]
        raise Trouble(f"The SAM CLI failed when {doing}. It said:", *last)
