"""The commands of AWS CLI v2 that messages and documents use, and no others: each does what v2 does, or is rejected.

`s3 cp`, `ls`, `sync`, `cloudformation deploy`, `logs tail` and `wait` are the CLI's own; every other command is an
operation of a service, whose options are read by the service's model, as the CLI reads them. Behaviour: the source of
2.9.19, and of its copy of s3transfer.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import jmespath
from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

from tests.support.shell import formation, logs, s3, waiters
from tests.support.shell.words import Misuse, options, value_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PARAMETERS, SERVICE, FAILED = 252, 254, 1
"""Exit codes: an invalid command; an error response of AWS; a failed transfer."""
OWN = {"query", "output", "region", "endpoint-url", "max-items", "cli-binary-format"}
"""Global options of the CLI that have a value."""
INPUT = "cli-input-json"
"""The option that has all of the request; others come first."""
SERVICES = {"s3api": "s3"}
KINDS = ("list", "boolean")
"""Types of options that take several words, or none."""
RENAMED = {("sns", "subscribe"): {"notification-endpoint": "endpoint"}}
"""Options that the CLI calls otherwise than the service, since it has a global option of that name."""
POSITIONAL = {("lambda", "invoke"): 1}


@dataclass
class Answer:
    """A command's output and exit code."""

    exit: int = 0
    out: bytes = b""
    error: str = ""


@dataclass
class Interpreter:
    """Runs commands with the clients of one person."""

    client: Callable[[str], Any]
    needed: set[tuple[str, str]] = field(default_factory=set)
    """Each IAM action that a command needed, with its key or name."""

    def run(self, words: list[str], folder: Path, stdin: bytes = b"") -> Answer:
        """Run one command, given as a shell splits it, without `aws`."""
        try:
            return self._run(words, folder, stdin)
        except Misuse as error:
            return Answer(PARAMETERS, error=f"{error}\n")
        except ClientError as error:
            return Answer(FAILED if words[0] == "s3" else SERVICE, error=f"{error}\n")
        except BotoCoreError as error:
            return Answer(PARAMETERS, error=f"{error}\n")

    def _run(self, words: list[str], folder: Path, stdin: bytes) -> Answer:
        while words[:1] == ["--endpoint-url"]:
            words = words[2:]
        match words:
            case ["s3", command, *rest]:
                transfer = s3.Transfer(self.client("s3"), folder, stdin, self.needed)
                return Answer(out=transfer.run(command, rest))
            case ["cloudformation", "deploy", *rest]:
                return Answer(out=formation.deploy(self.client("cloudformation"), rest, folder))
            case ["logs", "tail", *rest]:
                return Answer(out=logs.tail(self.client("logs"), rest, self.needed))
            case [service, "wait", state, *rest]:
                error = waiters.wait(self.client(service), state, rest)
                return Answer(waiters.FAILED, error=f"\n{error}\n") if error else Answer()
            case [service, operation, *rest] if not service.startswith("-") and not operation.startswith("-"):
                return Answer(out=self._call(service, operation, rest, folder))
            case _:
                raise Misuse(f"no command: {words}")

    def _call(self, service: str, operation: str, words: list[str], folder: Path) -> bytes:
        client = self.client(SERVICES.get(service, service))
        name = operation.replace("-", "_")
        if name not in client.meta.method_to_api_mapping:
            raise Misuse(f"{service} has no operation {operation}")
        api = client.meta.method_to_api_mapping[name]
        model = client.meta.service_model.operation_model(api)
        members = model.input_shape.members if model.input_shape else {}
        shapes = {xform_name(member, "-"): (member, shape) for member, shape in members.items()}
        of_type = {kind: {name for name, (_, shape) in shapes.items() if shape.type_name == kind} for kind in KINDS}
        given, rest = options(words, of_type["list"], of_type["boolean"])
        renamed = RENAMED.get((service, operation), {})
        given = {renamed.get(option, option): text for option, text in given.items()}
        if len(rest) != POSITIONAL.get((service, operation), 0):
            raise Misuse(f"unknown: {rest}")
        whole = json.loads(given.pop(INPUT, "{}"))
        own = {option: given.pop(option) for option in OWN & given.keys()}
        if unknown := given.keys() - shapes.keys():
            raise Misuse(f"{service} {operation} has no option {sorted(unknown)}")
        asked = whole | {shapes[option][0]: value_of(shapes[option][1], text, folder) for option, text in given.items()}
        self.needed |= s3.needs(service, api, asked)
        if client.can_paginate(name):
            limit = {"MaxItems": int(own["max-items"])} if "max-items" in own else {}
            answer = client.get_paginator(name).paginate(**asked, PaginationConfig=limit).build_full_result()
        else:
            answer = getattr(client, name)(**asked)
            answer.pop("ResponseMetadata")
        for path, member in zip(rest, ["Payload"], strict=False):
            (folder / path).write_bytes(answer.pop(member).read())
        return printed(answer, own.get("query"), own.get("output", "json"))


def printed(answer: Any, query: str | None, output: str) -> bytes:
    """Write an answer as JSON or as text."""
    found = jmespath.search(query, answer) if query else answer
    if output == "text":
        rows = found if isinstance(found, list) else [found]
        lines = ("\t".join(map(str, row)) if isinstance(row, list) else str(row) for row in rows)
        return "".join(f"{line}\n" for line in lines).encode()
    if output != "json":
        raise Misuse(f"--output {output}")
    return b"" if found in ({}, "") else (json.dumps(found, indent=4, default=str) + "\n").encode()
