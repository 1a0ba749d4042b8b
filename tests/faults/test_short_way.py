"""The short way to the AWS in memory tries nothing again that the client would not."""

from __future__ import annotations

import time
from io import BytesIO
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from tests.support.memory_aws.aws import MemoryAws

if TYPE_CHECKING:
    from collections.abc import Iterator

SLOW_DOWN = b"<Error><Code>SlowDown</Code></Error>"


class Body(BytesIO):
    """A response body that does not come from a socket."""

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        """Return all of it."""
        yield self.read()


@pytest.mark.parametrize("is_lost", [False, True], ids=["503", "lost"])
@pytest.mark.parametrize("attempts", [1, 3])
@pytest.mark.parametrize("failures", [0, 1, 2, 3, 9])
def test_a_request_is_sent_as_often_as_the_client_may(
    monkeypatch: pytest.MonkeyPatch, failures: int, attempts: int, *, is_lost: bool
) -> None:
    """Else tests of retries would pass with a client that has none."""
    aws, sent = MemoryAws(), list[str]()
    aws.use(monkeypatch)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    retries: Any = {"mode": "standard", "total_max_attempts": attempts}
    client = boto3.client("s3", config=Config(retries=retries))
    client.create_bucket(Bucket="bucket")

    def fail(request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
        sent.append(str(request.url))
        if len(sent) > failures:
            return None
        if is_lost:
            raise ConnectionClosedError(endpoint_url=request.url)
        return AWSResponse(str(request.url), 503, HTTPHeaders(), Body(SLOW_DOWN))

    client.meta.events.register("before-send.s3.PutObject", fail)
    try:
        if failures < attempts:
            client.put_object(Bucket="bucket", Key="key", Body=b"content")
            assert client.get_object(Bucket="bucket", Key="key")["Body"].read() == b"content"
        else:
            with pytest.raises((ClientError, ConnectionClosedError)):
                client.put_object(Bucket="bucket", Key="key", Body=b"content")
    finally:
        client.meta.events.unregister("before-send.s3.PutObject", fail)
    assert len(sent) == min(failures + 1, attempts)
