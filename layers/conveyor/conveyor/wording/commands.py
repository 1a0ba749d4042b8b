"""Every command in a message, in one place: for AWS CLI v2, and for `conveyor`, quoted for `sh`."""

import json
import re
from collections.abc import Iterable, Mapping
from shlex import join, quote
from typing import NamedTuple, Self

from conveyor.domain import keys
from conveyor.domain.drop import AGAIN, DRY_RUN, NO_PROJECT, OTHER_FOLDER, SUFFIX, is_taken, stem
from conveyor.wording.visible import visible

_LARGEST_COPY = 5 * 1024**3
"""Bytes. The limit of S3 for copying in one call."""
_NAME = "requests"
"""The name of a file that was uploaded as a folder, without a name."""
_LIMITS = keys.BUDGETS.removeprefix(keys.CONFIG)
"""The name of the file with the limits of projects."""
_LONGEST_KEY = 1024
"""Bytes. The limit of S3 for a key."""
_SHORTHAND = re.compile(r"[A-Za-z0-9._:-]+")
"""A value that AWS CLI accepts in `name=value`; one with a comma would be read as a list."""
_BYTES_ARE_FINE = frozenset({
    "stopped", "unsent", "unreadable", "seen-before", "key-unusable", "key-refused", "role-refused",
    "provider-stopped", "provider-refused", "credit-exhausted", "limit-reached", "account-disabled", "batch-too-large",
    "beta-refused", NO_PROJECT, OTHER_FOLDER, "declined", DRY_RUN,
})  # fmt: skip
"""Codes of refusals after which the same bytes can be dropped again: name, metadata or something else must change."""

_DROPS = ("--retry", "--again")
"""Options that say what `conveyor drop` does."""
ADOPT, SUBMIT_AGAIN = "adopt", "submit again"
"""What a person says of a paid call whose response was lost."""
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
    def is_copyable(self) -> bool:
        """False if it is too large for one copy call, or has a key that AWS CLI cannot name as a source."""
        return self.bytes <= _LARGEST_COPY and "?versionId=" not in self.key


def carried(metadata: Mapping[str, str], run: str) -> dict[str, str]:
    """Return a drop's own metadata as the command carries it that repeats the drop of a run.

    A word for `again` counts once, so that it is replaced by another, the run's id.
    """
    return {**metadata, AGAIN: run} if AGAIN in metadata else dict(metadata)


def can_stay(code: str) -> bool:
    """Return whether the same bytes can be dropped again after a refusal with this code."""
    return code in _BYTES_ARE_FINE


def drop_again(drop: Version, name: str, code: str, metadata: Mapping[str, str]) -> str:
    """Return the command that drops again what was refused under a code. `name`: the run's name.

    If the content can stay, the command copies this version in S3, so the local file is not needed.
    """
    return drop_version(drop, name, metadata) if can_stay(code) else drop_file(drop, name, metadata)


def drop_file(drop: Version, name: str, metadata: Mapping[str, str]) -> str:
    """Return the command that uploads a file again, under a key that starts a run. `name`: the run's name."""
    file = drop.key.rsplit("/", 1)[-1] or _NAME + SUFFIX
    return f"aws s3 cp {_path(file)} {_address(drop.bucket, key_again(drop, name))}{_metadata(metadata)}"


def drop_converted(drop: Version, file: str, name: str, metadata: Mapping[str, str]) -> str:
    """Return the command that uploads the file that was made of a drop which was none. `name`: the run's name.

    It keeps its own name: should it be wrong in its turn, the next message must speak of it, not of the first file.
    """
    made = drop._replace(key=f"{drop.key.rpartition('/')[0]}/{file}")
    return drop_file(made, name, metadata)


def drop_version(drop: Version, name: str, metadata: Mapping[str, str]) -> str:
    """Return the command that drops the very version again, whatever lies under its key by now.

    What cannot be copied is dropped from where it came. The metadata is replaced, and tags, which need permissions of
    their own, are left behind.
    """
    if not drop.is_copyable:
        return drop_file(drop, name, metadata)
    copy = _copy(drop, key_again(drop, name))
    return f"{copy} --metadata-directive REPLACE --tagging-directive REPLACE{_metadata(metadata)}"


def restore(drop: Version) -> str:
    """Return the command that restores an archived version for a week."""
    return (
        f"aws s3api restore-object --bucket {drop.bucket} --key {_quote(drop.key)} --version-id={_quote(drop.version)} "
        "--restore-request Days=7"
    )


def drop_restored(drop: Version) -> str:
    """Return the command that drops a restored version again, with its metadata."""
    return f"{_copy(drop, drop.key)} --storage-class STANDARD --tagging-directive REPLACE"


def send_again(drop: Version, name: str, run: str) -> str:
    """Return the command that drops the lines of a run that are worth sending again, with the run's settings.

    They are metadata of the file. By default AWS CLI v2 also reads the tags of what it copies in parts (from 8 MB on),
    for which a person who drops has no permission.
    """
    source, target = _address(drop.bucket, keys.retry(name, run)), _address(drop.bucket, key_of_retry(drop, name))
    return f"aws s3 cp {source} {target} --copy-props metadata-directive"


def key_of_retry(drop: Version, name: str) -> str:
    """Return the key under which the lines of a run are dropped that are worth sending again: beside its drop."""
    key = f"{drop.key.rpartition('/')[0]}/{stem(drop.key)}-retry{SUFFIX}"
    return key if _fits(key) else f"{keys.INBOX}{name}-retry{SUFFIX}"


def show_receipt(bucket: str, name: str, run: str) -> str:
    """Return the command that prints the receipt of a run."""
    return f"aws s3 cp {_address(bucket, keys.receipt(name, run))} -"


def show_errors(bucket: str, key: str) -> str:
    """Return the command that prints the provider's error texts about a batch. `key`: see `keys.error_words`."""
    return f"aws s3 cp {_address(bucket, key)} -"


def fetch_ledger(bucket: str, run: str) -> str:
    """Return the command that copies the ledger of a run into a folder."""
    return f"aws s3 sync {_address(bucket, keys.ledger(run))} {_quote(f'ledger-{run}')}"


def fetch_file(bucket: str, key: str) -> str:
    """Return the command that copies one of a run's files into the folder where it is typed."""
    return f"aws s3 cp {_address(bucket, key)} {key.rpartition('/')[2]}"


def adopt(bucket: str, key: str, batch_id: str) -> str:
    """Return the command that says that a batch is the run's. `key`: see `keys.release`."""
    return _say(f"{ADOPT} {batch_id}", bucket, key)


def submit_again(bucket: str, key: str) -> str:
    """Return the command that says that an attempt created no batch. `key`: see `keys.release`."""
    return _say(SUBMIT_AGAIN, bucket, key)


def stop(bucket: str, run: str, project: str = keys.DEFAULT_PROJECT) -> str:
    """Return the command that stops a run."""
    return _say("stop", bucket, keys.stop(run, project))


def approve(bucket: str, key: str, words: str) -> str:
    """Return the command that opens a gate. `key`: see `keys.approval`. `words`: see `gates.approval`."""
    return _say(words, bucket, key)


def fetch_limits(bucket: str) -> str:
    """Return the command that copies the limits of all projects into a file."""
    return f"aws s3 cp {_address(bucket, keys.BUDGETS)} {_LIMITS}"


def put_limits(bucket: str) -> str:
    """Return the command that writes the limits of all projects from that file."""
    return f"aws s3 cp {_LIMITS} {_address(bucket, keys.BUDGETS)}"


def put_key(secret: str) -> str:
    """Return the command that puts the API key of the shell variable API_KEY into the stack's secret.

    The shell refuses a variable that is empty or not set. A key that is typed would stay in the shell's history.
    """
    return f'aws secretsmanager put-secret-value --secret-id {_quote(secret)} --secret-string "${{API_KEY:?}}"'


def create_key(secret: str) -> str:
    """Return the command that creates the stack's secret, with the API key of the shell variable API_KEY."""
    return f'aws secretsmanager create-secret --name {_quote(secret)} --secret-string "${{API_KEY:?}}"'


def url(bucket: str, key: str) -> str:
    """Return the address of an object, for a person to read: what is not seen in its key is an escape."""
    return f"s3://{bucket}/{visible(key)}"


def key_again(drop: Version, name: str) -> str:
    """Return the key under which a drop is taken: its own, in its own folder, with a suffix where that lacks."""
    named = drop.key + _NAME if drop.key.endswith("/") else drop.key
    key = named if is_taken(named) else named + SUFFIX
    return key if _fits(key) else f"{keys.INBOX}{name}{SUFFIX}"


def _fits(key: str) -> bool:
    return len(key.encode()) <= _LONGEST_KEY


def conveyor(*words: str) -> str:
    """Return a command, quoted for `sh`."""
    return join(["conveyor", *words])


def command_words(lines: Iterable[str | None]) -> dict[str, str]:
    """Return commands by what they do: the word after `conveyor`, or `retry` and `again` for drops; others are none."""
    found = dict[str, str]()
    for line in lines:
        _, *words = (line or "").split() or [""]
        if line and line.startswith("conveyor ") and words:
            option = next((word.removeprefix("--") for word in _DROPS if word in words), words[0])
            found.setdefault(option, line)
    return found


def _address(bucket: str, key: str) -> str:
    return _quote(f"s3://{bucket}/{key}")


def _say(words: str, bucket: str, key: str) -> str:
    return f"echo {_quote(words)} | aws s3 cp - {_address(bucket, key)}"


def _copy(drop: Version, key: str) -> str:
    """Return the beginning of a copy. AWS CLI itself encodes the key of the source, up to `?versionId=`."""
    source = _quote(f"{drop.bucket}/{drop.key}?versionId={drop.version}")
    return f"aws s3api copy-object --bucket {drop.bucket} --key {_quote(key)} --copy-source {source}"


def _metadata(metadata: Mapping[str, str]) -> str:
    if not metadata:
        return ""
    if all(_SHORTHAND.fullmatch(text) for pair in metadata.items() for text in pair):
        return f" --metadata {','.join(f'{name}={value}' for name, value in metadata.items())}"
    return f" --metadata {_quote(json.dumps(metadata))}"


def _path(file: str) -> str:
    """Return the name of a file here as the CLI takes it: one that begins with a dash would be an option."""
    return _quote(f"./{file}" if file.startswith("-") else file)


def _quote(words: str) -> str:
    """Return what `sh` reads as these words: on one line, and of characters that can be seen and mailed.

    Others are written by `printf`. At the end of the words a line feed would be lost there: then they take two lines.
    """
    if words.isprintable() or words.endswith("\n"):
        return quote(words)
    return f'"$(printf {quote("".join(map(_escape, words)))})"'


def _escape(character: str) -> str:
    if character in "\\%":
        return character * 2
    return character if character.isprintable() else "".join(f"\\{byte:03o}" for byte in character.encode())
