"""The parameters of a stack: the template's own bounds, and the file deployments/<stack>.toml."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from deployment.settings import file
from deployment.settings.file import Kept
from deployment.settings.template import holds, read, text_of
from deployment.trouble import MISUSED, Trouble
from tests.support import template as reference

if TYPE_CHECKING:
    from pathlib import Path

TEMPLATE = read(reference.SOURCE)
KEPT = Kept("eu-central-1", "123456789012", {"NotificationEmail": "a@example.com", "HoldAboveUsd": "20"})


def test_the_template_is_read_as_cloudformation_reads_it() -> None:
    """By its tags in their long form, as the reader of SAM does."""
    assert TEMPLATE.content["Parameters"] == reference.template()["Parameters"]
    assert TEMPLATE.content["Rules"] == reference.template()["Rules"]
    assert TEMPLATE.content["Conditions"] == reference.template()["Conditions"]


@pytest.mark.parametrize("name", sorted(TEMPLATE.parameters))
def test_every_default_is_within_its_own_bounds(name: str) -> None:
    """A stack can be deployed without any setting."""
    default = TEMPLATE.parameters[name].default
    assert default is not None
    assert TEMPLATE.parameters[name].fault(default) is None


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("HoldHours", "0", "a number, 1 to 720"),
        ("HoldHours", "soon", "a number, 1 to 720"),
        ("HoldHours", "nan", "a number, 1 to 720"),
        ("Auth", "oauth", "one of: api-key, bearer, aws"),
        ("NotificationEmail", "someone", "an email address, or empty"),
        ("ApiKeySecretName", "arn:aws:secretsmanager:x", "the name (not the ARN) of a secret"),
        ("ApiKeySecretName", "a" * 61, "1 to 60 characters"),
        ("ApiUrl", "http://example.com", "an https:// URL"),
    ],
)
def test_a_value_out_of_bounds_is_refused_with_what_is_allowed(name: str, value: str, allowed: str) -> None:
    """Before anything is built."""
    assert f'{name} cannot be "{value}"; expected {allowed}' in str(TEMPLATE.parameters[name].fault(value))


def test_rules_between_parameters_are_checked_too() -> None:
    """CloudFormation says so only after the build."""
    assert TEMPLATE.faults({}) == []
    assert TEMPLATE.faults({"Auth": "aws"}) == ["Auth=aws requires WorkspaceId, the id of a workspace in this Region."]
    assert TEMPLATE.faults({"Auth": "aws", "WorkspaceId": "wrkspc_01"}) == []


def test_every_rule_of_the_template_can_be_evaluated() -> None:
    """Also one that no default meets."""
    for rule in TEMPLATE.content["Rules"].values():
        values = TEMPLATE.complete({})
        every = [rule["RuleCondition"], *(each["Assert"] for each in rule["Assertions"])]
        assert {type(holds(each, values)) for each in every} == {bool}


def test_values_of_toml_become_those_of_cloudformation() -> None:
    """People write numbers as numbers."""
    assert [text_of(each) for each in (True, False, 20, 0.5, "x", ["a", "b"])] == ["yes", "no", "20", "0.5", "x", "a,b"]


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    """Text with quotes and other letters, too."""
    kept = Kept(KEPT.region, KEPT.account, {**KEPT.parameters, "CompletionWindow": "24h", "Betas": ""})
    path = tmp_path / "deployments" / "conveyor.toml"
    file.write(path, "conveyor", kept)
    assert file.read(path, TEMPLATE) == kept
    assert "docs/settings.md" in path.read_text()


def test_a_file_that_is_there_is_never_overwritten(tmp_path: Path) -> None:
    """A person may have edited it."""
    path = tmp_path / "conveyor.toml"
    path.write_text("# mine\n")
    with pytest.raises(Trouble, match="cannot be written: File exists"):
        file.write(path, "conveyor", KEPT)
    assert path.read_text() == "# mine\n"


def test_the_example_of_the_page_is_read(tmp_path: Path) -> None:
    """Somebody copies it."""
    page = (reference.PROJECT / "docs" / "operate.md").read_text()
    path = tmp_path / "conveyor.toml"
    path.write_text(page.partition("```toml\n")[2].partition("```")[0])
    kept = file.read(path, TEMPLATE)
    assert kept.parameters == {"NotificationEmail": "team@example.com", "HoldAboveUsd": "20"}
    assert kept.tags == {"cost-centre": "data"}


def test_tags_and_plain_numbers_can_be_written_by_hand(tmp_path: Path) -> None:
    """A number needs no quotes, and `true` is `yes`."""
    path = tmp_path / "conveyor.toml"
    path.write_text(
        'region = "eu-central-1"\n[parameters]\nHoldAboveUsd = 20\nDeleteFiles = true\n[tags]\nteam = "data"\n'
    )
    kept = file.read(path, TEMPLATE)
    assert kept == Kept("eu-central-1", "", {"HoldAboveUsd": "20", "DeleteFiles": "yes"}, {"team": "data"})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("region = ", "cannot be read as TOML"),
        ('regoin = "x"', 'unknown name "regoin"; expected one of: region, account, parameters, tags'),
        ("region = 1", "region must be a text"),
        ("parameters = 1", "[parameters] must be a table"),
        ("[parameters]\nHoldAboveUSD = 1", 'unknown parameter "HoldAboveUSD"; did you mean "HoldAboveUsd"?'),
        ("[parameters]\nZzz = 1", 'unknown parameter "Zzz"; see docs/settings.md'),
        ("[parameters]\nHoldHours = 900", 'HoldHours cannot be "900"; expected a number, 1 to 720'),
        ('[parameters]\nAuth = "aws"', "Auth=aws requires WorkspaceId"),
    ],
)
def test_a_fault_in_the_file_is_named(text: str, why: str, tmp_path: Path) -> None:
    """With the path, and as a mistake of the person, not of AWS."""
    path = tmp_path / "conveyor.toml"
    path.write_text(text)
    with pytest.raises(Trouble) as trouble:
        file.read(path, TEMPLATE)
    assert why in "\n".join(trouble.value.lines)
    assert str(path) in trouble.value.lines[0]
    assert trouble.value.code == MISUSED


def test_a_parameter_of_an_earlier_release_is_told_with_what_to_write_instead() -> None:
    """Files are kept over updates of Conveyor."""
    said = file.unknown(
        {"Old": "5", "HoldHours": "1"},
        TEMPLATE,
        lambda given: [f"Old={given['Old']} is now New=5."] if "Old" in given else [],
    )
    assert said == ["Old=5 is now New=5."]


def test_git_ignores_the_files_of_stacks() -> None:
    """They name people and accounts."""
    command = ["git", "check-ignore", "--quiet", "deployments/conveyor.toml"]
    done = subprocess.run(command, cwd=reference.PROJECT, check=False)  # noqa: S603 - fixed
    assert done.returncode == 0
