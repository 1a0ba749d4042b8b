"""Settings come from the template; the metadata of a drop may override them."""

import msgspec
import pytest

from conveyor.settings.settings import BadMetadata, Settings
from tests.support.settings import environment

ENV = environment("Submit")


def test_a_drop_overrides_what_it_may_and_leaves_the_rest() -> None:
    """Metadata of other tools is ignored."""
    stack = Settings.from_env(ENV)
    overridden = stack.for_drop(
        {"on-invalid": "skip", "max-invalid-percent": "9", "default-max-tokens": "7", "mtime": "1"}
    )
    assert (overridden.on_invalid, overridden.max_invalid_percent, overridden.default_max_tokens) == ("skip", 9, 7)
    assert (
        msgspec.structs.replace(overridden, on_invalid="refuse", max_invalid_percent=50, default_max_tokens=15_000)
        == stack
    )


def test_settings_kept_before_there_was_a_limit_for_invalid_lines_are_read() -> None:
    """A ledger outlives the version that wrote it."""
    kept = msgspec.to_builtins(Settings.from_env(ENV))
    del kept["max_invalid_percent"]
    assert msgspec.convert(kept, Settings).max_invalid_percent == 50


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"on-invalid": "ignore"}, '"on-invalid" is "ignore"; expected "refuse" or "skip"$'),
        ({"on-invalid": "Skip "}, 'did you mean "skip"[?]$'),
        ({"default-max-tokens": "many"}, '"many"; expected a whole number from 0 to 1000000$'),
        ({"default-max-tokens": "15,000"}, 'did you mean "15000"[?]$'),
        ({"default-max-tokens": "1000001"}, "from 0 to 1000000$"),
        ({"max-invalid-percent": "101"}, "whole number from 0 to 100$"),
        ({"max-invalid-percent": "5%"}, 'from 0 to 100; did you mean "5"[?]$'),
        ({"betas": "one two;three"}, 'did you mean "one,two,three"[?]$'),
        ({"betas": '["Output_300k-2026-03-24"]'}, 'did you mean "output-300k-2026-03-24"[?]$'),
        ({"betas": "anthropic-beta: a-1, b-2"}, 'did you mean "a-1,b-2"[?]$'),
        ({"betas": "a,,b,"}, 'did you mean "a,b"[?]$'),
        ({"betas": "é"}, 'at most 20 names and 500 characters, or "none"$'),
        ({"betas": ",".join(f"a{number}" for number in range(21))}, "at most 20 names"),
        ({"betas": "a" * 501}, "at most 20 names and 500 characters"),
    ],
)
def test_invalid_metadata_is_an_error_that_says_what_is_accepted(metadata: dict[str, str], expected: str) -> None:
    """Silently ignoring a misspelled setting could cost money."""
    with pytest.raises(BadMetadata, match=expected):
        Settings.from_env(ENV).for_drop(metadata)


@pytest.mark.parametrize(
    ("stack", "metadata", "betas"),
    [
        ("", {}, ""),
        ("a-1", {}, "a-1"),
        (" a-1 , b-2,a-1 ", {}, "a-1,b-2"),
        ("a-1", {"betas": "c-3 ,d-4"}, "c-3,d-4"),
        ("a-1", {"betas": "none"}, ""),
        ("a-1", {"betas": " "}, ""),
        ("none", {}, ""),
    ],
)
def test_betas_come_from_the_stack_or_from_the_drop(stack: str, metadata: dict[str, str], betas: str) -> None:
    """Spaces and repetitions are dropped. A drop can also use no betas."""
    overridden = Settings.from_env(ENV | {"CONVEYOR_BETAS": stack}).for_drop(metadata)
    assert overridden.betas == betas
    assert Settings.from_env(ENV | {"CONVEYOR_BETAS": "z-9"}).for_drop(overridden.per_drop()) == overridden


def test_settings_that_an_earlier_version_kept_are_read() -> None:
    """A run may last for months; settings of that version have no betas."""
    kept = msgspec.to_builtins(Settings.from_env(ENV))
    del kept["betas"]
    assert msgspec.convert(kept, Settings).betas == ""


def test_a_missing_or_wrong_variable_is_named() -> None:
    """It fails before any work is done."""
    with pytest.raises(msgspec.ValidationError, match="settle_seconds"):
        Settings.from_env({name: value for name, value in ENV.items() if "SETTLE" not in name})
    with pytest.raises(msgspec.ValidationError, match="poll_min_seconds"):
        Settings.from_env(ENV | {"CONVEYOR_POLL_MIN_SECONDS": "0"})
