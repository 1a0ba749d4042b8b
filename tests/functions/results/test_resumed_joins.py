"""A large file is joined in one upload with which the next function goes on: nothing is copied twice."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from conveyor.domain.invocation import Invocation
from conveyor.domain.output_file import OutputFile
from conveyor.ledger.ledger import Ledger
from conveyor.ledger.run_facts import Joining
from conveyor.report.join_files import FileJoiner
from conveyor.s3 import pieces
from conveyor.s3.bucket import Bucket
from tests.functions.conftest import Services
from tests.functions.results.test_joining import LEAST, MIB, put
from tests.support.examples import RUN
from tests.support.faults.taps import Crash

KEY = f"results/{RUN.name}/{RUN.run}/results.jsonl"
SIZES = (11 * MIB, 1, 6 * MIB, LEAST, 2)
WRITES = ("CreateMultipartUpload", "UploadPartCopy", "UploadPart", "CompleteMultipartUpload", "PutObject")
POINTS = [
    (when, call, nth)
    for when in ("before", "after")
    for call, times in (*((call, 1) for call in WRITES), ("UploadPartCopy", 2), ("ListParts", 1))
    for nth in ([1] if times == 1 else [times])
]


class Joins:
    """A bucket with parts of one file, which invocations of `report` join."""

    def __init__(self, services: Services, bucket: str) -> None:
        """Write the parts."""
        self.s3 = services.s3
        self.bucket = Bucket(services.s3, bucket)
        self.sizes, self.whole = put(services.s3, bucket, SIZES)
        self.calls = Counter[str]()
        """How often each call was made, with the number of the part."""

    def join(self, sizes: dict[str, int] | None = None, keys: tuple[str, ...] = (KEY,), seconds: int = 900) -> None:
        """Do what one invocation does. `sizes`: other parts; `seconds`: the time that Lambda gives it."""
        ledger = Ledger(self.bucket, RUN.run)
        invocation = Invocation(timedelta(seconds=seconds))
        files = [OutputFile(key, 1, size, "") for key, size in (sizes or self.sizes).items()]
        with self._counted():
            FileJoiner(RUN, ledger, ledger.run_state(), self.bucket, invocation).write(dict.fromkeys(keys, files))

    @contextmanager
    def _counted(self) -> Iterator[None]:
        def count(params: dict[str, Any], model: Any, **_: Any) -> None:
            self.calls[f"{model.name} {params.get('PartNumber', '')}".strip()] += 1

        with self.at("provide-client-params", "*", count):
            yield

    @contextmanager
    def at(self, event: str, call: str, action: Any) -> Iterator[None]:
        """Do something at an event of the client."""
        self.s3.meta.events.register(f"{event}.s3.{call}", action)
        try:
            yield
        finally:
            self.s3.meta.events.unregister(f"{event}.s3.{call}", action)

    @contextmanager
    def crash(self, when: str, call: str, nth: int) -> Iterator[None]:
        """Crash the invocation of the block before or after the nth call of a kind."""
        seen = 0

        def strike(**_: Any) -> None:
            nonlocal seen
            seen += 1
            if seen == nth:
                raise Crash(f"{when} {call}")

        with self.at(f"{when}-call", call, strike), pytest.raises(Crash):
            yield

    def check(self, key: str = KEY) -> None:
        """Check that the file is whole."""
        found = self.s3.get_object(Bucket=self.bucket.bucket, Key=key)
        assert found["Body"].read() == self.whole

    def check_uploads(self) -> None:
        """Check that no upload is left, which would be paid for."""
        assert not self.s3.list_multipart_uploads(Bucket=self.bucket.bucket).get("Uploads")

    @property
    def copied(self) -> int:
        """How many calls wrote a part."""
        return sum(count for call, count in self.calls.items() if call.startswith("UploadPart"))


@pytest.fixture
def joins(services: Services, bucket: str, monkeypatch: pytest.MonkeyPatch) -> Joins:
    """Return parts that are joined by copies of 5 MiB."""
    monkeypatch.setattr(pieces, "_LARGEST", LEAST)
    return Joins(services, bucket)


@pytest.mark.parametrize(("when", "call", "nth"), POINTS)
def test_after_a_crash_at_any_call_the_next_invocation_ends_the_file(
    joins: Joins, when: str, call: str, nth: int
) -> None:
    """The file appears whole, once."""
    if call == "ListParts":
        with joins.crash("before", "CompleteMultipartUpload", 1):
            joins.join()
    with joins.crash(when, call, nth):
        joins.join()
    joins.join()
    joins.check()


def test_what_was_copied_is_not_copied_again(joins: Joins) -> None:
    """A run of hundreds of gigabytes ends although one invocation has 15 minutes."""
    with joins.crash("before", "CompleteMultipartUpload", 1):
        joins.join()
    assert joins.copied
    joins.calls.clear()
    joins.join()
    assert not joins.copied
    joins.check()


def test_of_two_large_files_the_first_is_not_copied_again(joins: Joins) -> None:
    """Neither appears before both are copied, so that no invocation begins with the first one again."""
    other = KEY.replace("results", "failures")
    with joins.crash("before", "CreateMultipartUpload", 2):
        joins.join(keys=(KEY, other))
    assert joins.s3.list_objects_v2(Bucket=joins.bucket.bucket, Prefix="results/")["KeyCount"] == 0
    first = joins.copied
    joins.calls.clear()
    joins.join(keys=(KEY, other))
    assert joins.copied == first > 0, "only the second file is copied"
    joins.check()
    joins.check(other)


def test_an_invocation_that_copied_until_little_time_was_left_leaves_the_end_to_the_next(joins: Joins) -> None:
    """If Lambda ended it between the files and the receipt, all would be copied again, and perhaps each time."""
    with pytest.raises(TimeoutError, match="next invocation"):
        joins.join(seconds=100)
    assert joins.copied
    joins.calls.clear()
    joins.join(seconds=100)
    assert not joins.copied
    joins.check()


def test_a_file_that_a_person_deleted_is_written_again(joins: Joins) -> None:
    """A run that is repeated would list it in its receipt, and it would be missing."""
    joins.join()
    joins.s3.delete_object(Bucket=joins.bucket.bucket, Key=KEY)
    joins.join()
    joins.check()


def test_an_upload_that_s3_has_removed_is_begun_again(joins: Joins) -> None:
    """The bucket's lifecycle removes one after a day."""
    with joins.crash("before", "CompleteMultipartUpload", 1):
        joins.join()
    name = {"Bucket": joins.bucket.bucket, "Key": KEY}
    (upload,) = joins.s3.list_multipart_uploads(Bucket=joins.bucket.bucket)["Uploads"]
    joins.s3.abort_multipart_upload(**name, UploadId=upload["UploadId"])
    joins.join()
    joins.check()


def test_an_upload_whose_parts_have_other_sizes_is_not_gone_on_with(
    joins: Joins, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another release may cut pieces of another size."""
    with joins.crash("before", "CompleteMultipartUpload", 1):
        joins.join()
    monkeypatch.setattr(pieces, "_LARGEST", 6 * MIB)
    joins.join()
    joins.check()
    joins.check_uploads()


def test_an_upload_for_other_pieces_of_the_same_sizes_is_not_gone_on_with(joins: Joins) -> None:
    """Another release may cut otherwise: the file would have the right length, and wrong bytes."""
    joins.sizes, joins.whole = put(joins.s3, joins.bucket.bucket, (LEAST, LEAST))
    with joins.crash("before", "CompleteMultipartUpload", 1):
        joins.join(dict(reversed(joins.sizes.items())))
    joins.join()
    joins.check()
    joins.check_uploads()


@pytest.mark.parametrize("is_gone", [False, True])
def test_an_upload_that_does_not_say_for_which_pieces_it_is_is_not_gone_on_with(joins: Joins, *, is_gone: bool) -> None:
    """That of an earlier release."""
    upload = joins.bucket.begin_upload(KEY, {})
    Ledger(joins.bucket, RUN.run).write(Joining("earlier", datetime.now(UTC), upload.id), "results-1")
    if is_gone:
        upload.abort()
    joins.join()
    joins.check()
    joins.check_uploads()


def test_two_invocations_never_mix_two_uploads(joins: Joins) -> None:
    """Lambda may run one twice: the one that comes second gives way, and is repeated."""
    other, done = Joins.join, list[bool]()

    def meanwhile(**_: Any) -> None:
        if not done:
            done.append(True)
            other(joins)

    with joins.at("after-call", "CreateMultipartUpload", meanwhile), pytest.raises(RuntimeError, match="another"):
        joins.join()
    joins.join()
    joins.check()
    joins.check_uploads()
