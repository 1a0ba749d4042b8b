"""Parameters of a local stack."""

import pytest

from conveyor.settings.tuning import TUNING
from local.stack.start import ROUND_SECONDS, with_short_rounds


@pytest.mark.parametrize(
    ("given", "tuning"),
    [
        ({}, "round-seconds=12"),
        ({"Tuning": "poll-min-seconds=1"}, "poll-min-seconds=1,round-seconds=12"),
        ({"Tuning": "round-seconds=1 poll-min-seconds=1"}, "round-seconds=1 poll-min-seconds=1"),
    ],
)
def test_the_pause_before_a_round_is_as_short_as_other_waits_unless_it_is_given(
    given: dict[str, str], tuning: str
) -> None:
    """The functions measure it by the real clock. Other numbers stay."""
    assert with_short_rounds(given | {"Auth": "bearer"}, 0.02) == {"Auth": "bearer", "Tuning": tuning}


def test_the_pause_is_scaled_from_the_default_of_the_stack() -> None:
    """What runs here knows no module of what is deployed."""
    assert TUNING["round_seconds"].default == ROUND_SECONDS
