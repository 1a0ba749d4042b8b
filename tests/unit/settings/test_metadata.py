"""Metadata of an object: our names, misspelled names, and names of other tools."""

import pytest

from conveyor.settings.metadata import corrected_metadata, describe_misspelled
from conveyor.settings.settings import PER_DROP
from tests.support.examples import SETTINGS


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("max-tokens", "default-max-tokens"),
        ("max_tokens", "default-max-tokens"),
        ("MaxTokens", "default-max-tokens"),
        ("default_max_tokens", "default-max-tokens"),
        ("default-max-token", "default-max-tokens"),
        ("defaultmaxtokens", "default-max-tokens"),
        ("max-output-tokens", "default-max-tokens"),
        ("agian", "again"),
        ("Again", "again"),
        ("run-again", "again"),
        ("skip-invalid", "on-invalid"),
        ("on_invalid", "on-invalid"),
        ("oninvalid", "on-invalid"),
        ("onInvalid", "on-invalid"),
        ("on-invald", "on-invalid"),
        ("invalid", "on-invalid"),
        ("x-amz-meta-on-invalid", "on-invalid"),
        ("beta", "betas"),
        ("betas-", "betas"),
        ("anthropic-beta", "betas"),
        ("anthropic_betas", "betas"),
        ("Project", "project"),
        ("x-amz-meta-project", "project"),
        ("projekt", "project"),
        ("Probe", "probe"),
        ("prob", "probe"),
        ("max_usd", "max-usd"),
        ("maxusd", "max-usd"),
        ("Max-USD", "max-usd"),
        ("usd-max", "max-usd"),
        ("max-cost", "max-usd"),
        ("max-budget-usd", "max-usd"),
        ("usd_per_drop", "max-usd"),
    ],
)
def test_a_misspelled_setting_is_reported_with_the_right_name(name: str, right: str) -> None:
    """The user probably meant the similar name."""
    assert describe_misspelled([name]) == f'unknown metadata "{name}"; did you mean "{right}"?'


@pytest.mark.parametrize(
    "name",
    [
        "mtime",
        "s3cmd-attrs",
        "author",
        "against",
        "default",
        "valid",
        "project-id",
        "projector",
        "gain",
        "meta",
        "metas",
        "data",
        "tags",
        "bytes",
        "agent",
        "beta-tester",
        "tokens",
        "origin",
        "name",
        "content-type",
        "sha256",
        "x-amz-meta-owner",
        "invalidated-by",
        "region",
        "beats",
        "bests",
        "bets",
        "auth",
        "rerun",
        "probes",
        "problem",
        "max",
        "max-age",
        "usd",
        "cost-center",
        "budget",
    ],
)
def test_a_foreign_name_is_left_alone(name: str) -> None:
    """Many tools write their own metadata."""
    assert describe_misspelled([name]) is None


def test_the_right_names_are_no_fault() -> None:
    """Each alone, and all together."""
    assert describe_misspelled([*PER_DROP, "again", "project", "probe", "max-usd"]) is None


def test_all_misspelled_names_are_reported_at_once() -> None:
    """All can be corrected before the next drop."""
    message = describe_misspelled(["agian", "mtime", "max-queued-requests", "beta"])
    assert message is not None
    assert all(name in message for name in ('"again"?', "max-queued-requests", '"betas"?'))
    assert "is a parameter of the stack" in message


@pytest.mark.parametrize("name", ["probe", "Probe", "prob"])
@pytest.mark.parametrize(
    ("value", "meant"),
    [("yes", "yes"), ("True", "yes"), ("always", "yes"), ("no", "no"), ("false", "no"), ("never", "no"), ("0", "no")],
)
def test_a_drop_that_is_repeated_keeps_its_word_on_the_probe(name: str, value: str, meant: str) -> None:
    """Both values are accepted, so a wrong one is corrected and not left out."""
    assert corrected_metadata({name: value}, SETTINGS) == {"probe": meant}


@pytest.mark.parametrize("name", ["max-usd", "max_usd", "max-cost"])
@pytest.mark.parametrize(
    ("value", "carried"),
    [("20", "20"), ("$20", "20"), ("61,40", "61.40"), ("1,000", "<US dollars>"), ("", "<US dollars>")],
)
def test_a_drop_that_is_repeated_keeps_its_limit_or_asks_for_one(name: str, value: str, carried: str) -> None:
    """Without the limit, the command in the message would send what its owner wanted to be asked about."""
    assert corrected_metadata({name: value}, SETTINGS) == {"max-usd": carried}
