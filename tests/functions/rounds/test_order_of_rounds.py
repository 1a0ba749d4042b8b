"""A round may have lines out of the order of the drop: each answer still belongs to its own line."""

import orjson
import pytest

from tests.support.belt import Belt, drop_of
from tests.support.faults.scenes import UNSENT
from tests.support.faults.taps import meanwhile
from tests.support.promises import check
from tests.support.rounds import mended
from tests.support.settings import STACK_SETTINGS

DATA = drop_of(6)


@pytest.fixture
def stack_settings() -> dict[str, str]:
    """Return settings with batches of four requests, and a call that is undecided for longer than a round waits."""
    polls = {"POLL_MIN_SECONDS": "600", "POLL_MAX_SECONDS": "600"}
    undecided = {"TROUBLE_SECONDS": "3600", "SETTLE_SECONDS": "8000"}
    return STACK_SETTINGS | polls | undecided | {"RETRY_ROUNDS": "4", "MAX_REQUESTS_PER_BATCH": "4"}


def test_lines_of_a_straggler_keep_their_numbers_in_every_round(belt: Belt) -> None:
    """The second batch is sent after the second round was decided on; its lines come first in the third round."""
    belt.provider.configure(every={"1": "errored:overloaded_error"}, faults=[UNSENT | {"after": 1}])
    with meanwhile(belt.clients, mended(belt, "round-3/batches/2/part.json")):
        run = belt.upload(DATA)
        end = belt.finish(run)
    rounds = [belt.fact(run, f"round-{number}.json")["sources"] for number in (1, 2, 3, 4)]
    assert rounds == [[1], ["round-1/1"], [2, "round-2/1"], ["round-3/1", "round-3/2"]]
    check(belt, run, end, DATA)
    ids = [result["custom_id"] for result in belt.lines("results/", "results.jsonl")]
    assert ids == [orjson.loads(line)["custom_id"] for line in DATA.splitlines()]
