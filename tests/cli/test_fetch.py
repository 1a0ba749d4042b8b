"""The files of a run on this machine: which, where, and what is verified."""

import json
from hashlib import sha256
from typing import Any

import pytest

from tests.support.belt import Belt, drop_of
from tests.support.command import Command
from tests.support.fetched import NAME, files_in
from tests.support.memory_aws.served import Served
from tests.support.settings import STACK_SETTINGS

DENIED = (
    "User: arn:aws:sts::111122223333:assumed-role/dropper/anna is not authorized to perform: s3:GetObject on resource: "
    '"arn:aws:s3:::bucket/results/legal/contracts/receipt.json" because no identity-based policy allows it'
)


def finished(belt: Belt, data: bytes, outcomes: dict[str, str] | None = None, **metadata: str) -> str:
    """Drop a file whose requests end so, by their place, and let its run end."""
    belt.provider.configure(outcomes=outcomes or {}, every={})
    run = belt.upload(data, NAME, metadata)
    belt.finish(run)
    return run


def stored(belt: Belt, run: str) -> dict[str, bytes]:
    """Return the user's files of a run in the bucket, by name."""
    keys = [key for kind in ("results/", "failures/") for key in belt.stored(kind) if f"/{run}/" in key]
    return {key.rpartition("/")[2]: belt.read(key) for key in keys if "/parts/" not in key}


def account_of(said: dict[str, Any]) -> dict[str, Any]:
    """Return what the command says of each file, by name."""
    return {file.pop("file"): file for file in said["files"]}


def test_all_files_of_a_run(desk: Command, belt: Belt) -> None:
    """Those that the receipt names, the receipt and the page, in a folder with the last part of the run's name."""
    metadata = {"on-invalid": "skip"}
    outcomes = {"2": "errored:invalid_request_error", "3": "canceled"}
    run = finished(belt, drop_of(5) + b"{}\n", outcomes, **metadata)
    ran = desk.call("fetch", "tickets")
    assert (ran.exit, ran.error) == (0, f"  fetching 6 files, {ran.out.split(', ')[1]}\n")
    first, blank, *lines = ran.out.splitlines()
    assert first.startswith("✓ 6 files in tickets/, ")
    assert first.endswith(" kB, checksums match")
    assert (blank, [line.split()[:3] for line in lines[:4]]) == ("", [
        ["results.jsonl", "3", "lines"], ["failures.jsonl", "3", "lines"],
        ["retry.jsonl", "1", "line"], ["invalid.jsonl", "2", "lines"],
    ])  # fmt: skip
    files = stored(belt, run)
    assert files.keys() == {
        "results.jsonl",
        "failures.jsonl",
        "retry.jsonl",
        "invalid.jsonl",
        "receipt.json",
        "report.html",
    }
    assert files_in(desk.home / "tickets") == files


def test_only_what_was_compared_with_a_checksum_is_called_verified(desk: Command, belt: Belt) -> None:
    """The receipt has no checksum of itself."""
    run = finished(belt, drop_of(2))
    said = json.loads(desk.call("fetch", run, "--to", "a/b", "--json").out)
    assert (said["v"], said["run"], said["to"]) == (1, run, "a/b")
    results = stored(belt, run)["results.jsonl"]
    files = account_of(said)
    assert files["results.jsonl"] == {
        "lines": 2, "bytes": len(results), "sha256": sha256(results).hexdigest(), "verified": True,
    }  # fmt: skip
    assert (files["receipt.json"]["verified"], files["failures.jsonl"]["verified"]) == (False, True)


def test_files_that_are_there_are_compared_and_left(desk: Command, belt: Belt, aws: Served) -> None:
    """They are not fetched again."""
    finished(belt, drop_of(2))
    desk.call("fetch", "tickets")
    written = (desk.home / "tickets" / "results.jsonl").stat().st_mtime_ns
    aws.reset()
    assert desk.call("fetch", "tickets").exit == 0
    assert aws.asked["HEAD"] == 0
    assert (desk.home / "tickets" / "results.jsonl").stat().st_mtime_ns == written


def test_a_file_of_somebody_else_is_never_overwritten(desk: Command, belt: Belt) -> None:
    """Nor is a folder of another run used."""
    old = finished(belt, drop_of(2))
    folder = desk.home / "tickets"
    folder.mkdir()
    (folder / "results.jsonl").write_text("mine\n")
    ran = desk.call("fetch", old)
    assert (ran.exit, ran.out) == (2, "")
    assert "✗ tickets/results.jsonl is there already, and is not the file of this run (" in ran.error
    assert files_in(folder) == {"results.jsonl": b"mine\n"}
    (folder / "results.jsonl").unlink()
    assert desk.call("fetch", old).exit == 0
    new = finished(belt, drop_of(3))
    ran = desk.call("fetch", new)
    assert ran.exit == 2
    assert ran.error.startswith(f"✗ tickets has the files of another run, {old}\n")


def test_a_page_that_is_not_the_runs_is_never_overwritten(desk: Command, belt: Belt) -> None:
    """Nothing is fetched then. The page of the run itself stays."""
    run = finished(belt, drop_of(2))
    folder = desk.home / "tickets"
    folder.mkdir()
    (folder / "report.html").write_text("mine")
    ran = desk.call("fetch", run)
    assert ran.exit == 2
    assert "✗ tickets/report.html is there already, and is not the file of this run (" in ran.error
    assert files_in(folder) == {"report.html": b"mine"}
    (folder / "report.html").write_bytes(stored(belt, run)["report.html"])
    assert desk.call("fetch", run).exit == 0


def test_a_run_of_an_earlier_release_has_no_page(desk: Command, belt: Belt) -> None:
    """Its other files are fetched: `conveyor report` makes the page."""
    run = finished(belt, drop_of(2))
    belt.s3.delete_object(Bucket=belt.bucket, Key=f"results/support/tickets/{run}/report.html")
    assert desk.call("fetch", run).exit == 0
    assert files_in(desk.home / "tickets").keys() == {"results.jsonl", "failures.jsonl", "receipt.json"}


def test_a_refused_run_has_its_faults(desk: Command, belt: Belt) -> None:
    """There are no results, which is not an error of the command."""
    run = finished(belt, b"{}\n")
    ran = desk.call("fetch", run)
    assert ran.exit == 0
    assert ran.out.startswith(f"! {run} has no results: it is refused\n")
    assert json.loads(desk.call("fetch", run, "--json").out)["status"] == "refused"
    assert set(files_in(desk.home / "tickets")) == {"invalid.jsonl", "receipt.json", "report.html"}


def test_a_run_that_has_not_ended(desk: Command, belt: Belt) -> None:
    """It says how far the run is."""
    belt.upload(drop_of(2), NAME)
    ran = desk.call("fetch", "tickets")
    assert (ran.exit, ran.out) == (2, "")
    assert ran.error == ("✗ support/tickets has not ended: with the provider\n  Its files appear at its end.\n")
    assert not (desk.home / "tickets").exists()
    partial = desk.call("fetch", "tickets", "--partial")
    assert (partial.exit, partial.error.splitlines()[0]) == (2, "✗ Nothing of support/tickets can be read yet")
    assert desk.call("fetch", "tickets", "--partial", "--merged").exit == 2


def test_a_run_of_an_earlier_version_without_an_entry_in_the_index(desk: Command, belt: Belt) -> None:
    """Its receipt says that it has ended."""
    finished(belt, drop_of(2))
    for key in belt.stored("index/"):
        belt.s3.delete_object(Bucket=belt.bucket, Key=key)
    assert desk.call("fetch", "tickets").exit == 0


def test_the_run_of_another_project(desk: Command, belt: Belt, aws: Served) -> None:
    """It says whose it is, and which policy is meant."""
    finished(belt, drop_of(2), project="legal")
    aws.refuse_at("receipt.json", 403, "AccessDenied", DENIED)
    ran = desk.call("fetch", "tickets")
    assert (ran.exit, ran.out) == (8, "")
    assert ran.error.startswith("✗ Not allowed: s3:GetObject on ")
    assert 'The run is of project "legal", and its files are under results/support/tickets/.' in ran.error
    assert 'The policy "dropper" lets people read' in ran.error


def test_a_file_that_was_deleted(desk: Command, belt: Belt) -> None:
    """It is named."""
    run = finished(belt, drop_of(2))
    belt.s3.delete_object(Bucket=belt.bucket, Key=f"results/support/tickets/{run}/results.jsonl")
    ran = desk.call("fetch", "tickets")
    assert ran.exit == 8
    assert "✗ results.jsonl does not exist in the bucket any more\n" in ran.error


class TestOfSeveralBatches:
    """The files of a drop of several batches are joined from parts, and so are their checksums."""

    @pytest.fixture
    def stack_settings(self) -> dict[str, str]:
        """Return the settings of a stack with small batches."""
        return STACK_SETTINGS | {"MAX_REQUESTS_PER_BATCH": "2"}

    def test_each_part_has_its_checksum(self, desk: Command, belt: Belt) -> None:
        """All bytes are compared, as those of a file that was written at once."""
        run = finished(belt, drop_of(5), {"1": "errored:invalid_request_error"})
        accounts = {file["key"].rpartition("/")[2]: file for file in belt.receipt(run)["files"]}
        assert (accounts["results.jsonl"]["sha256"], len(accounts["results.jsonl"]["segments"])) == (None, 3)
        said = json.loads(desk.call("fetch", run, "--json").out)
        assert {name: file["verified"] for name, file in account_of(said).items()} == {
            "results.jsonl": True, "failures.jsonl": True, "receipt.json": False,
            "report.html": False,
        }  # fmt: skip

    def test_a_part_that_differs_is_named_by_its_place(self, desk: Command, belt: Belt) -> None:
        """The file is kept under another name."""
        run = finished(belt, drop_of(5))
        key = f"results/support/tickets/{run}/results.jsonl"
        data = belt.read(key)
        size = belt.receipt(run)["files"][0]["segments"][0]["bytes"]
        changed = data[: size + 5] + b"?" + data[size + 6 :]
        belt.s3.put_object(Bucket=belt.bucket, Key=key, Body=changed)
        ran = desk.call("fetch", "tickets")
        assert ran.exit == 8
        assert "✗ results.jsonl does not match the receipt (sha256 " in ran.error
        assert " bytes before byte " in ran.error
        assert files_in(desk.home / "tickets").keys() == {"results.jsonl.bad", "receipt.json"}

    def test_without_checksums_bytes_and_lines_are_compared(self, desk: Command, belt: Belt) -> None:
        """Receipts of earlier versions have no checksums of joined files: that is said."""
        run = finished(belt, drop_of(5))
        receipt = belt.receipt(run)
        for file in receipt["files"]:
            file.pop("segments", None)
        key = f"results/support/tickets/{run}/receipt.json"
        belt.s3.put_object(Bucket=belt.bucket, Key=key, Body=json.dumps(receipt).encode())
        ran = desk.call("fetch", "tickets")
        assert ran.exit == 0
        assert ran.out.splitlines()[0].endswith(", sizes match")
        assert "No checksum is known of results.jsonl: bytes and lines were compared." in ran.out
