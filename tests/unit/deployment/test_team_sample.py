"""The sample that makes the roles of a team: no two teams share one, and IAM takes their names."""

import re

from hypothesis import given
from hypothesis import strategies as st
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped] # it ships no types

from conveyor.domain import keys
from tests.support.template import PROJECT, Json

TEMPLATE: Json = yaml_parse((PROJECT / "samples/teams/team.yaml").read_text())
PARAMETER: Json = TEMPLATE["Parameters"]["Project"]
ROLES: list[Json] = [each["Properties"] for each in TEMPLATE["Resources"].values() if each["Type"] == "AWS::IAM::Role"]
ROLE_FORM = r"[\w+=,.@-]{1,64}"
"""https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html: names are not told apart by their case."""
STACK_FORM = r"[a-zA-Z][-a-zA-Z0-9]{0,127}"
"""https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html."""
PROJECTS = st.builds(
    "{}{}{}".format,
    st.sampled_from("aA7"),
    st.text("aA-._", max_size=4) | st.text("a", min_size=45, max_size=63),
    st.sampled_from(["", "-lead", "-LEAD", "-lead-lead"]),
)


def is_taken(project: str) -> bool:
    """Tell whether the template takes a project."""
    return re.fullmatch(PARAMETER["AllowedPattern"], project) is not None


def roles(project: str) -> set[str]:
    """Return the names of its roles as IAM compares them."""
    return {each["RoleName"]["Fn::Sub"].replace("${Project}", project).lower() for each in ROLES}


@given(PROJECTS, PROJECTS)
def test_no_two_projects_share_a_role_and_iam_takes_their_names(one: str, other: str) -> None:
    """A lead's role of one would be the member's role of the other."""
    taken = list(filter(is_taken, {one, other}))
    names = [name for project in taken for name in roles(project)]
    assert all(map(keys.is_project_name, taken))
    assert all(re.fullmatch(ROLE_FORM, name) for name in names)
    assert len(set(names)) == len(taken) * len(ROLES)
    assert all(re.fullmatch(STACK_FORM, f"conveyor-team-{project}") for project in taken)


def test_usual_projects_are_taken_and_others_are_told_the_rule() -> None:
    """Up to 50 characters, since roles have 64."""
    assert all(map(is_taken, ["catalog", "research-2", "lead", "lead-gen", "a", "a" * 50]))
    assert not any(map(is_taken, ["a" * 51, "Catalog", "catalog-lead", "-a", "", "a.b", "a_b"]))
    assert PARAMETER["ConstraintDescription"] == (
        "lower-case letters, digits and hyphens, 50 at most, beginning with a letter or digit, and not ending in -lead"
    )
