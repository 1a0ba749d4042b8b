"""What a look at a run of many batches costs, and its report."""

from collections import Counter
from threading import Barrier
from typing import Any

import httpx
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError

from conveyor import keys
from conveyor.clients import Clients
from conveyor.reporting import report
from conveyor.storage import MOST_READS, Storage
from tests.unit.looks import Looks, batch_id, shown
from tests.unit.wire import client, failure

UNDER_WAY = (7, 300)


@pytest.mark.parametrize("split", [998, 498])
def test_a_look_reads_nothing_of_the_batches_that_are_split(split: int) -> None:
    """It lists the ledger, and reads the run, the plan, and what is written of the batches under way."""

    def provider(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=shown("messages", int(request.url.path.rpartition("_")[2])))

    numbers = range(1, split + 3)
    looks = Looks(provider, batches=split + 2, split=set(numbers) - set(UNDER_WAY))
    looks.poll()
    kinds = Counter(request.partition(" ")[0] for request in looks.bucket.requests)
    pages = -(-(2 + 4 * split + 2 * 2) // 1000)
    assert kinds == {"LIST": pages + 1, "GET": 4, "PUT": 2}
    read = {keys.run("run-1"), keys.plan("run-1"), *(keys.batch("run-1", number, 1) for number in UNDER_WAY)}
    assert {request[4:] for request in looks.bucket.requests if request.startswith("GET")} == read
    assert len(looks.asked) == len(UNDER_WAY)


def nobody(_: httpx.Request) -> httpx.Response:
    """Answer nothing: a report does not ask the provider."""
    raise AssertionError


def test_a_report_reads_the_accounts_of_many_batches_at_once_and_names_them_in_order() -> None:
    """No answer comes before all readers have asked."""
    looks = Looks(nobody, batches=MOST_READS * 3, split=range(1, MOST_READS * 3 + 1))
    together = Barrier(MOST_READS, timeout=10)

    def serve(request: Any) -> AWSResponse:
        if "/part.json" in request.url:
            together.wait()
        return looks.bucket.serve(request)

    looks.clients.storage = Storage(client("s3", serve), "bucket")
    assert report({"run": "run-1"}, looks.clients)["status"] == "unbalanced", "the parts here name no files"
    receipt = looks.read(keys.receipt(looks.run.name, "run-1"))
    assert [batch["id"] for batch in receipt["batches"]] == [batch_id(n) for n in range(1, MOST_READS * 3 + 1)]


def test_an_account_that_cannot_be_read_ends_the_report_with_what_s3_said() -> None:
    """As it does where one is read after the other."""
    looks = Looks(nobody, batches=3, split=(1, 2, 3))

    def serve(request: Any) -> AWSResponse:
        return failure(403, "AccessDenied") if "/2/part.json" in request.url else looks.bucket.serve(request)

    looks.clients.storage = Storage(client("s3", serve), "bucket")
    with pytest.raises(ClientError, match="AccessDenied"):
        report({"run": "run-1"}, looks.clients)


def test_there_is_a_connection_for_each_object_that_is_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """With fewer, connections would be thrown away and made again."""
    monkeypatch.setenv("CONVEYOR_BUCKET", "bucket")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    config: Any = Clients().storage._client.meta.config  # noqa: SLF001
    assert config.max_pool_connections == MOST_READS
