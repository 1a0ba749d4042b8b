"""Texts of a drop and of the provider are texts on the page, whatever they hold."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conveyor.page.seen import LONGEST, visible
from tests.support.page_html import elements, section, tag, text_of, written
from tests.support.page_samples.marked import HOSTILE, MARKED

UNSEEN = {
    chr(code) for code in (*range(0x20), 0x7F, *range(0x80, 0xA0), 0x200B, 0x202E, 0x2066, 0xFEFF, 0xE000, 0xD800)
} - {"\n"}
HOSTILES = pytest.mark.parametrize("name", ["hostile", "hostile-large", "hostile-faults"])


@HOSTILES
def test_they_are_in_the_content_of_elements_only(name: str) -> None:
    """No attribute, address, class or title holds any of them, so none can end one."""
    for each in elements(name):
        assert not [value for value in each.attrib.values() if MARKED in value]
    assert all(MARKED not in text_of(each) for each in elements(name, "title", "style") if "}" not in str(each.tag))


@HOSTILES
def test_they_are_shown_as_they_are(name: str) -> None:
    """Markup and templates in them are letters, and what is not seen has its number."""
    text = text_of(next(elements(name, "main")))
    assert "\"'></style><script>document.title=1</script><img src=x onerror=alert(1)><b onclick=" in text
    assert "U+202EU+200BU+0000U+D800&amp;{{ 7*7 }}" in text
    assert not [each for each in elements(name) if tag(each) == "img"]


@pytest.mark.parametrize("name", ["hostile", "unseen", "hostile-large", "hostile-faults"])
def test_no_character_that_is_not_seen_gets_onto_the_page(name: str) -> None:
    """Nothing turns the order of a line, or hides a part of it; and the page can be written as UTF-8."""
    assert not UNSEEN & set(written(name))
    assert written(name).encode()


def test_ids_and_the_providers_words_are_there_with_their_lines() -> None:
    """A person who corrects the lines can find them."""
    causes = section("failures", "causes")
    assert re.search(r"line 9,871\s*ticket-489876", causes)
    assert "messages.0.content.0.text: text content blocks must be non-empty" in causes


@given(st.text(max_size=200))
def test_a_text_is_cut_and_every_character_of_it_is_seen(text: str) -> None:
    """The true length is said where a text is cut, and what is shown has a bound of its own."""
    shown = visible(text)
    plain = shown.striptags() if "<" in shown else shown.unescape()
    assert all(character.isprintable() for character in shown)
    assert len(shown) <= 5 * LONGEST + 30 * (LONGEST // 6 + 2) + 100
    assert len(text) <= LONGEST or f"… {len(text):,} characters" in plain


def test_a_text_that_was_cut_before_says_that_it_is_longer() -> None:
    """Its true length is not known any more."""
    assert "… 200 or more characters" in visible("x" * 200, kept=200)
    assert "… 199 characters" in visible("x" * 199, kept=200)
    assert visible(HOSTILE[:10]).unescape() == HOSTILE[:10]
