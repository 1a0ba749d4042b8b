"""The text of `Tuning`: what is read, and what is said of what is not."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conveyor.settings.settings import parameter_of
from conveyor.settings.tuning import TUNING, BadTuning, name_of, read_tuning, write_tuning


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("", {}),
        ("  ", {}),
        ("settle-seconds=3", {"settle_seconds": 3}),
        ("settle-seconds=3,post-seconds=5", {"settle_seconds": 3, "post_seconds": 5}),
        (
            " settle-seconds=3 , post-seconds=5  max-events=200 ",
            {"settle_seconds": 3, "post_seconds": 5, "max_events": 200},
        ),
        ("max-requests-per-batch=0", {"max_requests_per_batch": 0}),
    ],
)
def test_numbers_have_commas_or_blanks_between(text: str, numbers: dict[str, int]) -> None:
    """What is left out is not among them."""
    assert read_tuning(text) == numbers


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("setle-seconds=3", 'unknown name "setle-seconds" in Tuning; did you mean settle-seconds?'),
        ("SettleSeconds=3", 'unknown name "SettleSeconds" in Tuning; did you mean settle-seconds?'),
        ("poll_min_seconds=3", "did you mean poll-min-seconds?"),
        ("a=3", 'unknown name "a" in Tuning; expected one of: poll-min-seconds, poll-max-seconds, '),
        ("=3", 'unknown name "" in Tuning; expected one of: '),
        ("x" * 99 + "=3", 'unknown name "' + "x" * 40 + '…" in Tuning'),
        (
            "post-seconds=900",
            'post-seconds in Tuning is "900"; expected a whole number from 5 to 800, without separators',
        ),
        ("post-seconds=801", "write post-seconds=800, for example"),
        ("post-seconds=1", "write post-seconds=5, for example"),
        ("post-seconds=soon", "write post-seconds=600, for example"),
        ("post-seconds=", 'post-seconds in Tuning is ""; expected a whole number'),
        ("post-seconds=007", 'post-seconds in Tuning is "007"'),
        ("post-seconds=٦٠", "expected a whole number"),
        ("post-seconds=6\n", "expected a whole number"),
        ("max-bytes-per-drop=30.000.000.000", "expected a whole number from 1,000 to 50,000,000,000"),
        ("max-bytes-per-drop=30000,000,000", 'a number without a name, "000"; write numbers without commas in them'),
        ("settle-seconds", "settle-seconds in Tuning has no number; write settle-seconds=900, for example"),
        ("settle-seconds=3,,post-seconds=5", "a comma too many"),
        (",settle-seconds=3", "a comma too many"),
        ("settle-seconds=3,", "a comma too many"),
        ("settle-seconds=3,settle-seconds=5", "Tuning names settle-seconds twice, as 3 and as 5; remove one of them"),
        ("poll-min-seconds=600", "poll-min-seconds=600, longer than the longest, poll-max-seconds=300"),
        ("poll-min-seconds=600", "write both: poll-min-seconds=600,poll-max-seconds=600"),
        ("poll-max-seconds=20", "write both: poll-min-seconds=30,poll-max-seconds=30"),
    ],
)
def test_a_wrong_text_is_described_with_what_to_type(text: str, said: str) -> None:
    """Silently ignoring a name could pay twice: too short a settle-seconds does."""
    with pytest.raises(BadTuning, match=re.escape(said)):
        read_tuning(text)


@pytest.mark.parametrize("said", ["post-seconds=900", "post-seconds=x", "settle-seconds", "poll-min-seconds=600"])
def test_what_is_proposed_is_accepted(said: str) -> None:
    """A person pastes it."""
    with pytest.raises(BadTuning) as caught:
        read_tuning(said)
    (proposed,) = re.findall(r"write (?:both: )?([a-z-]+=\S+?)(?:, for example)?$", str(caught.value))
    assert read_tuning(proposed)


@given(
    st.dictionaries(st.sampled_from(sorted(TUNING)), st.integers(0, 10**11)).map(
        lambda chosen: {
            field: min(max(number, TUNING[field].least), TUNING[field].most)
            for field, number in chosen.items()
            if field not in {"poll_min_seconds", "poll_max_seconds"}
        }
    )
)
def test_what_is_written_is_read(numbers: dict[str, int]) -> None:
    """For any numbers within their bounds."""
    assert read_tuning(write_tuning(numbers)) == numbers


@pytest.mark.parametrize("field", TUNING)
def test_a_message_names_a_number_as_it_is_typed(field: str) -> None:
    """With its value behind, it is a parameter of a deployment."""
    typed = f"{parameter_of(field)}={TUNING[field].default}"
    assert typed == f"Tuning={name_of(field)}={TUNING[field].default}"
    assert TUNING[field].meaning.endswith(".")
