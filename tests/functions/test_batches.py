"""A drop of several batches is sent as the provider has room, and comes back as one ordered set of files."""

from collections import Counter
from typing import Any

import pytest

from tests.functions.belt import Belt, drop_of


@pytest.fixture
def stack_settings(stack_settings: dict[str, str]) -> dict[str, str]:
    """Let a batch take three requests."""
    return stack_settings | {"MAX_REQUESTS_PER_BATCH": "3"}


def check(belt: Belt, notice: dict[str, Any], count: int) -> None:
    """Hold outputs and receipt against the drop."""
    asked = [f"r-{number}" for number in range(1, count + 1)]
    results = [line["custom_id"] for line in belt.lines("results/", "results.jsonl")]
    failures = [line["custom_id"] for line in belt.lines("failures/", "failures.jsonl")]
    assert Counter(results + failures) == Counter(asked)
    assert results == [each for each in asked if each in set(results)]
    assert failures == [each for each in asked if each in set(failures)]
    receipt = belt.receipt()
    assert (receipt["requests"], receipt["results"], receipt["failures"]) == (count, len(results), len(failures))
    assert notice["status"] == receipt["status"] == "completed"


def test_a_drop_of_several_batches_comes_back_in_its_own_order(belt: Belt) -> None:
    """Whichever batch ends first."""
    belt.provider.configure(every={"2": "errored:api_error"})
    notice = belt.finish(belt.upload(drop_of(10)))
    check(belt, notice, 10)
    assert belt.creates() == (4, 4)
    assert belt.receipt()["outcomes"]["errored"] == 4
