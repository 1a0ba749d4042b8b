"""Files that are not lines of requests, and the types they are recognised as."""

import bz2
import csv
import gzip
import io
import json
import lzma
import tarfile
import zipfile
from pprint import pformat
from typing import Any

from conveyor.file_types.detect import WINDOW, WrongFileType, reject_wrong_type


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
    """Return the type a file is recognised as; None if it is passed on unchanged."""
    passed = []
    try:
        for chunk in reject_wrong_type(cut(data, size)):
            passed.append(chunk)  # noqa: PERF402  # what came before an error is looked at
    except WrongFileType as error:
        assert not b"".join(passed).strip()
        return error
    assert b"".join(passed) == data
    return None


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
    """Write a column of requests as a spreadsheet exports it."""
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
CONVERTED = {
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
CSV = b'custom_id,prompt\nr1,Hello\nr2,"How, and ""why""?\nTell"\n'
ROWS_OF_JSON = b'{"ticket": "t-1", "text": "Hello"}\n{"ticket": "t-2", "text": "Why?", "tags": ["a"]}\n'
CELL = {"cell_type": "code", "metadata": {}, "source": ["print(1)\n"], "outputs": []}
NOTEBOOK = {"cells": [CELL], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
LARGE_NOTEBOOK = NOTEBOOK | {"cells": [CELL] * 3000}
RECOGNISED = {
    "CSV": ("file-is-table", CSV, "commas"),
    "CSV with CR": ("file-is-table", CSV.replace(b"\n", b"\r"), "commas"),
    "CSV with a mark": ("file-is-table", MARK + CSV.replace(b"\n", b"\r\n"), "commas"),
    "TSV": ("file-is-table", b"id\tprompt\n1\tHello, you\n2\tWhy\n", "tabs"),
    "CSV of Excel in Europe": ("file-is-table", b"id;prompt\r\n1;Hello, you\r\n2;Why\r\n", "semicolons"),
    "CSV that names its separator": ("file-is-table", b"sep=;\r\nid;prompt\r\n1;x\r\n", "semicolons"),
    "CSV in Latin-1": ("file-is-table", b"id,prompt\n1,caf\xe9\n", "commas"),
    "header of a CSV alone": ("file-is-table", b"custom_id,model,prompt\n", "commas"),
    "CSV with quotes": ("file-is-table", b'"custom_id","prompt"\n"r1","x"\n"r2","y"\n', "commas"),
    "records": ("file-is-records", ROWS_OF_JSON, "From JSON records"),
    "one record": ("file-is-records", ROWS_OF_JSON.split(b"\n")[0], "From JSON records"),
    "records with ids": ("file-is-records", b'{"custom_id": 7, "a": "b"}\n\n{"custom_id": 8, "a": null}', "record"),
    "records that differ": ("file-is-records", MARK + b'{"a": {"b": 1}}\r\n{"c": "\\"params\\":"}\r\n', "record"),
    "many records": ("file-is-records", ROWS_OF_JSON * 9000, "From JSON records"),
    "array of records": ("file-is-json-array", b'[{"id": 1, "text": "a"}, {"id": 2}]', "From JSON records"),
    "array of records over lines": ("file-is-json-array", pretty(2, [{"id": 1}] * 2).encode(), "From JSON"),
    "large array of records": ("file-is-json-array", pretty(2, [{"id": 1}] * 30_000).encode(), "From JSON records"),
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
