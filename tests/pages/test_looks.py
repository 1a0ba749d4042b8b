"""The page of every sample: light and dark, on a large screen, on phones and on paper."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.pages.browser import DARK, FORCED, LIGHT, LOOKS, NARROW, PHONE, TABLET, Look

if TYPE_CHECKING:
    from tests.pages.conftest import Looking

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

every_look = pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.name)


@every_look
def test_a_page_says_nothing_and_asks_for_nothing(looking: Looking, sample: str, look: Look) -> None:
    """No message in the console, and one request: that of the file."""
    opened = looking(sample, look)
    assert opened.said == []
    assert [request.rpartition("/")[2] for request in opened.requests] == [f"{sample}.html"]


@every_look
def test_everything_can_be_seen(looking: Looking, sample: str, look: Look) -> None:
    """Contrast of texts is 4.5 at least (3 for large ones), and that of graphics 3: also where axe cannot decide."""
    assert "\n".join(looking(sample, look).ask("contrast.js")) == ""


@pytest.mark.parametrize("look", [LIGHT, TABLET, PHONE, NARROW], ids=lambda look: look.name)
def test_everything_fits(looking: Looking, sample: str, look: Look) -> None:
    """The page does not scroll sideways, no chart cuts off a text, and no texts lie over each other."""
    assert "\n".join(looking(sample, look).ask("fits.js")) == ""


@pytest.mark.parametrize("look", [LIGHT, DARK, PHONE], ids=lambda look: look.name)
def test_axe_finds_no_violation(looking: Looking, sample: str, look: Look) -> None:
    """WCAG 2.2 AA and best practice."""
    options: dict[str, Any] = {"runOnly": WCAG, "resultTypes": ["violations"]}
    if look is DARK:  # only colours differ
        options["runOnly"] = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
    found = Axe().run(looking(sample, look).page, options=options).response["violations"]
    nodes = [(each["id"], node["target"], node["html"][:150]) for each in found for node in each["nodes"]]
    assert nodes == []


@pytest.mark.parametrize("ended", ["failures", "stuck", "refused", "good"])
def test_marks_stay_where_the_system_replaces_colours(looking: Looking, ended: str) -> None:
    """As in the contrast themes of Windows: each mark of a check has a colour that is seen."""
    opened = looking(ended, FORCED)
    assert opened.page.evaluate("matchMedia('(forced-colors: active)').matches")
    assert opened.page.locator(".checks svg, .status svg").count() > 0
    assert "\n".join(opened.ask("contrast.js")) == ""
