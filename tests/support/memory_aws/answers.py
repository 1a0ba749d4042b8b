"""HTTP responses as botocore gets them from the network."""

from __future__ import annotations

import json
from io import BytesIO
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from botocore.awsrequest import AWSResponse, HeadersDict
from botocore.compat import HTTPHeaders

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Body(BytesIO):
    """The body of a response."""

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        """Yield the rest of the body, as urllib3 does."""
        yield self.read()


class _Headers(HeadersDict):
    """Headers of a response, which are looked up much faster than botocore's: their names are in lower case."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._by_name = headers

    def __getitem__(self, name: str) -> str:
        return self._by_name[name.lower()]

    def __contains__(self, name: object) -> bool:
        return str(name).lower() in self._by_name

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)


class Refused(Exception):  # an S3 error response, not a defect
    """An error response of S3."""

    def __init__(self, status: int, code: str, **about: str) -> None:
        """Set the HTTP status, S3's error code, and the other XML elements."""
        super().__init__(code)
        self.status = status
        self.code = code
        self.about = about

    @property
    def details(self) -> dict[str, str]:
        """What the response says."""
        return {"Code": self.code, "Message": "As S3 words it.", **self.about}

    def body(self) -> str:
        """Return the error as XML."""
        return element("Error", self.details)


def answer(status: int = 200, body: str | bytes = b"", headers: Mapping[str, str] | None = None) -> AWSResponse:
    """Return an HTTP response."""
    data = body.encode() if isinstance(body, str) else body
    response = AWSResponse("https://memory.test", status, HTTPHeaders(), Body(data))
    response.headers = _Headers({"content-length": str(len(data)), **(headers or {})})
    return response


def json_answer(content: Mapping[str, Any], status: int = 200) -> AWSResponse:
    """Return a JSON response."""
    return answer(status, json.dumps(content), {"content-type": "application/x-amz-json-1.0"})


def element(name: str, content: Mapping[str, str] | str) -> str:
    """Return an XML element with text, or with one child element for each name, whose text is escaped."""
    if isinstance(content, str):
        return f"<{name}>{content}</{name}>"
    return element(name, "".join(element(key, escape(value)) for key, value in content.items()))
