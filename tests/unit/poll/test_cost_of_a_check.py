"""What one check of a run of many batches reads."""

from collections import Counter

import httpx
import pytest

from conveyor.domain import keys
from conveyor.ledger.batch_facts import Submitted
from conveyor.ledger.run_facts import Run
from tests.support.sent_runs import SentRun, shown

UNDER_WAY = (7, 300)
"""Batches that are not split."""


@pytest.mark.parametrize("split", [998, 498])
def test_a_check_reads_nothing_of_the_batches_that_are_split(split: int) -> None:
    """It lists the ledger and two prefixes under control/.

    It reads the run, the plan, and the facts of the batches that are not split.
    """

    def provider(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=shown("messages", int(request.url.path.rpartition("_")[2])))

    numbers = range(1, split + 3)
    run = SentRun(provider, batches=split + 2, split=set(numbers) - set(UNDER_WAY))
    run.poll()
    kinds = Counter(request.partition(" ")[0] for request in run.bucket.requests)
    pages = -(-(2 + 4 * split + 2 * 2) // 1000)
    assert kinds == {"LIST": pages + 2, "GET": 4, "PUT": 2}
    read = {Run.key("run-1"), keys.plan("run-1"), *(Submitted.key("run-1", number, 1) for number in UNDER_WAY)}
    assert {request[4:] for request in run.bucket.requests if request.startswith("GET")} == read
    assert len(run.asked) == len(UNDER_WAY)
