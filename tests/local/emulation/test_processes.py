"""The processes of functions of the local AWS: copies with what is imported already, and else as if they were new."""

from __future__ import annotations

import io
import json
import os
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from tests.local.conftest import BROKEN, IMPORTED

if TYPE_CHECKING:
    from pathlib import Path

    from local.stack.local_aws import Aws

TRUST = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
MODULE = "import os\nwith open({path!r}, 'a') as lines:\n    lines.write(f'{{os.getpid()}}\\n')\n"
CODE = f"""
import os, sys, time
import {IMPORTED}

here = []

def handler(event, context):
    here.append(event)
    if event == "end":
        os._exit(3)
    if event == "sleep":
        time.sleep(5)
    if event == "raise":
        raise ValueError("raised")
    print("said", event)
    return [os.getpid(), os.environ["OWN"], os.environ["AWS_ACCESS_KEY_ID"], os.path.basename(sys.argv[0]), len(here)]
"""


def zipped(**texts: str) -> bytes:
    """Return an archive of modules. `texts`: by their paths, with `__` for `/`."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in texts.items():
            archive.writestr(f"{name.replace('__', '/')}.py", text)
    return file.getvalue()


class Functions:
    """Two functions with one layer, each with a role of its own."""

    def __init__(self, aws: Aws, imports: Path) -> None:
        """Create them. `imports`: where the module of the layer notes that it was imported."""
        self.client, iam = aws.client("lambda"), aws.client("iam")
        layer = {f"python__{IMPORTED}": MODULE.format(path=str(imports)), f"python__{BROKEN}": "raise ValueError"}
        content = {"ZipFile": zipped(**layer)}
        version = self.client.publish_layer_version(LayerName=f"layer-{uuid4().hex[:8]}", Content=content)
        self.names = [f"copied-{uuid4().hex[:8]}" for _ in range(2)]
        for name in self.names:
            policy = json.dumps({"Version": "2012-10-17", "Statement": [TRUST]})
            role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy)["Role"]["Arn"]
            self.client.create_function(
                FunctionName=name,
                Runtime="python3.13",
                Role=role,
                Handler="app.handler",
                Code={"ZipFile": zipped(app=CODE)},
                Layers=[version["LayerVersionArn"]],
                Environment={"Variables": {"OWN": name}},
                Timeout=2,
            )

    def invoke(self, name: str, event: str = "") -> Any:
        """Return the answer of a function, or the message of its error."""
        answer = self.client.invoke(FunctionName=name, Payload=json.dumps(event))
        payload = json.loads(answer["Payload"].read())
        return payload["errorMessage"] if "FunctionError" in answer else payload


@pytest.fixture
def functions(aws: Aws, tmp_path: Path) -> Functions:
    """Return new functions."""
    return Functions(aws, tmp_path / "imports")


def test_each_process_has_its_own_environment_and_state_and_modules_are_imported_once(
    functions: Functions, tmp_path: Path
) -> None:
    """A cold start needs no second; what a function does is not seen by another one."""
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(functions.invoke, functions.names * 3))
    assert {own for _, own, *_ in answers} == set(functions.names)
    assert len({(own, key) for _, own, key, *_ in answers}) == len({key for _, _, key, *_ in answers}) == 2
    assert {(program, calls) for *_, program, calls in answers if calls == 1} == {("_worker.py", 1)}
    processes = {number for number, *_ in answers}
    for number in processes:
        calls = sorted(calls for other, *_, calls in answers if other == number)
        assert calls == list(range(1, len(calls) + 1))
    imported = (tmp_path / "imports").read_text().split()
    assert len(imported) == (1 if sys.platform == "linux" else len(processes)), "elsewhere a copy is not safe"


def test_a_process_that_ends_or_hangs_is_replaced_and_one_that_raises_is_kept(functions: Functions) -> None:
    """As on AWS. None of them is left behind."""
    name, numbers = functions.names[0], list[int]()
    for event, said in (("raise", "raised"), ("end", "Worker process died"), ("sleep", "Task timed out")):
        numbers.append(functions.invoke(name)[0])
        assert said in functions.invoke(name, event)
    numbers.append(functions.invoke(name)[0])
    first, after_raise, after_end, after_sleep = numbers
    assert first == after_raise
    assert len({after_raise, after_end, after_sleep}) == 3
    for number in (after_raise, after_end):
        with pytest.raises(ProcessLookupError):
            os.kill(number, 0)
