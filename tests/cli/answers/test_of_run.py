"""The table of a run in the bucket, of a run with its retries, and of a folder."""

import json
from typing import Any

from tests.cli.answers.answered import READERS, Answered, answer
from tests.cli.test_fetch_merged import INVALID, NAME, OVERLOADED, finished, sent_again
from tests.support.belt import Belt, drop_of, request
from tests.support.command import Command


def rows_of(desk: Command, *arguments: str) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Write a table, and return what the command says, and the ids and outcomes."""
    ran = desk.call("table", *arguments, "-o", "out.csv", "--json", "--force")
    assert (ran.exit, ran.error) == (0, "")
    names, *rows = READERS["csv"](desk.home / "out.csv")
    table = [dict(zip(names, row, strict=True)) for row in rows]
    return json.loads(ran.out), [(row["custom_id"], row["outcome"]) for row in table]


def test_a_run_in_the_bucket(desk: Command, belt: Belt) -> None:
    """In the order of the drop, also if it has blank lines and lines that were left out."""
    lines = [request("a"), b"", request("b"), request("a"), b"  ", b"", request("c"), request("d"), b""]
    finished(belt, {"2": INVALID}, b"\n".join(lines) + b"\n", **{"on-invalid": "skip"})
    said, rows = rows_of(desk, "tickets")
    assert rows == [("a", "succeeded"), ("b", "errored"), ("a", "invalid"), ("c", "succeeded"), ("d", "succeeded")]
    assert (said["rows"], said["notes"]) == (5, [])


def test_a_run_with_its_retries(desk: Command, belt: Belt) -> None:
    """What they have answered stands in its place; nothing but the table is left on this machine."""
    run = finished(belt, {"1": OVERLOADED, "3": INVALID, "4": OVERLOADED}, b"\n" + drop_of(5))
    sent_again(belt, run, "inbox/support/again.jsonl", {"2": "canceled"})
    _, rows = rows_of(desk, run, "--merged")
    assert [outcome for _, outcome in rows] == ["succeeded", "succeeded", "errored", "canceled", "succeeded"]
    assert [name for name, _ in rows] == [f"r-{number}" for number in range(1, 6)]
    assert {path.name for path in desk.home.iterdir()} <= {"out.csv", ".config"}


def test_a_drop_that_is_gone(desk: Command, belt: Belt) -> None:
    """Then nobody knows where its blank lines were, and that is said."""
    run = finished(belt, {"1": INVALID}, b"\n\n" + drop_of(2))
    version = belt.receipt(run)["drop"]["version"]
    belt.s3.delete_object(Bucket=belt.bucket, Key=NAME, VersionId=version)
    said, rows = rows_of(desk, "tickets")
    assert [name for name, _ in rows] == ["r-2", "r-1"]
    assert said["notes"] == ["Failures are at the end: their places among the results are not known."]


def test_a_folder_that_was_fetched(desk: Command, belt: Belt) -> None:
    """Its own files, or the merged ones; the network is not needed."""
    run = finished(belt, {"1": OVERLOADED}, drop_of(2))
    sent_again(belt, run, "inbox/support/again.jsonl", {})
    desk.call("fetch", run, "--merged", "--to", "november")
    desk.env["AWS_ENDPOINT_URL"] = "http://127.0.0.1:9"
    said, rows = rows_of(desk, "--from", "november")
    assert rows == [("r-1", "errored"), ("r-2", "succeeded")]
    assert said["notes"] == ["The folder has merged files, too: add --merged to read these."]
    assert rows_of(desk, "tickets", "--from", "november", "--merged")[1] == [("r-1", "succeeded"), ("r-2", "succeeded")]
    ran = desk.call("table", "others", "--from", "november", "-o", "new.csv")
    assert (ran.exit, ran.error.splitlines()[0]) == (2, f"✗ november has the files of another run, {run}")


def test_a_run_without_answers(desk: Command, belt: Belt) -> None:
    """One that has not ended, and one that was refused; neither leaves a file."""
    belt.upload(drop_of(2), NAME)
    ran = desk.call("table", "tickets", "-o", "out.csv")
    assert (ran.exit, ran.error.splitlines()[0]) == (2, "✗ support/tickets has not ended: with the provider")
    assert desk.call("table", "tickets", "--merged", "-o", "out.csv").error == ran.error
    belt.finish(belt.upload(b"{}\n", "inbox/support/broken.jsonl"))
    ran = desk.call("table", "broken", "-o", "out.csv")
    assert (ran.exit, ran.error) == (2, "✗ support/broken has no answers: refused\n  Nothing was written.\n")
    desk.call("fetch", "broken")
    assert desk.call("table", "--from", "broken", "-o", "out.csv").error == ran.error
    assert not list(desk.home.glob("out*"))


def test_neither_a_run_nor_a_folder(desk: Command) -> None:
    """One of them is needed."""
    ran = desk.call("table", "-o", "out.csv")
    assert (ran.exit, ran.error.splitlines()[0]) == (2, "✗ Name a run, or a folder with --from")


def test_files_that_are_not_those_of_the_receipt(answered: Answered) -> None:
    """A file that was cut is no table with fewer rows."""
    answered.write(answer("a"), answer("b"))
    path = answered.home / "november" / "results.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert "results.jsonl does not match the receipt (" in answered.refused(exit_code=8)
    path.write_bytes(b"[1]\n")
    assert "results.jsonl, line 1 is not a line of results or failures" in answered.refused(exit_code=8)
    path.unlink()
    assert "november has no results.jsonl" in answered.refused()
    (answered.home / "november" / "receipt.json").unlink()
    assert "november has no receipt of a run" in answered.refused()


def test_a_damaged_file(answered: Answered) -> None:
    """Bytes that are no text are no defect of the command, wherever they are in a line."""
    answered.write(b'{"custom_id": "a", "response": {"content": "\xff"}, "error": null}\n')
    assert "results.jsonl, line 1 is not a line of results or failures" in answered.refused(exit_code=8)


def test_a_table_that_cannot_be_written(answered: Answered) -> None:
    """A folder that does not exist, say."""
    answered.write(answer("a"))
    ran = answered.type(output="none/out.csv")
    assert (ran.exit, ran.error) == (8, "✗ none/out.csv cannot be written: No such file or directory\n")
