"""Compressed drops: decompressed once, while they are checked, and then handled like any other drop."""

import gzip
from hashlib import sha256
from pathlib import Path

import pytest

from conveyor.validation.checker import MOST_FAULTS
from tests.support.belt import Belt, drop_of, request
from tests.support.promises import plain
from tests.support.settings import tune

REPORTS = Path(__file__).parents[2] / "data" / "reports"
KEY = "inbox/packed.jsonl.gz"


def unpacked(belt: Belt) -> list[str]:
    """Return the keys of decompressed drops."""
    pages = belt.s3.get_paginator("list_objects_v2").paginate(Bucket=belt.bucket)
    every = [item["Key"] for page in pages for item in page.get("Contents", [])]
    return [key for key in every if key.endswith("unpacked.jsonl")]


def test_a_compressed_drop_comes_back_like_a_plain_one(belt: Belt, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even in several batches, each of which reads its range of the lines."""
    tune(monkeypatch, max_requests_per_batch=2)
    data = gzip.compress(drop_of(3)) + gzip.compress(drop_of(5).split(b"\n", 3)[3])
    run = belt.upload(data, KEY)
    notice = belt.finish(run)
    assert (notice["status"], notice["results"]) == ("completed", 5)
    assert [line["custom_id"] for line in belt.lines("results/packed/", "results.jsonl")] == [
        f"r-{number}" for number in range(1, 6)
    ]
    receipt = belt.receipt()
    assert (receipt["drop"]["bytes"], receipt["drop"]["sha256"]) == (len(data), sha256(data).hexdigest())
    assert belt.s3.get_object(Bucket=belt.bucket, Key=f"content/default/{run}/unpacked.jsonl")[
        "Body"
    ].read() == drop_of(5)


@pytest.mark.parametrize(
    ("key", "data"),
    [
        ("inbox/packed.jsonl", (REPORTS / "gzip-named-jsonl.jsonl").read_bytes()),
        ("inbox/packed.json", gzip.compress(gzip.compress(drop_of(2)))),
        ("inbox/packed.JSONL.GZ", gzip.compress(drop_of(2))),
        ("inbox/packed.ndjson.gz", drop_of(2)),
    ],
)
def test_whether_a_drop_is_compressed_follows_from_its_content(
    belt: Belt, monkeypatch: pytest.MonkeyPatch, key: str, data: bytes
) -> None:
    """Its name does not matter, since servers and programs compress and decompress files, at most twice."""
    tune(monkeypatch, max_requests_per_batch=1)
    notice = belt.finish(belt.upload(data, key))
    assert (notice["status"], notice["name"], notice["failures"]) == ("completed", "packed", 0)
    assert notice["results"] > 1
    assert belt.receipt()["drop"]["sha256"] == sha256(data).hexdigest()


def test_an_older_plan_is_read_by_the_drops_name(belt: Belt) -> None:
    """A ledger may be older than the deployed version."""
    run = belt.upload(gzip.compress(drop_of(2)), KEY)
    plan = belt.read(f"runs/{run}/plan.jsonl")
    assert b',"unpacked":true' in plan
    belt.s3.put_object(Bucket=belt.bucket, Key=f"runs/{run}/plan.jsonl", Body=plan.replace(b',"unpacked":true', b""))
    assert belt.finish(run)["results"] == 2


def test_the_message_about_a_compressed_drop_uses_its_file_name(belt: Belt) -> None:
    """A file with another name would have other content."""
    data = (REPORTS / "gz-refused-command.jsonl.gz").read_bytes()
    key = "inbox/gz-refused-command.jsonl.gz"
    message = plain(belt.finish(belt.upload(data, key))["message"])
    assert f"aws s3 cp gz-refused-command.jsonl.gz s3://{belt.bucket}/{key}" in message


def test_faults_of_a_compressed_drop_have_line_numbers(belt: Belt) -> None:
    """A duplicate id is checked again, in the decompressed lines."""
    data = drop_of(3) + request("r-2") + b"\nnonsense\n"
    assert belt.finish(belt.upload(gzip.compress(data), KEY))["status"] == "refused"
    faults = belt.lines("failures/packed/", "invalid.jsonl")
    assert [(fault["line"], fault["code"]) for fault in faults] == [(4, "custom-id-duplicate"), (5, "not-json")]
    assert "line 2" in faults[0]["message"]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\x1f\x8b" + drop_of(1), "corrupt"),
        (gzip.compress(gzip.compress(drop_of(1), mtime=0)[:-3], mtime=0), "truncated"),
        (gzip.compress(drop_of(1), mtime=0)[:-3], "truncated"),
        (gzip.compress(b"", mtime=0), "has only blank lines"),
        (gzip.compress(drop_of(9), mtime=0), "unpacked, the drop has more than 1,000 bytes"),
    ],
)
def test_a_drop_that_cannot_be_fully_decompressed_is_refused_and_leaves_nothing(
    belt: Belt, monkeypatch: pytest.MonkeyPatch, data: bytes, expected: str
) -> None:
    """An incomplete drop is never sent."""
    tune(monkeypatch, max_bytes_per_drop=1000)
    assert_refused(belt, data, expected)


def test_a_compressed_drop_with_too_many_faults_is_not_decompressed_further(belt: Belt) -> None:
    """The part already decompressed is not kept."""
    assert_refused(belt, gzip.compress(b"{}\n" * (MOST_FAULTS + 1)), f"more than {MOST_FAULTS:,} faults")


def assert_refused(belt: Belt, data: bytes, expected: str) -> None:
    """Upload the drop and check that it is refused, nothing is charged, and nothing is left."""
    notice = belt.finish(belt.upload(data, KEY))
    assert notice["status"] == "refused"
    assert expected in plain(notice["message"])
    assert belt.creates() == (0, 0)
    assert unpacked(belt) == []
    assert "Uploads" not in belt.s3.list_multipart_uploads(Bucket=belt.bucket)
