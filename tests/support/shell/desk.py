"""An operator's terminal, and a bucket to run commands on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from tests.support.examples import RUN
from tests.support.shell import messages

if TYPE_CHECKING:
    from collections.abc import Callable

    from conveyor.ledger.run_facts import Run
    from conveyor.wording.notice import Notice
    from tests.support.shell.aws import Interpreter
    from tests.support.shell.terminal import Terminal

BYTES = b'{"custom_id": "a", "params": {}}\n'
EDITED = b"what a person has put right\n"


@dataclass
class Desk:
    """An operator's terminal, and a bucket."""

    terminal: Terminal
    client: Callable[[str], Any]
    bucket: str
    interpreter: Interpreter

    @property
    def s3(self) -> Any:
        """The S3 client."""
        return self.client("s3")

    def drop(self, key: str, metadata: dict[str, str] | None = None, content: bytes = BYTES) -> Run:
        """Upload a drop, and return its run; the edited file is in the terminal's folder."""
        put = self.s3.put_object(Bucket=self.bucket, Key=key, Body=content, Metadata=metadata or {})
        (self.terminal.folder / key.rpartition("/")[2]).write_bytes(EDITED)
        run = replace(RUN, drop=replace(RUN.drop, bucket=self.bucket))
        return messages.about(run, key=key, version=put["VersionId"], size=len(content), metadata=metadata or {})

    def type(self, notice: Notice, text: str = "") -> list[Any]:
        """Run the commands of a message that contain a text; return the objects they created, in order."""
        created = []
        for command in messages.commands(notice):
            if text in command:
                before = self.versions()
                self.terminal.succeed(command)
                created += [{"Key": key, "VersionId": version} for key, version in self.versions() - before]
        return [self.s3.get_object(Bucket=self.bucket, **version) | version for version in created]

    def versions(self) -> set[tuple[str, str]]:
        """List all versions of all objects."""
        pages = self.s3.get_paginator("list_object_versions").paginate(Bucket=self.bucket)
        return {(item["Key"], item["VersionId"]) for page in pages for item in page.get("Versions", [])}
