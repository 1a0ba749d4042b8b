"""Files of other types: accepted if their requests can be read, otherwise refused with their type."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.belt import Belt

REPORTS = Path(__file__).parents[2] / "data" / "reports"


def test_concatenated_files_with_byte_order_marks_are_accepted(belt: Belt) -> None:
    """The marks are not sent, and do not shift lines."""
    belt.provider.configure(outcomes={"2": "expired"})
    data = (REPORTS / "bom-in-the-middle.jsonl").read_bytes()
    assert belt.finish(belt.upload(data))["status"] == "completed"
    assert [line["custom_id"] for line in belt.lines("results/", "results.jsonl")] == ["r1"]
    assert [(line["custom_id"], line["line"]) for line in belt.lines("failures/", "failures.jsonl")] == [("r2", 2)]
    assert belt.lines("failures/", "retry.jsonl")[0]["custom_id"] == "r2"


@pytest.mark.parametrize("metadata", [{}, {"on-invalid": "skip", "max-invalid-percent": "100"}])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_wrong_file_is_one_refusal_with_the_command_that_converts_it(
    belt: Belt, metadata: dict[str, str], pack: Callable[[bytes], bytes]
) -> None:
    """With any on-invalid, compressed or not: no line is checked, and skipping is not offered."""
    data = pack((REPORTS / "array-of-lines.jsonl").read_bytes())
    notice = belt.finish(belt.upload(data, "inbox/a b/x.jsonl", metadata))
    assert (notice["status"], notice["subject"]) == (
        "refused",
        "Conveyor: refused a_b/x (no file of requests; nothing was sent)",
    )
    receipt = belt.receipt()
    fields = [receipt[name] for name in ("code", "requests", "not_run", "faults", "files")]
    assert fields == ["file-is-json-array", 0, 0, 0, []]
    command = "jq -c '.[]' < x.jsonl" if pack is bytes else "gzip -dc < x.jsonl | jq -c '.[]'"
    command += " > x-converted.jsonl.part && mv x-converted.jsonl.part x-converted.jsonl"
    assert receipt["conversion"] == {"command": command, "file": "x-converted.jsonl", "powershell": "", "prepare": ""}
    lines = notice["message"].splitlines()
    assert f"    {command}" in lines
    own = " --metadata on-invalid=skip,max-invalid-percent=100" if metadata else ""
    assert f"    aws s3 cp x-converted.jsonl 's3://{belt.bucket}/inbox/a b/x-converted.jsonl'{own}" in lines
    assert "on-invalid=skip" not in notice["message"].replace(own, "")
    assert belt.creates() == (0, 0)
    assert [key for key in belt.stored() if "unpacked" in key] == []


@pytest.mark.parametrize(
    ("key", "data", "code"),
    [
        ("inbox/x.csv", b"id,prompt\n1,a\n", "file-is-table"),
        ("inbox/x.zip", b"PK\x03\x04" + bytes(60), "file-is-zip"),
        ("inbox/x.txt", b"Tell me a story.", "file-is-text"),
        ("inbox/x", b"", "wrong-name"),
        ("inbox/x.json", (REPORTS / "10-json-array.jsonl").read_bytes(), "file-is-json-array"),
    ],
)
def test_a_file_is_refused_for_what_it_is_rather_than_for_its_name(
    belt: Belt, key: str, data: bytes, code: str
) -> None:
    """Renaming a table would not help."""
    assert belt.finish(belt.upload(data, key))["status"] == "refused"
    assert belt.receipt()["code"] == code
    assert belt.creates() == (0, 0)


def test_a_pointer_is_dropped_again_under_its_own_name(belt: Belt) -> None:
    """The command replaces the file."""
    data = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
    message = belt.finish(belt.upload(data, "inbox/x.jsonl.gz"))["message"]
    assert "    git lfs pull\n" in message
    assert f"    aws s3 cp x.jsonl.gz s3://{belt.bucket}/inbox/x.jsonl" in message
