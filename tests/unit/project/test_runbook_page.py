"""The runbook has a section for every alarm and every status, and each says what a person needs."""

import re

import pytest

from conveyor.domain.status import STATUSES
from tests.support import runbook, template
from tests.support.shell.s3 import ACTIONS

ALARMS = template.resources("AWS::CloudWatch::Alarm")
TITLES = runbook.sections()
OUTPUTS = template.template()["Outputs"].keys()
FOUND = {
    "queryId",
    "role",
    "function",
    "executionArn",
    "name",
    "run",
    "held run",
    "refused run",
    "run that matters less",
}
"""What the commands before show, or a message."""


@pytest.mark.parametrize("alarm", ALARMS)
def test_every_alarm_has_a_section_with_meaning_picture_command_and_end(alarm: str) -> None:
    """A person who is called at night reads one section."""
    title = runbook.titled(alarm)
    assert re.findall(r"^\*\*(Means|Look at|Over)\b", TITLES[title], re.MULTILINE) == ["Means", "Look at", "Over"]
    assert runbook.commands(title)


def test_every_status_has_a_section() -> None:
    """It is what a message says, and what a person searches for."""
    assert [str(status) for status in STATUSES if status not in TITLES] == []


@pytest.mark.parametrize("title", [title for title in TITLES if runbook.commands(title)])
def test_what_a_command_leaves_open_is_an_output_or_was_found_before(title: str) -> None:
    """A name that nothing shows cannot be put in."""
    named = {name for command in runbook.commands(title) for name in runbook.PLACEHOLDER.findall(command)}
    assert named <= OUTPUTS | FOUND


def test_the_commands_need_what_operate_lists_for_an_operator() -> None:
    """No more, and each of it; those for objects are listed for all people, and those for a dashboard by the page."""
    operate = (template.PROJECT / "docs" / "operate.md").read_text()
    _, _, table = operate.partition("| To | An operator needs |\n|---|---|\n")
    listed = set(re.findall(r"`(\w+:\w+)`", table.partition("\n\n")[0]))
    typed = [command.split() for title in TITLES for command in runbook.commands(title)]
    typed += [command.split() for alarm in ALARMS.values() for command in runbook.commands_of_alarm(alarm)]
    needed = {action(*words[1:3]) for words in typed if words[0] == "aws" and words[1] not in {"s3", "secretsmanager"}}
    assert listed == needed | {"cloudwatch:GetDashboard", "cloudwatch:GetMetricData"}


def action(service: str, operation: str) -> str:
    """Return the action of IAM that a command needs, as AWS documents it."""
    known = {("logs", "tail"): "logs:FilterLogEvents", ("lambda", "invoke"): "lambda:InvokeFunction"}
    name = "".join(word.capitalize() for word in operation.split("-"))
    return known.get((service, operation), f"{ACTIONS.get(service, service)}:{name}")


def test_every_picture_and_query_that_the_runbook_names_exists() -> None:
    """Titles of widgets are questions, in italics."""
    from tests.support import dashboard  # noqa: PLC0415 - it reads the template

    titles = " ".join(widget["properties"]["title"] for widget in dashboard.body()["widgets"])
    named = set(re.findall(r"\*([A-Z][^*\n]+\?)\*", runbook.PAGE + (template.PROJECT / "docs/operate.md").read_text()))
    assert len(named) > 8
    assert [question for question in named if question not in titles] == []
