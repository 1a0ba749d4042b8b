"""The runbook: its sections, and the commands that a person types."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.support import template

if TYPE_CHECKING:
    from tests.support.template import Json

PAGE = (template.PROJECT / "docs" / "runbook.md").read_text()
_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PLACEHOLDER = re.compile(r"<([^<>]+)>")
BEGIN = "Begin here"


def sections(page: str = PAGE, levels: int = 2) -> dict[str, str]:
    """Return the text of each section by its title, of the runbook or another page."""
    parts = re.split(rf"^#{{1,{levels}}} (.*)$", page, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def blocks(text: str) -> list[str]:
    """Return the commands that stand together in a text."""
    return _BLOCK.findall(text)


def commands(title: str) -> list[str]:
    """Return the commands of a section."""
    return [line for block in blocks(sections()[title]) for line in block.splitlines()]


def not_typed_before(title: str) -> list[str]:
    """Return the commands of a section without those of `conveyor` that an earlier section has, too."""
    titles = list(sections())
    earlier = {command for each in titles[: titles.index(title)] for command in commands(each)}
    return [command for command in commands(title) if not (command.startswith("conveyor ") and command in earlier)]


def commands_of_alarm(alarm: Json | str) -> list[str]:
    """Return the commands in the description of an alarm: each is a line that is indented."""
    text = alarm if isinstance(alarm, str) else alarm["AlarmDescription"]["Fn::Sub"]
    return re.findall(r"^ {4}(.*)$", text, re.MULTILINE)


def titled(alarm: str) -> str:
    """Return the title of the section about an alarm."""
    (title,) = [title for title in sections() if alarm in re.split(r", ", title)]
    return title
