"""What the page says of a code, and where it leads."""

import pytest

from conveyor.ledger.failure_counts import Example
from conveyor.page import words
from conveyor.page.data import report_of
from conveyor.page.outcomes import CauseRow
from conveyor.page.seen import unbroken
from conveyor.verdict.checks import About
from conveyor.wording.numbers import UNKNOWN
from tests.support.page_html import PAGES, elements, receipt_of


@pytest.mark.parametrize("name", PAGES)
def test_every_check_links_to_the_block_with_its_details(name: str) -> None:
    """Whatever it is called. Only one that has no details may have none: of a run that cost nothing."""
    report, ids = report_of(receipt_of(name)), {each.get("id") for each in elements(name, "section")}
    for check in report.checks:
        section = words.section_of(report, check.about)
        assert section in ids or (not section and check.value in {UNKNOWN, "$0.00"}), check


def test_every_kind_of_check_has_a_block() -> None:
    """A new kind needs one."""
    assert set(words.SECTIONS) == set(About)


def test_a_cause_has_the_numbers_of_its_first_example() -> None:
    """The text under which failures are counted has none; an example of another text is not taken."""
    cause = CauseRow(
        "not_found_error",
        "",
        "model: claude-#",
        lines=9,
        is_retryable=False,
        examples=[Example(3, "a", "model: claude-4")],
    )
    assert words.said_of(cause) == "model: claude-4"
    cause.examples = [Example(3, "a", "another text")]
    assert words.said_of(cause) == "model: claude-#"
    cause.examples = []
    assert words.said_of(cause) == "model: claude-#"


def test_names_in_a_sentence_are_not_broken_at_their_hyphens() -> None:
    """But for those that would not fit into a line, and words beside them."""
    assert unbroken("1 of a-b/c.jsonl failed") == '1 of <span class="nb">a-b/c.jsonl</span> failed'
    assert unbroken("x-" * 20) == "x-" * 20
    assert unbroken("of-<b> é").count("<bdi>") == 1
