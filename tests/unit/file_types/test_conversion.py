"""The command in a refusal converts the file with all its requests, or writes no file."""

import json
import secrets
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from conveyor.file_types.conversion import Conversion, conversion_of
from conveyor.file_types.detect import WINDOW
from conveyor.jsonl.gzip_stream import unpack_all
from tests.support.wrong_files import (
    CONVERTED,
    JSONL,
    LINES,
    REQUESTS,
    ROWS,
    array,
    each_pretty,
    table,
    table_of_json,
    type_of_file,
    zipped,
)

REPORTS = Path(__file__).parents[2] / "data" / "reports"
PROGRAMS = ("jq", "iconv", "unzip", "bzip2", "xz", "zstd")


def converted(data: bytes, folder: Path, name: str = "my file's.jsonl") -> list[Any]:
    """Run the command of a refusal, and return the requests that it writes."""
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


@pytest.mark.parametrize(("code", "data"), CONVERTED.values(), ids=CONVERTED)
def test_the_command_of_a_wrong_file_makes_a_file_of_all_its_requests(code: str, data: bytes, tmp_path: Path) -> None:
    """It is run unchanged, on a file whose name a shell could misinterpret."""
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
    """A file with some requests could be taken for complete."""
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
    """Nor does it print the files that a Mac adds."""
    (tmp_path / "x.zip").write_bytes(zipped("_requests.jsonl", JSONL, *more))
    wrong = type_of_file((tmp_path / "x.zip").read_bytes())
    assert wrong is not None
    conversion = conversion_of(wrong.file_type, "inbox/x.zip", 0)
    assert conversion is not None
    done = subprocess.run(["sh", "-c", conversion.command], cwd=tmp_path, capture_output=True, check=True, timeout=60)  # noqa: S603, S607
    assert done.stderr == b""
    assert (tmp_path / conversion.file).read_bytes() == JSONL


def test_the_warning_about_a_large_archive_is_explained() -> None:
    """The files that a Mac adds are listed there."""
    wrong = type_of_file(zipped("requests.jsonl", secrets.token_bytes(WINDOW), "__MACOSX/._requests.jsonl"))
    assert wrong is not None
    assert "-x '__MACOSX/*'" in wrong.file_type.tool
    assert 'ignore "filename not matched"' in str(wrong)


def test_a_second_command_reads_what_the_first_one_wrote(tmp_path: Path) -> None:
    """Its input has the name of the second drop; the first file has another name and is kept."""
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
    """The written file is named after it."""
    assert converted(zipped("requests.jsonl", JSONL), tmp_path, name) == converted(array(), tmp_path, name)


def test_zstd_is_reported(tmp_path: Path) -> None:
    """Python's library cannot compress zstd yet."""
    packed = subprocess.run(["zstd", "-c"], input=JSONL, capture_output=True, check=True)  # noqa: S607
    assert len(converted(packed.stdout, tmp_path)) == 3


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


def test_users_of_windows_powershell_get_its_command() -> None:
    """Files in UTF-16 come from PowerShell; a quote in a name is doubled."""
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
def test_the_reported_files_are_recognized(name: str, code: str, tmp_path: Path) -> None:
    """Each is reported with its type."""
    data = (REPORTS / f"{name}.jsonl").read_bytes()
    wrong = type_of_file(data)
    assert wrong is not None
    assert wrong.code == code
    assert all(request["custom_id"] for request in converted(data, tmp_path))
