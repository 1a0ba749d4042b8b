"""The page of every sample on paper."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pypdfium2 as pdfium

from tests.pages.browser import DARK, PRINT

if TYPE_CHECKING:
    from tests.pages.conftest import Looking

A4 = (595, 842)
_LEAST = 40
"""Characters of a page that is not empty."""


_ENDS = 10
"""Characters at both ends of a text by which it is found: its middle may be broken into lines beside other columns."""


def papers(looking: Looking, sample: str) -> list[str]:
    """Return the text of each page that is printed, without spaces."""
    data = looking(sample, PRINT).page.pdf(format="A4", prefer_css_page_size=True, print_background=False)
    document = pdfium.PdfDocument(data)
    assert {(round(page.get_width()), round(page.get_height())) for page in document} == {A4}
    return [_squeezed(page.get_textpage().get_text_range()) for page in document]


def _squeezed(text: str) -> str:
    """Return a text without spaces and hyphens: at the end of a line on paper a hyphen may be one or not."""
    return re.sub(r"[\s\ufffe\u00ad\u00a0-]+", "", text)


def _holds(page: str, texts: list[str]) -> bool:
    return all(_is_on(page, text) or _is_on(page, " ".join(reversed(text.split()))) for text in texts)


def _is_on(page: str, text: str) -> bool:
    """Return whether a page has a text. Beside one that is read from right to left, its words may be in that order."""
    squeezed = _squeezed(text)
    ends = (squeezed[:_ENDS], squeezed[-_ENDS:])
    return all(end in page for end in ends if end.isascii())  # other characters may lack a font here


def test_it_is_printed_on_pages_that_are_not_empty(looking: Looking, sample: str) -> None:
    """Of A4, however large the run: 3,000 batches take a few pages."""
    pages = papers(looking, sample)
    assert [page for page in pages if len(page) < _LEAST] == []
    causes = looking(sample, PRINT).page.locator(".cause").count()
    assert len(pages) <= 12 + causes  # those with the longest texts take a page each


def test_what_belongs_together_is_on_one_page(looking: Looking, sample: str) -> None:
    """What must not be broken is whole on a page, and no page ends with a heading."""
    pages = papers(looking, sample)
    opened = looking(sample, PRINT)
    torn = [texts for texts in opened.ask("whole.js") if not any(_holds(each, texts) for each in pages)]
    assert torn == []
    headings = [_squeezed(each) for each in opened.page.locator("h1, h2, h3").all_inner_texts()]
    assert [each[-60:] for each in pages for heading in headings if heading and each.endswith(heading)] == []


def test_paper_is_light_also_where_the_screen_is_dark(looking: Looking, sample: str) -> None:
    """Ink is dark, and the background is white."""
    page = looking(sample, DARK, is_changed=True).page
    page.emulate_media(media="print", color_scheme="dark")
    try:
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        ink = page.evaluate("getComputedStyle(document.body).color")
    finally:
        page.emulate_media(media="screen", color_scheme="dark")
    assert background in {"rgb(255, 255, 255)", "rgba(0, 0, 0, 0)"}
    assert max(map(int, re.findall(r"\d+", ink)[:3])) < 80
