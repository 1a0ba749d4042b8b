"""Drops of which some requests fail at first, and are answered in a round."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from conveyor.domain.drop import nonce
from conveyor.domain.keys import leg_id, round_leg
from tests.support.belt import Belt, drop_of
from tests.support.faults.taps import At, meanwhile

DATA = drop_of(6)
FAILS = {"2": "errored:overloaded_error", "4": "expired", "5": "errored:api_error"}
"""Outcomes by place in the batch. Each of them is sent again in a round."""
ROUNDS = {"RETRY_ROUNDS": "2"}


def mended(belt: Belt, at: str = "/part.json", nth: int = 1, **settings: Any) -> At:
    """Let the provider answer everything from a call on, by default from the first split."""
    return At("after", at, lambda: belt.provider.configure(outcomes={}, every={}, **settings), nth)


@contextmanager
def failing_at_first(belt: Belt, outcomes: dict[str, str] | None = None, **settings: Any) -> Iterator[None]:
    """Let requests fail until they are split for the first time."""
    belt.provider.configure(outcomes=FAILS if outcomes is None else outcomes, **settings)
    with meanwhile(belt.clients, mended(belt)):
        yield


def prefixes(belt: Belt) -> list[tuple[str, int]]:
    """Return the prefix of the wire ids, and the number of requests, of each batch at the provider, oldest first."""
    return [(batch["first_custom_id"].split("-")[0], batch["requests"]) for batch in belt.provider.stats()["batches"]]


def of_round(run: str, number: int) -> str:
    """Return the prefix of the wire ids of a round."""
    return nonce(leg_id(run, round_leg(number)))
