"""The page of every receipt is complete, valid HTML that runs, loads and sends nothing."""

import re
from base64 import b64encode
from hashlib import sha256
from itertools import pairwise

import pytest

from tests.support.page_html import CONSOLE, PAGES, elements, tag, text_of, written

every_page = pytest.mark.parametrize("name", PAGES)
ACTIVE = {
    "script",
    "iframe",
    "object",
    "embed",
    "form",
    "input",
    "button",
    "img",
    "base",
    "foreignObject",
    "animate",
    "use",
}
POLICY = "default-src 'none'; img-src data:; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'"
CLASSES = re.compile(r"[a-z][a-z0-9-]*( [a-z][a-z0-9-]*)*")


@every_page
def test_nothing_in_it_can_run_or_load(name: str) -> None:
    """There is no script and nothing like it; addresses are places of the page, or the console's."""
    assert not {tag(each) for each in elements(name)} & ACTIVE
    for each in elements(name):
        assert not [key for key in each.attrib if key.startswith("on") or key in {"style", "src", "srcset", "action"}]
        for address in (each.get("href", "#"), each.get("{http://www.w3.org/1999/xlink}href", "#")):
            is_icon = tag(each) == "link" and address.startswith("data:image/svg+xml,")
            assert address.startswith(("#", CONSOLE)) or is_icon, address
    links = [each for each in elements(name, "a") if not each.get("href", "").startswith("#")]
    assert all(each.get("rel") == "noreferrer" for each in links)


@every_page
def test_its_policy_allows_its_one_style_sheet_only(name: str) -> None:
    """The hash in the policy is that of the style sheet, so no other style can work, either."""
    (style,) = elements(name, "style")
    (policy,) = [each for each in elements(name, "meta") if each.get("http-equiv") == "Content-Security-Policy"]
    digest = sha256((style.text or "").encode()).digest()
    assert policy.get("content") == POLICY.format(b64encode(digest).decode())
    assert "url(" not in re.sub(r"url\(#hatch\)", "", style.text or "")
    assert "@import" not in (style.text or "")


@every_page
def test_ids_are_unique_and_every_link_and_name_has_its_target(name: str) -> None:
    """A check links to its section, and a name that a screen reader reads exists."""
    ids = [each.get("id") for each in elements(name) if each.get("id")]
    assert len(ids) == len(set(ids))
    links = [each.get("href", "")[1:] for each in elements(name, "a") if each.get("href", "").startswith("#")]
    named = [key for each in elements(name) for key in each.get("aria-labelledby", "").split()]
    assert {*links, *named} <= set(ids)


@every_page
def test_headings_are_in_order_and_tables_say_what_their_cells_mean(name: str) -> None:
    """One heading of the first level; none skips a level; every header of a table has a scope, every table a name."""
    levels = [int(tag(each)[1]) for each in elements(name, "h1", "h2", "h3", "h4", "h5", "h6")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all(each.get("scope") in {"col", "row"} for each in elements(name, "th"))
    for table in elements(name, "table"):
        widths = {len([cell for cell in row if tag(cell) in {"td", "th"}]) for row in table.iter("tr")}
        assert len(widths) == 1, "each row has as many cells"
        assert [text_of(each) for each in table if tag(each) == "caption" and text_of(each)]


@every_page
def test_every_chart_says_its_numbers(name: str) -> None:
    """A picture has a name for screen readers, or is left out for them because a table says the same."""
    hidden = {each for of in elements(name) if of.get("aria-hidden") == "true" for each in of.iter()}
    assert all(each in hidden or each.get("aria-label") for each in elements(name, "svg"))
    assert all(each.get("aria-label") for each in elements(name) if each.get("role") in {"img", "region", "group"})


@every_page
def test_classes_are_ours_and_widths_are_numbers(name: str) -> None:
    """Nothing that a receipt holds can choose a class, and all charts are percentages within their frame."""
    for each in elements(name):
        assert "class" not in each.attrib or CLASSES.fullmatch(each.attrib["class"])
        for key in ("x", "width", "x1", "x2", "cx"):
            value = each.get(key, "0")
            assert re.fullmatch(r"[0-9]+(\.[0-9]+)?%?", value), value
            assert not value.endswith("%") or float(value[:-1]) <= 100


@every_page
def test_it_says_the_verdict_first_and_has_a_title(name: str) -> None:
    """The first heading is the first sentence of the message."""
    first = next(elements(name, "h1"))
    assert text_of(first)
    title = next(elements(name, "title"))
    assert re.fullmatch(r"[A-Za-z -]+: [A-Za-z0-9._/-]+", text_of(title))


@every_page
def test_it_is_never_larger_than_200_kilobytes(name: str) -> None:
    """It opens at once, with 3,000 batches and 50,000,000 requests, too, whatever texts they hold."""
    assert len(written(name).encode()) <= 200_000
