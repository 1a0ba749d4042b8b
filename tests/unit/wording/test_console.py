"""Links into the console of the run's own partition and Region."""

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conveyor.wording.console import Console


def console(partition: str = "aws", region: str = "eu-central-1") -> Console:
    """Give the console of an execution."""
    return Console.of(f"arn:{partition}:states:{region}:111122223333:execution:conveyor-run:run-1")


@pytest.mark.parametrize(
    ("partition", "region", "host"),
    [
        ("aws", "eu-central-1", "eu-central-1.console.aws.amazon.com"),
        ("aws-cn", "cn-north-1", "cn-north-1.console.amazonaws.cn"),
        ("aws-us-gov", "us-gov-east-1", "us-gov-east-1.console.amazonaws-us-gov.com"),
    ],
)
def test_a_link_leads_into_the_console_of_the_partition(partition: str, region: str, host: str) -> None:
    """Each has its own domain, and none knows the others' accounts."""
    there = console(partition, region)
    for link in (there.run(), there.prefix("bucket", "results/a/run-1/")):
        assert link is not None
        assert urlsplit(link).hostname == host
        assert parse_qs(urlsplit(link).query)["region"] == [region]


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1))
def test_any_key_comes_through_a_link_unchanged(key: str) -> None:
    """Spaces, percent signs, ampersands and letters of all scripts; a link has no space where a mail would break it."""
    link = str(console().prefix("bucket", key))
    assert link.isascii()
    assert " " not in link
    assert parse_qs(urlsplit(link).query, keep_blank_values=True)["prefix"] == [key]
    assert urlsplit(link).path == "/s3/buckets/bucket"


@pytest.mark.parametrize(
    "there",
    [
        Console.of(""),
        Console.of("arn:aws-iso:states:us-iso-east-1:111122223333:execution:conveyor-run:run-1"),
        Console.of("arn:aws:states:eu-central-1:111122223333:execution:conveyor-run:run-1", "http://localhost:4566"),
    ],
)
def test_where_no_console_is_known_there_is_no_link(there: Console) -> None:
    """A link that leads nowhere is worse than none."""
    assert there.run() is None
    assert there.prefix("bucket", "a/") is None
