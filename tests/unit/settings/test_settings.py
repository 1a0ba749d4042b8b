"""Settings come from the template; the metadata of a drop may override them."""

import msgspec
import pytest

from conveyor.provider.protocol import dialect_of
from conveyor.settings.settings import BadMetadata, Settings
from conveyor.settings.tuning import TUNING, BadTuning, defaults
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
    with pytest.raises(msgspec.ValidationError, match="delete_files"):
        Settings.from_env({name: value for name, value in ENV.items() if "DELETE" not in name})
    with pytest.raises(msgspec.ValidationError, match="hold_hours"):
        Settings.from_env(ENV | {"CONVEYOR_HOLD_HOURS": "0"})
    with pytest.raises(BadTuning, match="poll-min-seconds in Tuning is"):
        Settings.from_env(ENV | {"CONVEYOR_TUNING": "poll-min-seconds=0"})


def test_without_tuning_its_defaults_are_in_force() -> None:
    """A function without the variable has them, too."""
    assert "CONVEYOR_TUNING" in ENV
    without = {name: value for name, value in ENV.items() if name != "CONVEYOR_TUNING"}
    assert Settings.from_env(without) == Settings.from_env(ENV | {"CONVEYOR_TUNING": ""})
    assert {field: getattr(Settings.from_env(without), field) for field in TUNING} == defaults()


@pytest.mark.parametrize(
    ("kept", "now"),
    [
        ({"batch_api": "files", "line_form": "body"}, "files-openai"),
        ({"batch_api": "files", "line_form": "params"}, "files"),
        ({"batch_api": "messages", "line_form": "body"}, "messages"),
    ],
)
def test_the_form_of_lines_that_an_earlier_release_kept_is_part_of_the_dialect(kept: dict[str, str], now: str) -> None:
    """Release 0.1.0 had a parameter of its own for it."""
    old = msgspec.to_builtins(Settings.from_env(ENV)) | kept
    settings = msgspec.json.decode(msgspec.json.encode(old), type=Settings)
    assert settings.batch_api == now
    assert msgspec.json.decode(msgspec.json.encode(settings), type=Settings) == settings
    assert dialect_of(settings).one_model is (now == "files-openai")


@pytest.mark.parametrize(("allowed", "refused"), [("yes", set()), ("no", {"tools"})])
def test_an_earlier_run_that_allowed_tools_takes_them(allowed: str, refused: set[str]) -> None:
    """It was checked, or will be, by the rules with which it began. A later one cannot allow them."""
    old = msgspec.to_builtins(Settings.from_env(ENV)) | {"batch_api": "files", "line_form": "params"}
    settings = msgspec.convert(old | {"allow_tools": allowed}, Settings)
    assert set(dialect_of(settings).refused_fields) == refused
    later = Settings.from_env(ENV | {"CONVEYOR_BATCH_API": "files", "CONVEYOR_ALLOW_TOOLS": "yes"})
    assert set(dialect_of(later).refused_fields) == {"tools"}
