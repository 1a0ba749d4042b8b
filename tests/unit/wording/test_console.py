"""Links to the console in the partition and Region of the run."""

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conveyor.wording.console import Console


def console(partition: str = "aws", region: str = "eu-central-1") -> Console:
    """Return the console of an execution."""
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
    """Each partition has its own domain and accounts."""
    there = console(partition, region)
    folder = "results/a/run-1/"
    for link in (there.run(), there.prefix("bucket", folder), there.object("bucket", f"{folder}report.html")):
        assert link is not None
        assert urlsplit(link).hostname == host
        assert parse_qs(urlsplit(link).query)["region"] == [region]


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1))
def test_any_key_is_unchanged_in_a_link(key: str) -> None:
    """It may have spaces, percent signs, ampersands and any letters; a link has no space, where mail breaks."""
    link = str(console().object("bucket", key))
    assert link.isascii()
    assert " " not in link
    assert parse_qs(urlsplit(link).query, keep_blank_values=True)["prefix"] == [key]
    assert urlsplit(link).path == "/s3/object/bucket"


@pytest.mark.parametrize(
    "there",
    [
        Console.of(""),
        Console.of("arn:aws-iso:states:us-iso-east-1:111122223333:execution:conveyor-run:run-1"),
        Console.of("arn:aws:states:eu-central-1:111122223333:execution:conveyor-run:run-1", "https://localhost"),
    ],
)
def test_where_no_console_is_known_there_is_no_link(there: Console) -> None:
    """A broken link is worse than none."""
    assert there.run() is None
    assert (there.object("bucket", "a"), there.prefix("bucket", "a/")) == (None, None)


def test_the_stack_is_known_where_there_is_no_console_too() -> None:
    """Its state machine is named after it."""
    arn = "arn:aws:states:eu-central-1:111122223333:execution:my-stack-run:run-1"
    assert [Console.of(arn, endpoint).stack for endpoint in ("", "https://localhost")] == ["my-stack"] * 2
    assert not Console.of("").stack
