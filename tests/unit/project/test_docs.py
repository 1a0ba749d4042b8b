"""Documents that name things name things that exist."""

import re
from pathlib import Path

import msgspec
import pytest

from conveyor.domain import refusal
from conveyor.domain.status import STATUSES, Status
from conveyor.report import advice, receipt
from tests.support import template

PROJECT = Path(__file__).parents[3]


def test_every_test_that_a_guarantee_names_exists() -> None:
    """A promise whose test was renamed or removed would stand unproved."""
    named = set(re.findall(r"`(test_\w+)`", (PROJECT / "docs" / "guarantees.md").read_text()))
    existing = {
        name for path in (PROJECT / "tests").rglob("*.py") for name in re.findall(r"def (test_\w+)", path.read_text())
    }
    assert named
    assert named <= existing


def test_the_readme_names_every_parameter() -> None:
    """What can be set can be found."""
    readme = (PROJECT / "README.md").read_text()
    assert [name for name in template.template()["Parameters"] if f"`{name}`" not in readme] == []


def test_the_readme_names_every_status_of_a_run() -> None:
    """Whoever filters messages by it needs the whole list: of runs that have ended, and of runs that go on."""
    readme = (PROJECT / "README.md").read_text()
    ended, _, going_on = readme.partition("whose attribute `status` is")[2].partition("While a run goes on")
    told = {
        status: is_final
        for is_final, text in ((True, ended), (False, going_on))
        for status in re.findall(r"^\| `([a-z-]+)` \|", text.partition("\n\nA batch is sent")[0], re.MULTILINE)
    }
    assert told == {status: about.is_final for status, about in STATUSES.items()}
    assert set(STATUSES) == set(Status)
    assert [status for status, about in STATUSES.items() if f"| `{status}` | {about.means}" not in readme] == []


@pytest.mark.parametrize("name", ["README.md", "docs/receipt.md", "docs/how-it-works.md", "CHANGELOG.md"])
def test_the_documents_know_no_other_status(name: str) -> None:
    """A word that was a status once would be filtered by for ever."""
    text = (PROJECT / name).read_text()
    named = set(re.findall(r"(?:status|`status`(?: is)?) `([a-z-]+)`", text))
    assert named <= {*map(str, Status), "status"}


@pytest.mark.parametrize(
    ("table", "kind"),
    [("# The receipt", receipt.Receipt), ("Of each batch:", receipt.BatchAccount)],
    ids=["receipt", "batch"],
)
def test_every_field_of_the_receipt_is_explained(table: str, kind: type[msgspec.Struct]) -> None:
    """And no field that there is not."""
    _, _, text = (PROJECT / "docs" / "receipt.md").read_text().partition(table)
    rows = [line.split("|")[1] for line in text.split("\n\nOf each")[0].splitlines() if line.startswith("| `")]
    named = [name for row in rows for name in re.findall("`([a-z_]+)`", row)]
    assert sorted(named) == sorted(kind.__struct_fields__)


def test_every_code_of_a_refusal_that_has_advice_is_explained() -> None:
    """As is every cause of failures: they are the words to look for."""
    text = (PROJECT / "docs" / "receipt.md").read_text()
    source = "".join(path.read_text() for path in (PROJECT / "layers" / "conveyor" / "conveyor").rglob("*.py"))
    of_drops = set(re.findall(r'"(drop-[a-z-]+)"', source))
    assert of_drops
    assert [code for code in {*advice.ADVICE, *refusal.Cause, *of_drops} if f"`{code}`" not in text] == []


def test_every_kind_of_file_is_explained() -> None:
    """Its code is the word to look for."""
    text = (PROJECT / "docs" / "files.md").read_text()
    sources = ("file_types/known_types", "file_types/signatures", "validation/refusal_reasons")
    source = "".join((PROJECT / "layers" / "conveyor" / "conveyor" / f"{name}.py").read_text() for name in sources)
    codes = {*re.findall(r'"(file-(?:is|has)-[a-z0-9-]+)"', source), "file-is-utf16", "file-is-utf32"}
    assert len(codes) > 30
    assert [code for code in codes if f"`{code}`" not in text] == []
    assert set(re.findall(r"`(file-(?:is|has)-[a-z0-9-]+)`", text)) == codes


def test_every_cause_has_words_and_advice() -> None:
    """Whoever reads of it can do something about it."""
    assert set(refusal.Cause) == set(refusal.WORDS)
    assert set(refusal.Cause) <= set(advice.ADVICE)
