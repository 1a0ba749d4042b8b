"""Reading the parts of many batches for a report."""

from datetime import timedelta
from threading import Barrier
from typing import Any

import httpx
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError

from conveyor.clients import Clients
from conveyor.domain import keys
from conveyor.domain.invocation import Invocation
from conveyor.report.report import report
from conveyor.s3.bucket import MOST_READS, Bucket
from tests.support.fake_aws import client, failure
from tests.support.sent_runs import SentRun, batch_id


def no_provider(_: httpx.Request) -> httpx.Response:
    """Fail: a report does not call the provider."""
    raise AssertionError


def test_a_report_reads_the_parts_of_many_batches_at_once_and_names_them_in_order() -> None:
    """The responses wait until every reader has made its request."""
    run = SentRun(no_provider, batches=MOST_READS * 3, split=range(1, MOST_READS * 3 + 1))
    together = Barrier(MOST_READS, timeout=10)

    def serve(request: Any) -> AWSResponse:
        if "/part.json" in request.url:
            together.wait()
        return run.bucket.serve(request)

    run.clients.bucket = Bucket(client("s3", serve), "bucket")
    assert report({"run": "run-1"}, run.clients, Invocation(timedelta(seconds=900)))["status"] == "unbalanced", (
        "the parts in this test name no files"
    )
    receipt = run.read(keys.receipt(run.run.name, "run-1"))
    assert [batch["id"] for batch in receipt["batches"]] == [batch_id(n) for n in range(1, MOST_READS * 3 + 1)]


def test_a_part_that_cannot_be_read_ends_the_report_with_what_s3_said() -> None:
    """The same happens when parts are read one by one."""
    run = SentRun(no_provider, batches=3, split=(1, 2, 3))

    def serve(request: Any) -> AWSResponse:
        return failure(403, "AccessDenied") if "/2/part.json" in request.url else run.bucket.serve(request)

    run.clients.bucket = Bucket(client("s3", serve), "bucket")
    with pytest.raises(ClientError, match="AccessDenied"):
        report({"run": "run-1"}, run.clients, Invocation(timedelta(seconds=900)))


def test_there_is_a_connection_for_each_object_that_is_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """With fewer, connections would be closed and reopened."""
    monkeypatch.setenv("CONVEYOR_BUCKET", "bucket")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    config: Any = Clients().bucket._client.meta.config  # noqa: SLF001
    assert config.max_pool_connections == MOST_READS
