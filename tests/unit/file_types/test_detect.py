"""A wrong file is told by its beginning, with the command that mends it; a file that may be sent never is."""

import bz2
import csv
import gzip
import io
import json
import lzma
import secrets
import shutil
import subprocess
import tarfile
import tracemalloc
import zipfile
from collections.abc import Iterator
from pathlib import Path
from pprint import pformat
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from conveyor.file_types.conversion import Conversion, conversion_of
from conveyor.file_types.detect import WINDOW, WrongFileType, reject_wrong_type
from conveyor.jsonl.complexity import MOST_VALUES
from conveyor.jsonl.gzip_stream import unpack_all
from conveyor.jsonl.lines import LONGEST_LINE

REPORTS = Path(__file__).parents[2] / "data" / "reports"


def asked(number: int, text: str = "Hi") -> dict[str, Any]:
    """Make a request."""
    params = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": text}]}
    return {"custom_id": f"r{number}", "params": params}


REQUESTS = [asked(1), asked(2, 'a, b; "c" é 😀 [{,}] \\ \n \r ,]'), asked(3)]
LINES = [json.dumps(request, ensure_ascii=False) for request in REQUESTS]
JSONL = "".join(f"{line}\n" for line in LINES).encode()


def cut(data: bytes, size: int) -> list[bytes]:
    """Cut bytes into chunks."""
    return [data[begin : begin + size] for begin in range(0, len(data), size)]


def type_of_file(data: bytes, size: int = 1 << 23) -> WrongFileType | None:
    """Return what a file is told to be; None where it is passed on, whole."""
    passed = []
    try:
        for chunk in reject_wrong_type(cut(data, size)):
            passed.append(chunk)  # noqa: PERF402  # what came before an error is looked at
    except WrongFileType as error:
        assert not b"".join(passed).strip()
        return error
    assert b"".join(passed) == data
    return None


PROGRAMS = ("jq", "iconv", "unzip", "bzip2", "xz", "zstd")


def converted(data: bytes, folder: Path, name: str = "my file's.jsonl") -> list[Any]:
    """Type the command of a refusal, and read the requests that it writes."""
    layers, chunks = unpack_all([data], 1 << 30)
    wrong = type_of_file(b"".join(chunks))
    assert wrong is not None
    conversion = conversion_of(wrong.file_type, f"inbox/team/{name}", layers)
    assert conversion is not None
    (folder / name).write_bytes(data)
    lacking = [program for program in PROGRAMS if program in conversion.command and not shutil.which(program)]
    assert not lacking, f"the tests type the commands of refusals: install {' '.join(PROGRAMS)}"
    subprocess.run(["sh", "-c", conversion.command], cwd=folder, check=True, timeout=60)  # noqa: S603, S607  # as a person does
    made = (folder / conversion.file).read_bytes()
    assert type_of_file(made) is None
    return [json.loads(line) for line in made.decode("utf-8-sig").split("\n") if line.strip()]


def array(separator: str = ", ", before: str = "[", after: str = "]") -> bytes:
    """Write requests as a JSON array."""
    return f"{before}{separator.join(LINES)}{after}".encode()


def pretty(indent: int | str = 2, value: Any = None) -> str:
    """Write JSON over several lines."""
    return json.dumps(REQUESTS if value is None else value, indent=indent, ensure_ascii=False)


def each_pretty(separator: str) -> bytes:
    """Write each request over several lines."""
    return separator.join(pretty(value=request) for request in REQUESTS).encode()


def zipped(name: str, data: bytes, *more: str) -> bytes:
    """Write a ZIP archive."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
        for each in more:
            archive.writestr(each, b"x")
    return file.getvalue()


def tarred(data: bytes) -> bytes:
    """Write a tar archive."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        member = tarfile.TarInfo("requests.jsonl")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return file.getvalue()


def table_of_json() -> bytes:
    """Write what a spreadsheet writes of a column of requests."""
    return "".join('"' + line.replace('"', '""') + '"\r\n' for line in LINES).encode()


def table(separator: str, *rows: tuple[str, ...], end: str = "\r\n") -> bytes:
    """Write rows as spreadsheets do."""
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=separator, lineterminator=end).writerows(rows)
    return file.getvalue().encode()


ROWS = [(request["custom_id"], json.dumps(request["params"], ensure_ascii=False)) for request in REQUESTS]
BY_ID = {request["custom_id"]: {"params": request["params"]} for request in REQUESTS}
PARAMS_BY_ID = {request["custom_id"]: request["params"] for request in REQUESTS}
LARGE_BY_ID = {f"r{number}": {"params": asked(1, "x" * (WINDOW // 2))["params"]} for number in (1, 2, 3)}
BY_COLUMN = {
    "custom_id": {str(row): request["custom_id"] for row, request in enumerate(REQUESTS)},
    "params": {str(row): request["params"] for row, request in enumerate(REQUESTS)},
}
SPLIT = {
    "columns": ["custom_id", "params"],
    "index": [0, 1, 2],
    "data": [[request["custom_id"], request["params"]] for request in REQUESTS],
}
MARK = b"\xef\xbb\xbf"
MENDED = {
    "array on one line": ("file-is-json-array", array()),
    "array on one line, ended": ("file-is-json-array", array() + b"\n\n"),
    "array of lines": ("file-is-json-array", array(",\n", "[\n", "\n]\n")),
    "array of lines, indented, CRLF": ("file-is-json-array", array(",\r\n  ", "[\r\n  ", "\r\n]\r\n")),
    "array, commas between lines": ("file-is-json-array", array(",\n")),
    "array, commas before lines": ("file-is-json-array", array("\n,", "[\n", "\n]")),
    "array after a mark and blank lines": ("file-is-json-array", MARK + b"\r\n\n " + array()),
    "array, comma at its end": ("file-is-json-array", array(",\n", "[\n", ",\n]\n")),
    "array on one line, comma at its end": ("file-is-json-array", array(",", "[", ",]")),
    "pretty array": ("file-is-json-array", pretty().encode()),
    "pretty array, comma at its end": ("file-is-json-array", pretty()[:-1].rstrip().encode() + b",\n]"),
    "an array a line": ("file-is-json-array", b"".join(f"[{line}]\n".encode() for line in LINES)),
    "pretty objects": ("file-is-pretty-json", each_pretty("\n")),
    "pretty objects, blank lines between": ("file-is-pretty-json", each_pretty("\n\n") + b"\n"),
    "pretty objects, tabs and CRLF": (
        "file-is-pretty-json",
        "\r\n".join(pretty("\t", each).replace("\n", "\r\n") for each in REQUESTS).encode(),
    ),
    "pretty objects, CR": ("file-is-pretty-json", each_pretty("\n").replace(b"\n", b"\r")),
    "pretty objects with commas": ("file-has-commas", each_pretty(",\n")),
    "body": ("file-is-request-body", json.dumps({"requests": REQUESTS}).encode() + b"\n"),
    "body after another key": ("file-is-request-body", json.dumps({"model": "m", "requests": REQUESTS}).encode()),
    "pretty body": ("file-is-request-body", pretty(value={"requests": REQUESTS}).encode()),
    "body with a request a line": ("file-is-request-body", array(",\n", '{"requests": [\n', "\n]}")),
    "body under another name": ("file-is-request-body", pretty(value={"data": REQUESTS}).encode()),
    "commas between lines": ("file-has-commas", ",\n".join(LINES).encode()),
    "commas behind lines, CRLF": ("file-has-commas", "".join(f"{line},\r\n" for line in LINES).encode()),
    "CR": ("file-has-cr-lines", JSONL.replace(b"\n", b"\r")),
    "CR, ended by LF": ("file-has-cr-lines", JSONL.replace(b"\n", b"\r") + b"\n"),
    "one line": ("file-has-one-line", "".join(LINES).encode()),
    "one line, spaces between": ("file-has-one-line", "  ".join(LINES).encode() + b"\r\n"),
    "UTF-16": ("file-is-utf16", JSONL.decode().encode("utf-16")),
    "UTF-16 big-endian with mark": ("file-is-utf16", b"\xfe\xff" + JSONL.decode().encode("utf-16-be")),
    "UTF-16 without mark": ("file-is-utf16", JSONL.decode().encode("utf-16-le")),
    "UTF-16 after blank lines": ("file-is-utf16", ("\r\n" + JSONL.decode()).encode("utf-16-le")),
    "UTF-16 big-endian without mark": ("file-is-utf16", JSONL.decode().encode("utf-16-be")),
    "UTF-32": ("file-is-utf32", JSONL.decode().encode("utf-32")),
    "UTF-32 without mark": ("file-is-utf32", JSONL.decode().encode("utf-32-le")),
    "UTF-32 big-endian without mark": ("file-is-utf32", JSONL.decode().encode("utf-32-be")),
    "zip": ("file-is-zip", zipped("requests.jsonl", JSONL)),
    "zip of a Mac": ("file-is-zip", zipped("requests.jsonl", JSONL, "__MACOSX/._requests.jsonl")),
    "bzip2": ("file-is-bzip2", bz2.compress(JSONL)),
    "xz": ("file-is-xz", lzma.compress(JSONL)),
    "tar": ("file-is-tar", tarred(JSONL)),
    "tar.gz": ("file-is-tar", gzip.compress(tarred(JSONL))),
    "packed array": ("file-is-json-array", gzip.compress(array())),
    "twice packed array": ("file-is-json-array", gzip.compress(gzip.compress(array()))),
    "packed three times": ("file-is-gzip", gzip.compress(gzip.compress(gzip.compress(JSONL)))),
    "packed zip": ("file-is-zip", gzip.compress(zipped("requests.jsonl", JSONL))),
    "packed UTF-16": ("file-is-utf16", gzip.compress(JSONL.decode().encode("utf-16"))),
    "pandas by column": ("file-is-json-table", json.dumps(BY_COLUMN).encode()),
    "pandas by row": ("file-is-json-table", json.dumps({str(row): each for row, each in enumerate(REQUESTS)}).encode()),
    "pandas split": ("file-is-json-table", json.dumps(SPLIT).encode()),
    "strings": ("file-is-json-strings", "".join(f"{json.dumps(line)}\n" for line in LINES).encode()),
    "Python": ("file-is-python", "".join(f"{request}\n" for request in REQUESTS).encode()),
    "pandas by row, pretty": (
        "file-is-json-table",
        pretty(value={str(row): each for row, each in enumerate(REQUESTS)}).encode(),
    ),
    "pandas by column, pretty": ("file-is-json-table", pretty(value=BY_COLUMN).encode()),
    "by id": ("file-is-keyed-by-id", json.dumps(BY_ID).encode()),
    "by id, pretty": ("file-is-keyed-by-id", MARK + pretty(value=BY_ID).encode() + b"\n"),
    "by id, pretty and large": ("file-is-keyed-by-id", pretty(value=LARGE_BY_ID).encode()),
    "params by id": ("file-is-keyed-by-id", json.dumps(PARAMS_BY_ID).encode()),
    "params by id, pretty": ("file-is-keyed-by-id", pretty("\t", PARAMS_BY_ID).encode()),
    "Python with a mark": ("file-is-python", MARK + "".join(f"{request}\r\n" for request in REQUESTS).encode()),
    "a Python list": ("file-is-python", str(REQUESTS).encode()),
    "a Python list over lines": ("file-is-python", MARK + pformat(REQUESTS, width=30).encode()),
    "Python over lines": (
        "file-is-python", "\n".join(pformat(each, width=30) for each in REQUESTS).encode(),
    ),
    "a Python list and another": ("file-is-python", f"{REQUESTS[:1]}\n{REQUESTS[1:]}\n".encode()),
    "Python with commas": ("file-is-python", "".join(f"{request},\n" for request in REQUESTS).encode()),
    "column of JSON with a mark and no name": ("file-is-table", MARK + table_of_json()),
    "column of JSON among others": (
        "file-is-table",
        table("\t", ("n", "request"), *((str(n), line) for n, line in enumerate(LINES))),
    ),
    "column of JSON before others": ("file-is-table", MARK + table(";", *((line, "a, b") for line in LINES))),
    "column of JSON after others": ("file-is-table", table("\t", *(("a, b;", line) for line in LINES))),
    "column of JSON over lines": ("file-is-table", table(",", *((pretty(value=each),) for each in REQUESTS), end="\n")),
    "params in cells": ("file-is-table", table(",", ("custom_id", "params"), *ROWS)),
    "params in cells, semicolons": ("file-is-table", MARK + table(";", ("custom_id", "params"), *ROWS)),
    "params in cells, tabs": ("file-is-table", table("\t", ("custom_id", "params"), *ROWS, end="\n")),
    "params in cells, bars, in another order": (
        "file-is-table",
        table("|", ("params", "note", "Custom_ID"), *((params, "-, -", id_) for id_, params in ROWS)),
    ),
    "params in cells, separator named": (
        "file-is-table",
        MARK + b"sep=;\r\n" + table(";", ("custom_id", "params"), *ROWS),
    ),
    "column of JSON": ("file-is-table", table_of_json()),
    "column of JSON with its name": ("file-is-table", MARK + b"request\r\n" + table_of_json()),
    "sequence": ("file-is-json-sequence", "".join(f"\x1e{line}\n" for line in LINES).encode()),
}  # fmt: skip


@pytest.mark.parametrize(("code", "data"), MENDED.values(), ids=MENDED)
def test_the_command_of_a_wrong_file_makes_a_file_of_all_its_requests(code: str, data: bytes, tmp_path: Path) -> None:
    """Typed as it stands, on a file whose name a shell could take for something else."""
    assert [request["custom_id"] for request in converted(data, tmp_path)] == ["r1", "r2", "r3"]
    _, chunks = unpack_all([data], 1 << 30)
    wrong = type_of_file(b"".join(chunks))
    assert wrong is not None
    assert wrong.code == code
    assert "skip" not in str(wrong)


@pytest.mark.parametrize(
    "data",
    [
        table(",", ("custom_id", "params"), *ROWS, ("r4", "")),
        table(",", ("custom_id", "params"), *ROWS, ("", ROWS[0][1])),
        table(",", ("id", "request"), *ROWS),
        table(";", *ROWS),
        table(",", *((line,) for line in LINES), ("r4",)),
        table_of_json() + b'"{""custom_id"": ""r4"", \r\n',
        "".join(
            f"{request}\n" for request in [*REQUESTS, {"custom_id": "r4", "params": {"top_p": float("nan")}}]
        ).encode(),
        each_pretty("\n") + b'\n{"custom_id":\n "r4", nonsense}',
    ],
)
def test_a_command_that_cannot_read_a_request_writes_no_file(data: bytes, tmp_path: Path) -> None:
    """Nobody may take the others for all."""
    wrong = type_of_file(data)
    assert wrong is not None
    conversion = conversion_of(wrong.file_type, "inbox/x.jsonl", 0)
    assert conversion is not None
    (tmp_path / "x.jsonl").write_bytes(data)
    done = subprocess.run(["sh", "-c", conversion.command], cwd=tmp_path, capture_output=True, check=False, timeout=60)  # noqa: S603, S607
    assert done.returncode != 0
    assert done.stderr
    assert not (tmp_path / conversion.file).exists()


@pytest.mark.parametrize("more", [(), ("__MACOSX/._requests.jsonl",)])
def test_unzip_says_nothing_that_would_worry(more: tuple[str, ...], tmp_path: Path) -> None:
    """Nor does it print what a Mac adds."""
    (tmp_path / "x.zip").write_bytes(zipped("_requests.jsonl", JSONL, *more))
    wrong = type_of_file((tmp_path / "x.zip").read_bytes())
    assert wrong is not None
    conversion = conversion_of(wrong.file_type, "inbox/x.zip", 0)
    assert conversion is not None
    done = subprocess.run(["sh", "-c", conversion.command], cwd=tmp_path, capture_output=True, check=True, timeout=60)  # noqa: S603, S607
    assert done.stderr == b""
    assert (tmp_path / conversion.file).read_bytes() == JSONL


def test_of_an_archive_whose_end_is_far_away_the_caution_is_explained() -> None:
    """What a Mac adds is listed there."""
    wrong = type_of_file(zipped("requests.jsonl", secrets.token_bytes(WINDOW), "__MACOSX/._requests.jsonl"))
    assert wrong is not None
    assert "-x '__MACOSX/*'" in wrong.file_type.tool
    assert 'ignore "filename not matched"' in str(wrong)


def test_a_second_command_reads_what_the_first_one_wrote(tmp_path: Path) -> None:
    """Under the name under which that was dropped: the first file is another one, and is kept."""
    data = json.dumps({"requests": REQUESTS}).encode().decode().encode("utf-16")
    file = "x.jsonl"
    (tmp_path / file).write_bytes(data)
    for _ in range(2):
        wrong = type_of_file((tmp_path / file).read_bytes())
        assert wrong is not None
        conversion = conversion_of(wrong.file_type, f"inbox/{file}", 0)
        assert conversion is not None
        subprocess.run(["sh", "-c", conversion.command], cwd=tmp_path, check=True, timeout=60)  # noqa: S603, S607
        file = conversion.file
    assert [json.loads(line) for line in (tmp_path / file).read_text().splitlines()] == REQUESTS
    assert (tmp_path / "x.jsonl").read_bytes() == data


@pytest.mark.parametrize("name", ["-x.jsonl", "$(x) `y`.jsonl", "é 😀.json", ".jsonl", "a.b.zip", "x.jsonl.gz"])
def test_a_command_names_the_file_whatever_its_name_is(name: str, tmp_path: Path) -> None:
    """And what it writes is named after it."""
    assert converted(zipped("requests.jsonl", JSONL), tmp_path, name) == converted(array(), tmp_path, name)


def test_zstd_is_told(tmp_path: Path) -> None:
    """Python's library does not pack it yet."""
    packed = subprocess.run(["zstd", "-c"], input=JSONL, capture_output=True, check=True)  # noqa: S607
    assert len(converted(packed.stdout, tmp_path)) == 3


def test_a_request_is_one_whatever_its_text_looks_like() -> None:
    """A tar archive has "ustar" at this place, and NULs around it."""
    before = b'{"custom_id":"1","params":{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"'
    line = before + b"x" * (256 - len(before)) + b'mustard please"}]}}\n'
    assert line[257:262] == b"ustar"
    assert b"".join(reject_wrong_type([line * 3])) == line * 3
    (text,) = filter(None, [type_of_file(b"x" * 256 + b"mustard")])
    assert text.code == "file-is-text"


@pytest.mark.slow
def test_an_object_of_too_many_fields_is_left_to_the_checks_of_lines() -> None:
    """None of them is decoded here: that would take many times the bytes."""
    fields = ",".join(f'"{number:x}":1' for number in range(MOST_VALUES + 1))
    data = f"{{{fields}}}".encode()
    tracemalloc.start()
    try:
        assert type_of_file(data) is None
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 6 * len(data)


def test_byte_order_marks_are_passed_over_at_once() -> None:
    """A copy of the rest for each of them would take minutes."""
    data = (MARK + b"\n") * 1_000_000 + b"{}"
    assert b"".join(reject_wrong_type([data])) == data


CSV = b'custom_id,prompt\nr1,Hello\nr2,"How, and ""why""?\nTell"\n'
CELL = {"cell_type": "code", "metadata": {}, "source": ["print(1)\n"], "outputs": []}
NOTEBOOK = {"cells": [CELL], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
LARGE_NOTEBOOK = NOTEBOOK | {"cells": [CELL] * 3000}
TOLD = {
    "CSV": ("file-is-table", CSV, "commas"),
    "CSV with CR": ("file-is-table", CSV.replace(b"\n", b"\r"), "commas"),
    "CSV with a mark": ("file-is-table", MARK + CSV.replace(b"\n", b"\r\n"), "commas"),
    "TSV": ("file-is-table", b"id\tprompt\n1\tHello, you\n2\tWhy\n", "tabs"),
    "CSV of Excel in Europe": ("file-is-table", b"id;prompt\r\n1;Hello, you\r\n2;Why\r\n", "semicolons"),
    "CSV that names its separator": ("file-is-table", b"sep=;\r\nid;prompt\r\n1;x\r\n", "semicolons"),
    "CSV in Latin-1": ("file-is-table", b"id,prompt\n1,caf\xe9\n", "commas"),
    "header of a CSV alone": ("file-is-table", b"custom_id,model,prompt\n", "commas"),
    "CSV with quotes": ("file-is-table", b'"custom_id","prompt"\n"r1","x"\n"r2","y"\n', "commas"),
    "text": ("file-is-text", b"Tell me a story.\nAnother one, please.\n", "docs/files.md"),
    "one word": ("file-is-text", b"hello", "docs/files.md"),
    "YAML": ("file-is-yaml", b"- custom_id: r1\n  params:\n    model: m\n", "JSON"),
    "YAML of requests": ("file-is-yaml", b"requests:\n- custom_id: r1\n  params: {model: m}\n", "JSON"),
    "YAML documents": ("file-is-yaml", b"---\nid: r1\nprompt: Hello, you\n---\nid: r2\nprompt: Why, then\n", "JSON"),
    "YAML with a comment": ("file-is-yaml", b"# mine\ncustom_id: r1\nprompt: |\n  Hello\n  you\n", "JSON"),
    "log": (
        "file-is-log",
        "".join(f"2026-11-29 12:00:0{n} INFO sent {line}\n" for n, line in enumerate(LINES)).encode(),
        "a log",
    ),
    "grep -n": ("file-is-log", "".join(f"{n}:{line}\r\n" for n, line in enumerate(LINES)).encode(), "grep"),
    "log, with other lines": ("file-is-log", f"start, now\nINFO x {LINES[0]}\ny {LINES[1]}\n".encode(), "log"),
    "notebook": ("file-is-notebook", pretty(1, NOTEBOOK).encode(), "Jupyter"),
    "notebook on one line": ("file-is-notebook", json.dumps(NOTEBOOK).encode(), "Jupyter"),
    "large notebook": ("file-is-notebook", pretty(1, LARGE_NOTEBOOK).encode(), "Jupyter"),
    "YAML with quotes": ("file-is-yaml", b'- "custom_id": "r1"\n  "params":\n    "model": "m"\n', "JSON"),
    "YAML by id": ("file-is-yaml", MARK + b"t-1:\n  params:\n    model: m\n", "JSON"),
    "Python code": ("file-is-text", b"requests = [{'custom_id': 'r1', 'params': {}}]\n", "with a JSON library"),
    "JSON in a fence": ("file-is-text", b"```json\n" + pretty().encode() + b"\n```\n", "with a JSON library"),
    "TSV with JSON": ("file-is-table", b'custom_id\tparams\nr1\t{"model": "m"}\nr2\t{"model": "m"}\n', "tabs"),
    "dialogue": ("file-is-text", b"Question: why?\nAnswer: because.\n", "docs/files.md"),
    "HTML": ("file-is-web-page", b"<!DOCTYPE html>\n<html><body>403</body></html>", "HTML"),
    "HTML fragment": ("file-is-web-page", b"\n<html>\r\n<head><title>502 Bad Gateway</title></head>", "curl --fail"),
    "XML": ("file-is-xml", b'<?xml version="1.0"?>\n<rows><row/></rows>', "XML"),
    "S3": (
        "file-is-error",
        b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code><Message>x</Message></Error>',
        "S3 error response (AccessDenied)",
    ),
    "error of an API": ("file-is-error", b'{"type":"error","error":{"type":"not_found_error","message":"x"}}', "error"),
    "empty array": ("file-is-empty", b" [\n]\n", "empty JSON array"),
    "array that breaks off": ("file-is-json-array", array()[:-30], "truncated"),
    "array of lines that breaks off": ("file-is-json-array", array(",\n", "[\n")[:-1], "truncated"),
    "pretty with a comma too many": ("file-is-pretty-json", b'{\n  "custom_id": "a",\n}\n', "correct it"),
    "parquet": ("file-is-parquet", b"PAR1\x15\x04\x15\x10" + b"\0" * 99, "From a table"),
    "PDF": ("file-is-pdf", b"%PDF-1.7\n%\xe2\xe3\n", "a PDF"),
    "Excel": ("file-is-spreadsheet", zipped("[Content_Types].xml", b"x", "xl/workbook.xml"), "save the sheet as CSV"),
    "openpyxl": ("file-is-spreadsheet", zipped("docProps/app.xml", b"x", "xl/worksheets/sheet1.xml"), "CSV"),
    "ODS": (
        "file-is-spreadsheet",
        b"PK\x03\x04" + b"\0" * 26 + b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet",
        "CSV",
    ),
    "Word": ("file-is-office-document", zipped("[Content_Types].xml", b"x", "word/document.xml"), "save it"),
    "old Excel": ("file-is-office-document", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0", "save it"),
    "SQLite": ("file-is-sqlite", b"SQLite format 3\0\x10\0", "SQLite"),
    "zeros": ("file-is-binary", bytes(9000), "not text"),
    "picture": ("file-is-binary", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "not text"),
    "pickle": ("file-is-binary", b"\x80\x04\x95\x0e\0\0\0\0\0", "not text"),
}  # fmt: skip


@pytest.mark.parametrize(("code", "data", "words"), TOLD.values(), ids=TOLD)
def test_a_file_that_no_command_mends_is_told_with_what_to_do(code: str, data: bytes, words: str) -> None:
    """Where a recipe is needed, or another file."""
    wrong = type_of_file(data)
    assert wrong is not None
    assert wrong.code == code
    assert words in str(wrong)
    conversion = Conversion("", "requests.jsonl") if "From a t" in str(wrong) or "docs/files.md" in str(wrong) else None
    assert conversion_of(wrong.file_type, "inbox/x.jsonl", 0) == conversion
    assert "skip" not in str(wrong)


@pytest.mark.parametrize(
    ("data", "command"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n", "git lfs pull"),
        (b"/annex/objects/SHA256E-s1--x.jsonl\n", "git annex get x.jsonl"),
    ],
)
def test_a_pointer_is_replaced_by_what_it_points_to(data: bytes, command: str) -> None:
    """The file keeps its name."""
    wrong = type_of_file(data)
    assert wrong is not None
    assert conversion_of(wrong.file_type, "inbox/x.jsonl", 0) == Conversion(command, "x.jsonl")


def test_who_works_in_windows_powershell_is_told_its_command() -> None:
    """Files in UTF-16 come from there; a quote in a name is doubled."""
    wrong = type_of_file((REPORTS / "utf16-powershell.jsonl").read_bytes())
    assert wrong is not None
    conversion = conversion_of(wrong.file_type, "inbox/it's.jsonl", 0)
    assert conversion is not None
    assert conversion.powershell == (
        "Get-Content 'it''s.jsonl' -Encoding Unicode | Set-Content 'it''s-converted.jsonl' -Encoding utf8"
    )


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("utf16-powershell", "file-is-utf16"),
        ("array-of-lines", "file-is-json-array"),
        ("10-json-array", "file-is-json-array"),
        ("pretty-printed", "file-is-pretty-json"),
        ("requests-wrapper", "file-is-request-body"),
    ],
)
def test_the_reported_files_are_told(name: str, code: str, tmp_path: Path) -> None:
    """Each as what it is."""
    data = (REPORTS / f"{name}.jsonl").read_bytes()
    wrong = type_of_file(data)
    assert wrong is not None
    assert wrong.code == code
    assert all(request["custom_id"] for request in converted(data, tmp_path))


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from(["requests", "data", "columns", "error", "method", "x"]) | st.text(max_size=5)


@st.composite
def good_lines(draw: st.DrawFn) -> bytes:
    """Write a request as it may be written: with other keys around, in any order, on one line."""
    line: dict[str, Any] = draw(st.dictionaries(names, values, max_size=3))
    line |= {"custom_id": draw(st.text(min_size=1) | st.integers())}
    line |= {draw(st.sampled_from(["params", "body"])): draw(st.dictionaries(names, values, max_size=3))}
    order = draw(st.permutations(list(line)))
    written = json.dumps({name: line[name] for name in order}, ensure_ascii=draw(st.booleans()))
    begin = draw(st.sampled_from([b"", b" ", b"\t", MARK, MARK + b" ", b"\r"]))
    return begin + written.encode(errors="replace") + draw(st.sampled_from([b"", b"\r", b" "]))


blank = st.lists(st.sampled_from([b"\n", b"\r\n", b" \n", b"\t\r\n", MARK + b"\n"]), max_size=5).map(b"".join)
others = st.sampled_from(
    [b"[]", b"[", b"]", b"x", b"{", b"}", b"a,b", b"<html>", b"{'a': 1}", b'"x"', b"\xff", b"\0", b"{},"]
)


@given(blank, good_lines(), st.lists(good_lines() | others | st.just(b"")), st.integers(1, 99), st.booleans())
@example(b"", b'{"custom_id":"a","params":{\r"model":"m"}}', [b"{}"], 99, False)  # noqa: FBT003  # as it is drawn
def test_a_file_that_begins_with_a_request_is_passed_on_as_it_is(
    before: bytes,
    first: bytes,
    more: list[bytes],
    size: int,
    ended: bool,  # noqa: FBT001
) -> None:
    """Whatever is on the lines behind it: that is for the checks of lines."""
    assert type_of_file(before + b"\n".join([first, *more]) + b"\n" * ended, size) is None


@pytest.mark.slow
@given(st.lists(others, min_size=1, max_size=3), st.lists(good_lines(), min_size=3, max_size=5), st.integers(1, 99))
def test_a_file_of_which_only_the_first_lines_are_wrong_is_one_of_lines(
    broken: list[bytes], good: list[bytes], size: int
) -> None:
    """They are faults of lines."""
    assert type_of_file(b"\n".join([*broken, *good]), size) is None


@given(
    st.sampled_from([data for _, data in MENDED.values()] + [data for _, data, _ in TOLD.values()]), st.integers(1, 999)
)
def test_a_file_is_told_however_it_is_cut(data: bytes, size: int) -> None:
    """S3 gives it in ranges, and gzip in pieces."""
    whole, found = type_of_file(data), type_of_file(data, size)
    assert str(found) == str(whole)


@given(st.binary(max_size=60), st.integers(1, 20))
def test_no_bytes_are_an_error_of_ours(data: bytes, size: int) -> None:
    """Whatever is dropped."""
    assert str(type_of_file(data, size)) == str(type_of_file(data))


def test_a_first_line_as_long_as_a_line_may_be_is_passed_on() -> None:
    """Also where it begins like something else: all of it is looked at."""
    line = b'{"requests": [{"a": "' + b"x" * (LONGEST_LINE - 99) + b'"}], "custom_id": "a", "params": {}}'
    assert len(line) <= LONGEST_LINE
    assert type_of_file(line + b"\n" + JSONL) is None


def test_a_body_on_a_line_that_is_too_long_to_be_a_request_is_told() -> None:
    """As is an array, and lines that end with a carriage return: none of them needs to be read to its end."""
    one = json.dumps(asked(1, "x" * WINDOW)).encode()
    many = [one] * (LONGEST_LINE // len(one) + 2)
    for data, code in (
        (b'{"requests": [' + b",".join(many) + b"]}", "file-is-request-body"),
        (b"[" + b",".join(many) + b"]", "file-is-json-array"),
        (b"\r".join(many), "file-has-cr-lines"),
    ):
        wrong = type_of_file(data)
        assert wrong is not None
        assert wrong.code == code


def test_blank_lines_before_the_first_one_are_not_held() -> None:
    """However many there are: they are passed on as they come."""
    taken = []

    def chunks() -> Iterator[bytes]:
        for number in range(5):
            taken.append(number)
            yield b"\n" * 100
        yield array()

    passed = reject_wrong_type(chunks())
    assert next(passed) == b"\n" * 100
    assert taken == [0]
    with pytest.raises(WrongFileType):
        list(passed)


def test_a_comma_at_the_end_of_a_large_array_is_seen() -> None:
    """It lies far behind what is looked at."""
    many = b"[" + b",\n".join([LINES[0].encode()] * 9000) + b",\n]\n"
    assert len(many) > 2 * WINDOW
    wrong = type_of_file(many, 100_000)
    assert wrong is not None
    assert "comma after its last element" in str(wrong)
