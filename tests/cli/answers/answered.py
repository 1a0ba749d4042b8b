"""A folder as `conveyor fetch` leaves it, with lines of one's own, and tables that are read back."""

from __future__ import annotations

import csv
import json
from contextlib import closing
from hashlib import sha256
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import duckdb
import openpyxl

from tests.support.command import Command, Ran

if TYPE_CHECKING:
    from pathlib import Path

RUN = "20261124T081502Z-5c1e7a90b3d4"


def answer(custom_id: str | int | None, text: str | None = "ok", stop: str = "end_turn", /, **kept: Any) -> bytes:
    """Return a line of `results.jsonl`, with a text or without one."""
    content = [] if text is None else [{"type": "text", "text": text}]
    message = {
        "model": "claude-haiku-4-5",
        "content": content,
        "stop_reason": stop,
        "usage": {"input_tokens": 12, "output_tokens": 3},
    }
    return result(custom_id, message, **kept)


def result(custom_id: str | int | None, response: object, /, **kept: Any) -> bytes:
    """Return the same with any response."""
    line = {"custom_id": custom_id, "response": response, "error": None, **kept}
    return json.dumps(line, ensure_ascii=False).encode() + b"\n"


def failure(custom_id: str | int | None, line: int, outcome: str = "expired", /, **kept: Any) -> bytes:
    """Return a line of `failures.jsonl`."""
    error = {"type": f"{outcome}_error", "message": f"it {outcome}"}
    about = {"response": None, "error": error, "line": line, "outcome": outcome, "retryable": True}
    return json.dumps({"custom_id": custom_id, **about, **kept}, ensure_ascii=False).encode() + b"\n"


class Answered:
    """A folder `november` with the files of a run, and the command as it is typed beside it."""

    def __init__(self, home: Path) -> None:
        """Take the folder of the user."""
        self.home = home
        self._command = Command(home, {})

    def write(self, *results: bytes, failures: tuple[bytes, ...] = (), ordered: bool = True) -> None:
        """Write results and failures, and their receipt."""
        folder = self.home / "november"
        folder.mkdir(exist_ok=True)
        files = {"results.jsonl": b"".join(results), "failures.jsonl": b"".join(failures)}
        accounts = []
        for name, data in files.items():
            (folder / name).write_bytes(data)
            digest = sha256(data).hexdigest()
            accounts.append(
                {"key": f"results/t/{name}", "lines": data.count(b"\n"), "bytes": len(data), "sha256": digest}
            )
        receipt = {
            "run": RUN,
            "name": "support/tickets",
            "status": "completed",
            "requests": len(results) + len(failures),
            "results": len(results),
            "failures": len(failures),
            "not_run": 0,
            "ordered": ordered,
            "files": accounts,
        }
        (folder / "receipt.json").write_text(json.dumps(receipt))

    def type(self, *arguments: str, output: str = "out.csv") -> Ran:
        """Type the command."""
        return self._command.call("table", "--from", "november", "-o", output, *arguments)

    def table(self, *arguments: str, output: str = "out.csv") -> dict[str, Any]:
        """Type the command, which must succeed, and return what it says to a program."""
        ran = self.type("--json", "--force", *arguments, output=output)
        assert (ran.exit, ran.error) == (0, "")
        said: dict[str, Any] = json.loads(ran.out)
        assert [each.name for each in self.home.glob(f"{output}*")] == [output], "nothing else is left"
        return said

    def rows(self, *arguments: str, output: str = "out.csv") -> list[dict[str, Any]]:
        """Do the same, and return the rows of the table by column."""
        columns = self.table(*arguments, output=output)["columns"]
        names, *rows = READERS[output.rpartition(".")[2]](self.home / output)
        assert names == columns
        return [dict(zip_longest(names, row)) for row in rows]  # a sheet has no empty cells at the end of a row

    def refused(self, *arguments: str, output: str = "out.csv", exit_code: int = 2) -> str:
        """Type the command, which must say why not and leave nothing, and return its words."""
        ran = self.type(*arguments, output=output)
        assert (ran.exit, ran.out) == (exit_code, ""), ran
        assert not list(self.home.glob(f"{output}*"))
        assert "defect" not in ran.error
        return ran.error


def read_csv(path: Path) -> list[list[Any]]:
    """Return the rows of a CSV file; no value is None."""
    with path.open(encoding="utf-8", newline="") as file:
        first = next(csv.reader(file))
        return [first, *csv.reader(file, quoting=csv.QUOTE_NOTNULL)]


def read_sheet(path: Path) -> list[list[Any]]:
    """Return the rows of the only sheet of a workbook."""
    with closing(openpyxl.load_workbook(path, read_only=True)) as book:  # else its file is closed at any later time
        (sheet,) = book.worksheets
        return [list(row) for row in sheet.iter_rows(values_only=True)]


def read_parquet(path: Path) -> list[list[Any]]:
    """Return the rows of a Parquet file."""
    with duckdb.connect() as connection:
        found = connection.execute("SELECT * FROM read_parquet(?)", [str(path)])
        return [[each[0] for each in found.description], *map(list, found.fetchall())]


def types_of(path: Path) -> dict[str, str]:
    """Return the types of the columns of a Parquet file."""
    with duckdb.connect() as connection:
        found = connection.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(path)])
        return {each[0]: each[1] for each in found.fetchall()}


READERS = {"csv": read_csv, "xlsx": read_sheet, "parquet": read_parquet}
