"""What is no table, and files that are not to be overwritten."""

import gzip
import os
import stat
from pathlib import Path

import pytest

from tests.cli.tables.conftest import MODEL, Desk
from tests.support.wrong_files import JSONL, zipped

TABLE = "text,note\na,b\n"
OLD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
OPEN_SHEET = zipped("mimetype", b"application/vnd.oasis.opendocument.spreadsheet", "content.xml")
ERROR = "(InvalidInputException)"
WRONG = {
    "t.xls": (OLD, "is no table, but a file of an old Office program, or an encrypted one"),
    "t.xlsb": (zipped("xl/workbook.bin", b"x"), "is no table, but a binary workbook (.xlsb)"),
    "t.ods": (OPEN_SHEET, "is no table, but an OpenDocument file"),
    "t.numbers": (zipped("Index/Document.iwa", b"x"), "is no table, but a document of Numbers, Pages or Keynote"),
    "t.docx": (zipped("word/document.xml", b"x"), "is no table, but a Word document"),
    "t.pptx": (zipped("ppt/presentation.xml", b"x"), "is no table, but a presentation"),
    "t.zip": (zipped("t.csv", b"x"), "is no table, but a ZIP archive"),
    "cut.xlsx": (zipped("xl/workbook.xml", b"x")[:-30], "is no table, but a damaged ZIP archive or workbook"),
    "no.xlsx": (zipped("xl/workbook.xml", b"x"), "is damaged, or not a workbook that can be read (KeyError)"),
    "t.csv.zst": (b"(\xb5/\xfd" + bytes(9), "is no table, but packed with zstd"),
    "t.parquet": (b"PAR1" + bytes(99), f"is damaged, or not Parquet that DuckDB reads {ERROR}"),
    "t.json": (b'[{"text": "a"}, {"text"', f"is damaged, or not JSON that DuckDB reads {ERROR}"),
    "t.pdf": (b"%PDF-1.7", "is no table, but one PDF or image"),
    "t.db": (b"SQLite format 3\0", "is no table, but an SQLite database"),
    "page.csv": (b"<!DOCTYPE html><html>", "is no table, but a web page (HTML)"),
    "bytes.csv": (b"a\0b,c\n\0\0", "is no table, but neither text nor a table that is known"),
    "lfs.csv": (b"version https://git-lfs.github.com/spec/v1\n", "is no table, but a Git LFS pointer"),
}  # fmt: skip
TYPED = {"t.zip": "unzip t.zip", "t.csv.zst": "zstd -dc < t.csv.zst > t-unpacked", "lfs.csv": "git lfs pull"}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_file(desk: Desk, name: str) -> None:
    """It is said what it is, and what to do."""
    content, told = WRONG[name]
    desk.write(name, content)
    first, more, *commands = desk.refused(name)
    assert first == f"{name} {told}"
    assert "Nothing was written." in more
    assert commands == ([TYPED[name]] if name in TYPED else [])


def test_requests(desk: Desk) -> None:
    """Need no preparation."""
    desk.write("t.jsonl", JSONL)
    told = desk.refused("t.jsonl", exit_code=2)
    assert (told[0], told[2]) == ("t.jsonl has requests already", "conveyor drop t.jsonl")


def test_a_damaged_file_of_gzip(desk: Desk) -> None:
    """May have lost its end on its way."""
    desk.write("t.csv.gz", gzip.compress(TABLE.encode() * 99)[:-9])
    assert desk.refused("t.csv.gz", exit_code=8)[0] == "t.csv.gz is packed with gzip, and damaged"


def test_a_file_that_is_not_there(desk: Desk) -> None:
    """The table, the prompt and the others."""
    desk.write("t.csv", TABLE)
    assert desk.refused("u.csv", exit_code=2)[0] == 'There is no "u.csv"'
    assert desk.refused("t.csv", "--system", "s.md", exit_code=2)[0] == 'There is no "s.md"'
    assert desk.refused("t.csv", "--schema", "s.json", exit_code=2)[0] == 'There is no "s.json"'


def test_a_pipe(desk: Desk) -> None:
    """A table is read more than once."""
    os.mkfifo(desk.folder / "t.csv")
    assert desk.refused("t.csv", exit_code=2)[0] == "t.csv is no file"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--model-column", "note", "--model", MODEL], "Either --model or --model-column says which model answers"),
        (["--separator", "ab"], '"ab" is no separator: name one character, or tab'),
        (["--encoding", "klingon"], 'There is no encoding "klingon"'),
        (["--encoding", "undefined"], 'There is no encoding "undefined"'),
    ],
)
def test_wrong_options(desk: Desk, options: list[str], told: str) -> None:
    """Nothing is read."""
    desk.write("t.csv", TABLE)
    assert desk.refused("t.csv", *options, exit_code=2)[0] == told


def test_a_file_is_not_overwritten(desk: Desk) -> None:
    """Unless that is said; and never the table."""
    desk.write("t.csv", TABLE)
    desk.write("t.jsonl", "mine")
    assert desk.type("t.csv").error.startswith("✗ t.jsonl exists already\n")
    assert (desk.folder / "t.jsonl").read_text() == "mine"
    assert desk.type("t.csv", "--force").exit == 0
    assert len(desk.requests("t.jsonl")) == 1
    assert desk.type("t.csv", "-o", "./t.csv", "--force").error.startswith("✗ t.csv is the table itself")
    assert (desk.folder / "t.csv").read_text() == TABLE


@pytest.mark.parametrize("name", ["prompt.md", "system.md", "schema.json"])
def test_what_is_read_is_not_overwritten(desk: Desk, name: str) -> None:
    """Whatever --force says."""
    desk.write("t.csv", TABLE)
    desk.write("system.md", "S")
    desk.write("schema.json", '{"type": "object"}')
    options = ("--system", "system.md", "--schema", "schema.json", "--force")
    before = (desk.folder / name).exists() and (desk.folder / name).read_bytes()
    ran = desk.type("t.csv", "-o", name, *options)
    assert (ran.exit, ran.error.splitlines()[0].endswith("itself: name another file with -o")) == (2, True)
    assert not before or (desk.folder / name).read_bytes() == before


def test_what_is_no_file_is_not_replaced(desk: Desk) -> None:
    """A device, for example."""
    desk.write("t.csv", TABLE)
    os.mkfifo(desk.folder / "pipe")
    assert desk.type("t.csv", "-o", "pipe", "--force").error.startswith("✗ pipe is no file")


def test_names_and_rights_of_what_is_written(desk: Desk) -> None:
    """Named after the table, readable as any new file."""
    desk.write("in/t.v2.CSV.gz", gzip.compress(TABLE.encode()))
    desk.write("u.jsonl", '{"text": "a"}\n')
    assert [desk.type(name).exit for name in ("in/t.v2.CSV.gz", "u.jsonl")] == [0, 0]
    made = {path.name: path for path in desk.folder.glob("*.jsonl")}
    assert made.keys() == {"t.v2.jsonl", "u.jsonl", "u-requests.jsonl"}
    assert stat.S_IMODE(made["t.v2.jsonl"].stat().st_mode) == stat.S_IMODE(made["u.jsonl"].stat().st_mode)


@pytest.mark.parametrize("output", ["-", ".", "no/such/folder.jsonl"])
def test_where_nothing_can_be_written(desk: Desk, output: str) -> None:
    """It is said before all the work."""
    desk.write("t.csv", TABLE)
    ran = desk.type("t.csv", "-o", output)
    assert (ran.exit, ran.out) in {(2, ""), (8, "")}
    assert ran.error.startswith("✗ ")
    assert "defect" not in ran.error


def test_a_refused_table_leaves_what_was_there(desk: Desk) -> None:
    """Also where it would have been replaced."""
    desk.write("t.csv", "text,note\na,b\n,c\n")
    desk.write("out.jsonl", "before")
    assert desk.type("t.csv", "-o", "out.jsonl", "--force").exit == 3
    assert (desk.folder / "out.jsonl").read_text() == "before"
    assert sorted(path.name for path in Path(desk.folder).iterdir()) == ["out.jsonl", "prompt.md", "t.csv"]
