"""The page of every sample without a mouse: by keyboard, and as a screen reader has it."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from tests.pages.browser import LIGHT, NARROW

if TYPE_CHECKING:
    from tests.pages.conftest import Looking


def test_tab_reaches_every_link_and_region_in_order_and_shows_where_it_is(looking: Looking, sample: str) -> None:
    """The first stop is the link that skips to the verdict. Each stop has an outline, and is in the window."""
    opened = looking(sample, NARROW, is_changed=True)
    focused = []
    for _ in range(opened.ask("focus.js")["stops"]):
        opened.page.keyboard.press("Tab")
        focused.append(opened.ask("focus.js"))
    assert [each for each in focused if not (each["isMarked"] and each["isThere"])] == []
    assert [each["at"] for each in focused] == list(range(len(focused)))
    assert 'class="skip"' in focused[0]["what"]


def test_the_first_link_skips_to_the_verdict(looking: Looking, sample: str) -> None:
    """It is seen once it has the focus."""
    page = looking(sample, LIGHT, is_changed=True).page
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    target = page.evaluate("location.hash")
    assert target
    assert page.locator(f"main {target} h1, main{target} h1").count() == 1


def test_details_open_by_the_keyboard(looking: Looking, sample: str) -> None:
    """Enter opens what is folded."""
    page = looking(sample, LIGHT, is_changed=True).page
    for details in page.locator("details").all():
        details.locator("summary").focus()
        page.keyboard.press("Enter")
        assert details.evaluate("each => each.open")


def test_links_lead_somewhere(looking: Looking, sample: str) -> None:
    """To a place in the page, or to the console, which learns nothing of the page."""
    page = looking(sample, LIGHT).page
    for link in page.locator("a[href]").all():
        target = str(link.get_attribute("href"))
        if target.startswith("#"):
            assert page.locator(f"[id='{target[1:]}']").count() == 1, target
        else:
            assert re.match(r"https://[a-z0-9.-]*console\.(aws\.amazon\.com|amazonaws[a-z.-]*)/", target), target
            assert "noreferrer" in str(link.get_attribute("rel"))


def test_a_screen_reader_finds_its_way(looking: Looking, sample: str) -> None:
    """One title, headings without a gap, one main part, and a name for every table and region."""
    tree = looking(sample, LIGHT).page.locator("body").aria_snapshot()
    levels = [int(level) for level in re.findall(r"- '?heading .*\[level=(\d)\]", tree)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels)), levels
    assert len(re.findall(r"^\s*- main:", tree, re.MULTILINE)) == 1
    unnamed = re.findall(r"^\s*- (?:table|region|group|img|figure|article):?$", tree, re.MULTILINE)
    assert unnamed == []


def test_a_page_has_nothing_that_could_run(looking: Looking, sample: str) -> None:
    """No script, frame, form, handler or style of an element, and no picture but those that are drawn."""
    assert looking(sample, LIGHT).ask("active.js") == []
