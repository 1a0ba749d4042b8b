"""Every command that a message gives a person to type, in one place: for AWS CLI v2, quoted for a shell."""

from collections.abc import Mapping
from shlex import quote
from typing import NamedTuple, Self
from urllib.parse import quote as url_quote

from conveyor import keys
from conveyor.drop import SUFFIX, is_taken, key_of_lines

_LARGEST_COPY = 5 * 1024**3
"""Bytes that S3 copies at once."""

ALLOW_OUTBOUND_IDENTITY = "aws iam enable-outbound-web-identity-federation"


class Version(NamedTuple):
    """The version of an object that a drop is."""

    bucket: str
    key: str
    version: str
    bytes: int

    @classmethod
    def of(cls, drop: Mapping[str, str | int]) -> Self:
        """Read it from a receipt."""
        return cls(str(drop["bucket"]), str(drop["key"]), str(drop["version"]), int(drop["bytes"]))

    @property
    def file(self) -> str:
        """The name that the file probably has where it came from."""
        return self.key.rsplit("/", 1)[-1]

    @property
    def is_copyable(self) -> bool:
        """False for what is larger than S3 copies at once."""
        return self.bytes <= _LARGEST_COPY


def drop_file(drop: Version, name: str, metadata: Mapping[str, str]) -> str:
    """Return the command that uploads a file again, under a key that starts a run. `name`: the run's name."""
    key = drop.key if is_taken(drop.key) else f"{keys.INBOX}{name}{SUFFIX}"
    return f"aws s3 cp {quote(drop.file)} {_address(drop.bucket, key)}{_metadata(metadata)}"


def drop_mended(drop: Version, file: str, metadata: Mapping[str, str]) -> str:
    """Return the command that uploads the file that was made of a drop which was none."""
    return f"aws s3 cp {quote(file)} {_address(drop.bucket, key_of_lines(drop.key))}{_metadata(metadata)}"


def drop_version(drop: Version, metadata: Mapping[str, str]) -> str:
    """Return the command that drops the very version again, whatever lies under its key by now.

    What is larger than S3 copies at once is dropped from where it came.
    """
    if not drop.is_copyable:
        return f"aws s3 cp {quote(drop.file)} {_address(drop.bucket, drop.key)}{_metadata(metadata)}"
    return f"{_copy(drop)} --metadata-directive REPLACE{_metadata(metadata)}"


def restore(drop: Version) -> str:
    """Return the command that restores an archived version for a week."""
    return (
        f"aws s3api restore-object --bucket {drop.bucket} --key {quote(drop.key)} --version-id {drop.version} "
        "--restore-request Days=7"
    )


def drop_restored(drop: Version) -> str:
    """Return the command that drops a restored version again."""
    return f"{_copy(drop)} --storage-class STANDARD"


def send_again(bucket: str, name: str, run: str) -> str:
    """Return the command that drops the lines of a run that are worth sending again."""
    return f"aws s3 cp {url(bucket, keys.retry(name, run))} {url(bucket, f'{keys.INBOX}{name}-retry.jsonl')}"


def show_receipt(bucket: str, name: str, run: str) -> str:
    """Return the command that prints the receipt of a run."""
    return f"aws s3 cp {url(bucket, keys.receipt(name, run))} -"


def fetch_ledger(bucket: str, run: str) -> str:
    """Return the command that copies the ledger of a run into a folder."""
    return f"aws s3 sync {url(bucket, keys.ledger(run))} ledger-{run}"


def adopt(bucket: str, key: str, batch_id: str) -> str:
    """Return the command that says that a batch is the run's. `key`: see `keys.release`."""
    return _say(f"adopt {batch_id}", bucket, key)


def submit_again(bucket: str, key: str) -> str:
    """Return the command that says that an attempt created no batch. `key`: see `keys.release`."""
    return _say("submit again", bucket, key)


def stop(bucket: str, run: str) -> str:
    """Return the command that stops a run."""
    return _say("stop", bucket, keys.stop(run))


def put_key(secret: str) -> str:
    """Return the command that puts an API key into the stack's secret."""
    return f"aws secretsmanager put-secret-value --secret-id {secret} --secret-string <key>"


def url(bucket: str, key: str) -> str:
    """Return the address of an object, for a person to read."""
    return f"s3://{bucket}/{key}"


def _address(bucket: str, key: str) -> str:
    return quote(url(bucket, key))


def _say(words: str, bucket: str, key: str) -> str:
    return f"echo {quote(words)} | aws s3 cp - {_address(bucket, key)}"


def _copy(drop: Version) -> str:
    source = quote(f"{drop.bucket}/{url_quote(drop.key)}?versionId={drop.version}")
    return f"aws s3api copy-object --bucket {drop.bucket} --key {quote(drop.key)} --copy-source {source}"


def _metadata(metadata: Mapping[str, str]) -> str:
    given = ",".join(f"{name}={value}" for name, value in metadata.items())
    return f" --metadata {given}" if given else ""
