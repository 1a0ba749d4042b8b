"""`make deploy` as a person types it, in a terminal or without one."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

from local.process import clean_env
from tests.support.command import WITH_TERMINAL, Ran

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from local.stack.local_aws import Aws

PROJECT = Path(__file__).parents[2]
POLICY = PROJECT / "docs" / "deploy-policy.json"
MAKE = ("make", "--no-print-directory", "--old-file", ".venv/tools/.local", "--old-file", ".venv/sam/.sam", "deploy")
"""The environments are taken for installed: a test does not change them."""
_RUN = f"{WITH_TERMINAL}\nimport os, sys\nos.execvp(sys.argv[1], sys.argv[1:])"


@dataclass
class Deployer:
    """A person, or a job, with the policy of docs/deploy-policy.json and no other permission."""

    env: Mapping[str, str]
    """Of the shell."""
    processes: set[bytes] = field(default_factory=set)
    """The command lines and environments of all processes while something was typed at a terminal."""

    def types(self, *words: str) -> Ran:
        """Type `make deploy` without a terminal."""
        done = subprocess.run(  # noqa: S603 - make, and what a test types behind it
            [*MAKE, *words],
            cwd=PROJECT,
            env=dict(self.env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def answers(self, answers: Sequence[str], *words: str) -> Ran:
        """Type `make deploy` in a terminal, and a line for each question."""
        master, slave = pty.openpty()
        with (
            self._watching(),
            subprocess.Popen(  # noqa: S603 - as above
                [sys.executable, "-c", _RUN, *MAKE, *words],
                cwd=PROJECT,
                env=dict(self.env),
                stdin=slave,
                stdout=slave,
                stderr=slave,
                start_new_session=True,
            ) as process,
        ):
            os.close(slave)
            shown, left = b"", [f"{answer}\n".encode() for answer in answers]
            with suppress(OSError):  # Linux says EIO at the end
                while more := os.read(master, 65536):
                    shown += more
                    if left and shown.endswith(b": "):
                        os.write(master, left.pop(0))
            os.close(master)
        assert left == [], f"not asked for: {left}\n{shown.decode()}"
        return Ran(process.returncode, shown.decode().replace("\r\n", "\n"))

    @contextmanager
    def _watching(self) -> Iterator[None]:
        """Note every process that runs meanwhile."""
        is_over = Event()

        def watch() -> None:
            while not is_over.wait(0.02):
                for path in Path("/proc").glob("[0-9]*/cmdline"):
                    with suppress(OSError):  # it has ended, or is of somebody else
                        self.processes |= {path.read_bytes(), path.with_name("environ").read_bytes()}

        watcher = Thread(target=watch)
        watcher.start()
        try:
            yield
        finally:
            is_over.set()
            watcher.join()


def deployer(aws: Aws, name: str, home: Path, *denied: str) -> Deployer:
    """Create a user with the policy, of whom some actions are denied."""
    iam = aws.client("iam")
    iam.create_user(UserName=name)
    policy = iam.create_policy(PolicyName=f"{name}-deploys", PolicyDocument=POLICY.read_text())["Policy"]["Arn"]
    iam.attach_user_policy(UserName=name, PolicyArn=policy)
    if denied:
        iam.put_user_policy(UserName=name, PolicyName="denied", PolicyDocument=_denial(denied))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    mine = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
    return Deployer(clean_env() | aws.env | mine | {"HOME": str(home), "TMPDIR": str(home), "TERM": "xterm"})


def _denial(actions: Sequence[str]) -> str:
    words = ", ".join(f'"{action}"' for action in actions)
    return f'{{"Version": "2012-10-17", "Statement": {{"Effect": "Deny", "Action": [{words}], "Resource": "*"}}}}'
