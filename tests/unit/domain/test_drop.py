"""Names that follow from a drop."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from conveyor.domain.drop import Drop, Upload, is_taken, line_of, nonce, wire_id

DROP = Drop("bucket", "inbox/a.jsonl", "v1", "etag", 10, datetime(2026, 11, 22, 10, 11, 12, tzinfo=UTC), {})


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("inbox/x.jsonl", "x"),
        ("inbox/team a/2026+11 é.jsonl", "team_a/2026_11__"),
        ("inbox/../../etc/x.jsonl", "_/_/etc/x"),
        ("inbox//x.jsonl", "_/x"),
        ("inbox/.jsonl", "_"),
        ("inbox/a.csv", "a.csv"),
        ("inbox/a.jsonl.gz", "a"),
        ("inbox/a.JSONL.GZ", "a"),
        ("inbox/a.ndjson", "a"),
        ("inbox/a.Ndjson.gz", "a"),
        ("inbox/a.json", "a"),
        ("inbox/a.json.jsonl", "a.json"),
        ("inbox/a.jsonl/b", "a.jsonl/b"),
        ("inbox/a.jsonl\n", "a.jsonl_"),
        ("inbox/a.gz", "a.gz"),
        ("inbox/ajsonl", "ajsonl"),
        ("inbox/" + "." * 513 + "a.jsonl", "_"),
        ("inbox/" + "é" * 600 + ".jsonl", "_" * 512),
    ],
)
def test_a_name_is_safe_in_other_keys(key: str, name: str) -> None:
    """Outputs stay under their prefix for any key."""
    assert replace(DROP, key=key).name == name


@pytest.mark.slow
@given(st.text(max_size=700))
def test_no_key_makes_an_unsafe_name(key: str) -> None:
    """Only safe characters, no dot segments, at most 512 bytes, never empty."""
    name = replace(DROP, key=f"inbox/{key}").name
    assert name.isascii()
    assert len(name) <= 512
    assert not {"", ".", ".."} & set(name.split("/"))


@pytest.mark.parametrize("suffix", [".jsonl", ".ndjson", ".json", ".JSONL", ".Jsonl", ".NDJSON", ".JSON"])
@pytest.mark.parametrize("packed", ["", ".gz", ".GZ", ".Gz"])
def test_a_file_of_requests_may_be_named_in_several_ways(suffix: str, packed: str) -> None:
    """Capitals are accepted, too: some systems write them."""
    assert is_taken(f"inbox/team/a{suffix}{packed}")


@pytest.mark.parametrize(
    "name",
    ["a.csv", "a.txt", "a.jsonl.zip", "a.jsonl.gz.gz", "a.gz", "a", "jsonl", "a.jsonl ", "a.jsonl/", "a.jsonl\n"],
)
def test_any_other_name_is_not_that_of_a_file_of_requests(name: str) -> None:
    """It is refused with a message, not ignored."""
    assert not is_taken(f"inbox/{name}")
    assert not uploaded(name, 1).is_ignored


@pytest.mark.parametrize("name", ["", "team/", "team/a.jsonl/"])
def test_an_empty_folder_is_no_drop(name: str) -> None:
    """The console creates folders as empty objects; an object with content was uploaded on purpose."""
    assert uploaded(name, 0).is_ignored
    assert not uploaded(name, 1).is_ignored


@pytest.mark.parametrize(
    "name",
    [
        ".DS_Store", "Thumbs.db", "thumbs.db", "ehthumbs.db", "Desktop.ini", ".localized", "._a.jsonl", "._",
        "~$a.xlsx", ".~lock.a.csv#", ".keep", ".gitkeep", "a_$folder$", "_SUCCESS",
    ],
)  # fmt: skip
def test_files_that_programs_create_beside_others_are_no_drops(name: str) -> None:
    """Uploading a whole folder must not send a message for each such file."""
    assert uploaded(name, 1).is_ignored
    assert uploaded(f"team/{name}", 0).is_ignored


@pytest.mark.parametrize(
    "name", ["a.jsonl", ".jsonl", "DS_Store", "a._b.jsonl", "~a.jsonl", "_SUCCESS.jsonl", "._a/b.jsonl"]
)
def test_an_empty_file_is_a_drop(name: str) -> None:
    """A failed export must be reported."""
    assert not uploaded(name, 0).is_ignored


def uploaded(name: str, size: int) -> Upload:
    """Return an upload under `inbox/`."""
    return Upload("bucket", f"inbox/{name}", "v1", size, "etag", DROP.last_modified)


def test_the_same_drop_has_the_same_run_and_any_other_another() -> None:
    """A repeated event finds its run; another version, key, bucket or stack has its own run."""
    runs = {
        DROP.run_id("stack"),
        replace(DROP, version="v2").run_id("stack"),
        replace(DROP, key="inbox/b.jsonl").run_id("stack"),
        replace(DROP, bucket="other").run_id("stack"),
        DROP.run_id("another stack"),
    }
    assert len(runs) == 5
    assert DROP.run_id("stack") == replace(DROP, etag="x", metadata={"a": "b"}).run_id("stack")
    assert DROP.run_id("stack").startswith("20261122T101112Z-")
    assert len(DROP.run_id("stack")) == 29


@given(st.integers(1, 10**12))
def test_a_wire_id_leads_back_to_its_line_and_to_no_other_run(line: int) -> None:
    """It has the characters and length that providers accept, and an id of another run is not taken for ours."""
    mine, other = nonce("run-a"), nonce("run-b")
    assert line_of(wire_id(mine, line), mine) == line
    assert line_of(wire_id(other, line), mine) is None
    assert len(wire_id(mine, line)) <= 64


@pytest.mark.parametrize("wrong", ["", "x", "-1", "{}-", "{}-x", "{}-1-2", "{}-٣", "{}-" + "9" * 30])
def test_what_is_no_wire_id_belongs_to_no_line(wrong: str) -> None:
    """Results may contain anything."""
    assert line_of(wrong.replace("{}", nonce("run")), nonce("run")) is None
