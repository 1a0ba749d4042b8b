"""Objects of many gigabytes are copied by S3, one range at a time."""

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from conveyor.s3.bucket import Bucket
from conveyor.s3.concatenate import concatenate

GIB = 1024**3
MIB = 1024**2


@pytest.mark.parametrize(
    ("size", "copied"),
    [
        pytest.param(GIB, [GIB], id="one"),
        pytest.param(2 * GIB + 5 * MIB, [GIB, GIB, 5 * MIB], id="three"),
    ],
)
def test_no_more_than_a_gibibyte_is_copied_by_one_call(size: int, copied: list[int]) -> None:
    """S3 responds once the whole range is copied, and accepts 5 GB at most; the remainder is one more part."""
    client: Any = boto3.client("s3", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")  # noqa: S106
    target = {"Bucket": "bucket", "Key": "results/a"}
    with Stubber(client) as s3:
        s3.add_response("create_multipart_upload", {"UploadId": "u"})
        start = 0
        for number, length in enumerate(copied, 1):
            source = {"Bucket": "bucket", "Key": "runs/r/1"}
            part = {"CopySource": source, "CopySourceRange": f"bytes={start}-{start + length - 1}"}
            answer = {"CopyPartResult": {"ETag": str(number), "ChecksumCRC32": f"c{number}"}}
            s3.add_response("upload_part_copy", answer, target | part | {"UploadId": "u", "PartNumber": number})
            start += length
        parts = [{"ETag": str(n), "PartNumber": n, "ChecksumCRC32": f"c{n}"} for n in range(1, len(copied) + 1)]
        named = target | {"UploadId": "u", "MultipartUpload": {"Parts": parts}}
        s3.add_response("complete_multipart_upload", {}, named)
        concatenate(Bucket(client, "bucket"), "results/a", {"runs/r/1": size}, {})
        s3.assert_no_pending_responses()
