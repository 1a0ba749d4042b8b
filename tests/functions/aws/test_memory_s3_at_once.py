"""The S3 in memory answers many who ask at the same time as S3 does: each request is one step."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.compat import HTTPHeaders

from tests.support.memory_aws.aws import URL
from tests.support.memory_aws.s3 import S3

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def hurry() -> Iterator[None]:
    """Threads take turns a thousand times as often."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(interval / 1000)
    yield
    sys.setswitchinterval(interval)


def asked(s3: S3, method: str, address: str, **headers: str) -> int:
    """Send a request with an empty body; return the status."""
    sent = HTTPHeaders.from_dict(headers)
    return s3.serve(AWSPreparedRequest(method, f"{URL}/bucket{address}", sent, b"", stream_output=False)).status_code


@pytest.mark.usefixtures("hurry")
def test_of_many_that_write_the_same_object_at_once_one_succeeds() -> None:
    """As in S3: else two would hold the same number of a log."""
    s3 = S3()
    asked(s3, "PUT", "")
    with ThreadPoolExecutor(8) as writers:
        for number in range(300):
            calls = [writers.submit(asked, s3, "PUT", f"/claims/{number}", **{"If-None-Match": "*"}) for _ in range(8)]
            assert sorted(call.result() for call in calls) == [200, *[412] * 7]


@pytest.mark.usefixtures("hurry")
def test_a_bucket_is_listed_while_objects_are_written_and_deleted() -> None:
    """As in S3: a list is never refused because others write."""
    s3 = S3()
    asked(s3, "PUT", "")
    with ThreadPoolExecutor(8) as many:
        for number in range(300):
            many.submit(asked, s3, "PUT", f"/old/{number}")
        calls = [
            call
            for number in range(300)
            for call in (
                many.submit(asked, s3, "PUT", f"/new/{number}"),
                many.submit(asked, s3, "GET", "?list-type=2&encoding-type=url&max-keys=5"),
                many.submit(asked, s3, "GET", "?versions="),
                many.submit(asked, s3, "DELETE", f"/old/{number}"),
            )
        ]
        assert {call.result() for call in calls} == {200, 204}
