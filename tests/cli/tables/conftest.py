"""A folder with a table and a prompt, and the command as it is typed there."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import Command, Ran

MODEL = "claude-haiku-4-5"


class Desk:
    """A folder in which `conveyor prepare` is typed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._command = Command(folder, {})

    def write(self, name: str, content: str | bytes) -> Path:
        """Write a file."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def type(self, *arguments: str, prompt: str = "{{ text }}") -> Ran:
        """Type the command. `prompt`: the template."""
        self.write("prompt.md", prompt)
        model = () if "--model-column" in arguments else ("--model", MODEL)
        return self._command.call("prepare", *arguments, "--template", "prompt.md", *model)

    def prepare(self, *arguments: str, prompt: str = "{{ text }}") -> list[dict[str, Any]]:
        """Type the command, which must succeed, and return the requests."""
        ran = self.type(*arguments, "-o", "out.jsonl", "--force", prompt=prompt)
        assert (ran.exit, ran.error) == (0, "")
        return self.requests("out.jsonl")

    def requests(self, name: str) -> list[dict[str, Any]]:
        """Return the requests of a file."""
        return [json.loads(line) for line in (self.folder / name).read_bytes().split(b"\n")[:-1]]

    def refused(self, *arguments: str, prompt: str = "{{ text }}", exit_code: int = 3) -> list[str]:
        """Type the command, which must be refused in words and leave no file, and return the words."""
        ran = self.type(*arguments, "-o", "out.jsonl", prompt=prompt)
        assert (ran.exit, ran.out) == (exit_code, ""), ran
        assert not list(self.folder.glob("*out.jsonl*"))
        lines = ran.error.splitlines()
        assert lines[0].startswith("✗ ")
        assert "defect" not in lines[0]
        return [line.strip(" ✗") for line in lines]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Return an empty folder."""
    return Desk(tmp_path)


def prompts(requests: list[dict[str, Any]]) -> list[Any]:
    """Return the content of the message of each request."""
    return [each["params"]["messages"][0]["content"] for each in requests]
