"""Drops from a desk: a stack as it is deployed, whose submit function reacts to what is uploaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conveyor import __version__
from tests.support.belt import request
from tests.support.memory_aws.stacks import Stack, stack_id
from tests.support.settings import STACK_SETTINGS, template_parameters

if TYPE_CHECKING:
    from tests.support.belt import Belt
    from tests.support.memory_aws.served import Served

SETTINGS = STACK_SETTINGS | {"STACK_ID": stack_id("conveyor")}


def large_drop() -> bytes:
    """Write a drop of 20 MB, which is uploaded in three parts."""
    return b"".join(request(f"r-{number}", system="x" * 100_000) + b"\n" for number in range(200))


def deploy(aws: Served, release: str | None = __version__, **parameters: str) -> None:
    """Give the stack the parameters of the template: its defaults, those of tests, and these."""
    outputs = {**aws.memory.stacks.named["conveyor"].outputs, "Release": release or ""}
    told = {name: value for name, value in outputs.items() if value}
    aws.memory.stacks.named["conveyor"] = Stack(told, parameters=template_parameters(**parameters))


class Reaction:
    """Submits what lies in the inbox, each version once, whenever an object is looked at."""

    def __init__(self, belt: Belt) -> None:
        """Build the clients here: the command has another environment."""
        self._belt = belt
        self._seen = set[str]()
        clients = belt.clients
        for built in ("environment", "settings", "bucket", "machine", "connector"):
            getattr(clients, built)
        self.runs = list[str]()

    def __call__(self) -> None:
        """React."""
        versions = self._belt.s3.list_object_versions(Bucket=self._belt.bucket, Prefix="inbox/").get("Versions", [])
        for each in versions:
            if each["VersionId"] not in self._seen:
                self._seen.add(each["VersionId"])
                state = self._belt.submit(self._belt.event_of(each["Key"], each, each["Size"]))
                self.runs += [state["run"]] if "run" in state else []
