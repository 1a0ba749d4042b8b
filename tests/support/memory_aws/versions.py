"""Pages of the versions of objects, as ListObjectVersions returns them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from tests.support.memory_aws.answers import element

if TYPE_CHECKING:
    from tests.support.memory_aws.bucket import BucketInMemory, Version


def versions_page(bucket: BucketInMemory, question: dict[str, str], most: int) -> str:
    """Return a page of the versions of objects under a prefix, the newest of each first."""
    prefix = question.get("prefix", "")
    found = [(key, version) for key in bucket.all_keys(prefix) for version in reversed(bucket.versions[key])]
    marker = (question.get("key-marker"), question.get("version-id-marker"))
    names = [(key, version.id) for key, version in found]
    left = found[names.index(marker) + 1 :] if marker in names else found
    page = left[:most]
    about = {"EncodingType": "url", "IsTruncated": "true" if left[most:] else "false", "Prefix": quote(prefix)}
    if left[most:]:
        key, version = page[-1]
        about |= {"NextKeyMarker": quote(key), "NextVersionIdMarker": version.id}
    return elements(about) + "".join(_version(bucket, key, version) for key, version in page)


def _version(bucket: BucketInMemory, key: str, version: Version) -> str:
    about = {"Key": quote(key), "VersionId": version.id, "LastModified": version.modified.isoformat()}
    about |= {"IsLatest": "true" if version is bucket.versions[key][-1] else "false"}
    size = {} if version.is_marker else {"ETag": version.etag, "Size": str(len(version.data))}
    return element("DeleteMarker" if version.is_marker else "Version", about | size)


def elements(content: dict[str, str]) -> str:
    """Return an XML element for each text."""
    return "".join(element(name, text) for name, text in content.items())
