"""Names of projects, and the folder of a drop."""

import pytest
from msgspec.structs import replace

from conveyor.domain.keys import is_project_name
from tests.support.examples import RUN


@pytest.mark.parametrize("name", ["default", "team-a", "a", "7", "R_D.2", "a" * 64, "cancel", "batches", "a..b"])
def test_a_name_of_safe_characters_is_a_project(name: str) -> None:
    """It is one segment of keys and of IAM resources."""
    assert is_project_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        ".a",
        "-a",
        "_a",
        "a" * 65,
        "a/b",
        "a b",
        "a*",
        "a?",
        "${aws:username}",
        "ä",
        "a\n",
        "\ud800",
        "٣a",
    ],
)
def test_a_name_with_another_meaning_in_a_key_or_a_policy_is_none(name: str) -> None:
    """A star in a policy would grant other projects, too."""
    assert not is_project_name(name)


def test_an_id_of_a_run_is_no_project() -> None:
    """`control/<run>/` is that run's: whoever controls a project of this name would control the run."""
    assert not is_project_name("20261122T123456Z-0123456789ab")


@pytest.mark.parametrize(
    ("key", "folder"),
    [
        ("inbox/a.jsonl", ""),
        ("inbox/team-a/a.jsonl", "team-a"),
        ("inbox/team-a/b/a.jsonl", "team-a"),
        ("inbox//a.jsonl", ""),
        ("inbox/ä b/a.jsonl", "ä b"),
    ],
)
def test_the_folder_of_a_drop_is_the_first_one_below_inbox(key: str, folder: str) -> None:
    """IAM grants a prefix: `inbox/team-a/*`."""
    assert replace(RUN.drop, key=key).folder == folder
