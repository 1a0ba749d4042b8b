"""MiniStack, mended in three places. Run by the `aws` environment's Python, which has none of our other packages.

- Its `sns:publish` of a state machine loses the message attributes: it expects them as a Query API client writes them.
- Its S3 ignores `Range` where a version is named, and answers with the whole object.
- It also binds port 443 where it may, which is not ours to take.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from ministack import app
from ministack.services import s3, sns

whole_object = s3._get_object  # noqa: SLF001
attributes_of_query = sns._parse_message_attributes  # noqa: SLF001 - a mend reaches inside


def attributes(parameters: dict[str, Any]) -> Any:  # noqa: ANN401 - MiniStack has no types
    """Take the attributes of a state machine as they are, the others as before."""
    given = parameters.get("MessageAttributes")
    return given if isinstance(given, dict) else attributes_of_query(parameters)


def ranged(bucket: str, key: str, headers: dict[str, str], query: Any = None) -> Any:  # noqa: ANN401
    """Answer a range of a version as it answers a range of the current one: 206, cut, without whole-object checksums."""
    status, about, body = whole_object(bucket, key, headers, query)
    asked = headers.get("range", "")
    cut = s3._parse_range(asked, len(body)) if asked and status == HTTPStatus.OK else None  # noqa: SLF001
    if cut is None:
        return status, about, body
    start, end = cut
    about = {name: value for name, value in about.items() if not name.lower().startswith("x-amz-checksum")}
    about |= {"Content-Range": f"bytes {start}-{end}/{len(body)}", "Content-Length": str(end - start + 1)}
    return HTTPStatus.PARTIAL_CONTENT.value, about, body[start : end + 1]


if __name__ == "__main__":
    s3._get_object = ranged  # noqa: SLF001
    sns._parse_message_attributes = attributes  # noqa: SLF001
    app._port_is_bindable = lambda _host, _port: False  # noqa: SLF001
    app.main()
