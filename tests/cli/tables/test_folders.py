"""Folders of files."""

import os
from base64 import b64encode
from errno import EACCES
from typing import Any

import pytest

from conveyor_cli.tables.folder import LARGEST
from tests.cli.tables.conftest import Desk, prompts

PNG = b"\x89PNG\r\n\x1a\n" + bytes(9)
MEDIA = {
    "application/pdf": b"%PDF-1.7 x", "image/png": PNG, "image/jpeg": b"\xff\xd8\xff\xe0 x", "image/gif": b"GIF89a x",
    "image/webp": b"RIFF....WEBP x",
}  # fmt: skip


def test_texts(desk: Desk) -> None:
    """Each file is a request with its path as the id; its text is not carried along."""
    desk.write("f/b.txt", "Bé 😀".encode("utf-16"))
    desk.write("f/a/x y.md", "\ufeffA\n")
    for litter in (".DS_Store", ".git/config", "a/Thumbs.db", "~$b.docx"):
        desk.write(f"f/{litter}", b"\0")
    found = desk.prepare("f", prompt="{{ name }}: {{ text }}")
    assert [each["custom_id"] for each in found] == ["a/x y.md", "b.txt"]
    assert prompts(found) == ["x y.md: A\n", "b.txt: Bé 😀"]
    assert found[0].keys() == {"custom_id", "params", "path"}


@pytest.mark.parametrize("media", MEDIA)
def test_pdfs_and_images(desk: Desk, media: str) -> None:
    """Are blocks before the prompt, by what they are and not by how they are named."""
    desk.write("f/x.dat", MEDIA[media])
    (found,) = desk.prepare("f", prompt="Describe it.")
    file, text = prompts([found])[0]
    assert file["type"] == ("document" if media == "application/pdf" else "image")
    assert file["source"] == {"type": "base64", "media_type": media, "data": b64encode(MEDIA[media]).decode()}
    assert text == {"type": "text", "text": "Describe it."}


def test_a_folder_of_both(desk: Desk) -> None:
    """The text of an image is empty, and nothing is said of that."""
    desk.write("f/a.png", PNG)
    desk.write("f/b.txt", "B")
    ran = desk.type("f", "-o", "out.jsonl", prompt="Look: {{ text }}")
    assert "!" not in ran.out
    assert [len(each) for each in prompts(desk.requests("out.jsonl"))] == [2, len("Look: B")]


UNKNOWN = "neither text in UTF-8, nor a PDF, PNG, JPEG, GIF or WebP"
REFUSED = {
    "unknown": (b"\0\1\2", f"row 1: x.dat: {UNKNOWN}"),
    "another encoding": ("é".encode("cp1252"), f"row 1: x.dat: {UNKNOWN}"),
}


@pytest.mark.parametrize(("content", "told"), REFUSED.values(), ids=REFUSED)
def test_a_file_that_is_no_request(desk: Desk, content: bytes, told: str) -> None:
    """Is named."""
    desk.write("f/x.dat", content)
    assert desk.refused("f")[1] == told


def test_the_largest_file(desk: Desk) -> None:
    """Has room in a line; a larger one is named."""
    desk.write("f/x.pdf", b"%PDF-" + bytes(LARGEST))
    assert desk.refused("f")[1] == "row 1: x.pdf: 24.0 MB; a request has room for 24.0 MB"
    desk.write("f/x.pdf", b"%PDF-" + bytes(LARGEST - 5))
    assert len(desk.prepare("f", prompt="Sum it up.")) == 1


def test_a_prompt_without_the_text(desk: Desk) -> None:
    """Would send nothing of the file."""
    desk.write("f/a.txt", "A")
    told = desk.refused("f", prompt="Sum it up.")
    assert told[1] == 'row 1: the prompt does not use "text", so nothing of the file would be sent'


def test_a_folder_with_the_prompt_in_it(desk: Desk) -> None:
    """The prompt is not read as one of its files."""
    desk.write("a.txt", "A")
    desk.write("system.md", "S")
    (found,) = desk.prepare(".", "--system", "system.md")
    assert (found["custom_id"], found["params"]["system"]) == ("a.txt", "S")


def test_a_folder_with_the_requests_in_it(desk: Desk) -> None:
    """They are not read as its files, while they are written and when they are written again."""
    desk.write("f/a.txt", "A")
    for _ in range(2):
        assert desk.type("f", "-o", "f/out.jsonl", "--force").exit == 0
        assert [each["custom_id"] for each in desk.requests("f/out.jsonl")] == ["a.txt"]
    desk.write("f/x/a.txt", "B")
    ran = desk.type("f", "-o", "f/out.jsonl", "--force", "--id", "name")
    assert 'row 2: "name" is the same as in row 1' in ran.error
    assert sorted(path.name for path in (desk.folder / "f").iterdir()) == ["a.txt", "out.jsonl", "x"]


def test_names_that_cannot_be_shown(desk: Desk) -> None:
    """Are refused without being shown."""
    desk.write("f/a\nb.txt", "A")
    assert desk.refused("f")[1] == "row 1: the name of the file has characters that cannot be shown"


def test_a_folder_in_it_that_cannot_be_read(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is not left out: its files would be missed by nobody."""
    desk.write("f/a.txt", "A")
    desk.write("f/x/b.txt", "B")
    scandir = os.scandir

    def denied(path: str) -> Any:
        if str(path).endswith("/x"):
            raise PermissionError(EACCES, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", denied)
    ran = desk.type("f", "-o", "out.jsonl")
    assert (ran.exit, ran.error.splitlines()[0]) == (8, "✗ f cannot be read: Permission denied")


def test_an_empty_folder(desk: Desk) -> None:
    """Has no requests."""
    desk.write("f/.DS_Store", b"")
    assert desk.refused("f")[0] == "f has no files"
