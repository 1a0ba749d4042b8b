"""Answers are checked at once, in words, without AWS."""

from __future__ import annotations

import pytest

from deployment.answers.checks import key_fault, region_fault, stack_fault

KNOWN = ["us-east-1", "us-east-2", "eu-central-1", "us-gov-west-1"]


@pytest.mark.parametrize("name", ["conveyor", "A", "team-2", "a" * 76])
def test_a_name_that_cloudformation_and_step_functions_take_is_taken(name: str) -> None:
    """76 characters are the most: `-run` is added, and a state machine has 80."""
    assert stack_fault(name) is None


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "beginning with a letter"),
        ("2nd", "beginning with a letter"),
        ("team_a", "letters, digits and hyphens"),
        ("team.a", "letters, digits and hyphens"),
        ("conveyor\n", "letters, digits and hyphens"),
        ("a" * 77, "76 characters at most; this one has 77"),
    ],
)
def test_any_other_name_is_refused_with_what_is_allowed(name: str, why: str) -> None:
    """CloudFormation would say so after minutes only."""
    assert why in str(stack_fault(name))


@pytest.mark.parametrize("region", ["us-east-1", "us-gov-west-1", "xx-newland-1"])
def test_a_region_is_taken_that_is_known_or_may_be_new(region: str) -> None:
    """AWS opens Regions after a version of its SDK."""
    assert region_fault(KNOWN)(region) is None


@pytest.mark.parametrize(
    ("region", "why"),
    [
        ("us-east-9", "did you mean us-east-1 or us-east-2?"),
        ("Frankfurt", "write one such as"),
        ("", "write one such as"),
    ],
)
def test_a_misspelled_region_is_refused(region: str, why: str) -> None:
    """A stack in a Region that does not exist cannot be reached."""
    assert why in str(region_fault(KNOWN)(region))


@pytest.mark.parametrize("key", ["sk-ant-api03-abcDEF_123-xyz", "a1b2c3d4"])
def test_a_key_is_one_word(key: str) -> None:
    """Providers give keys of many forms."""
    assert key_fault(key) is None


@pytest.mark.parametrize(
    "key", ["", "short", '{"key": "sk-ant-secret"}', '"sk-ant-secret"', "sk ant secret", "sk-änt-secret"]
)
def test_what_is_no_key_is_refused_and_never_quoted(key: str) -> None:
    """It may be a key with a slip."""
    said = str(key_fault(key))
    assert said != "None"
    assert "secret" not in said.replace("the secret holds", "")
