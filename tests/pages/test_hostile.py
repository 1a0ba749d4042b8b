"""Texts of somebody else, in the browser: they are seen as they are, and do nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.pages.browser import LIGHT, NARROW
from tests.support.page_samples.marked import MARKED

if TYPE_CHECKING:
    from tests.pages.conftest import Looking


def test_hostile_texts_stay_texts(looking: Looking) -> None:
    """Ids, the provider's words, a model and a batch with markup in them: nothing of it became markup."""
    opened = looking("hostile", LIGHT, is_changed=True)
    opened.page.locator("details").evaluate_all("all => all.forEach(each => each.open = true)")
    seen = opened.page.locator("body").inner_text()
    assert MARKED not in opened.page.title()
    assert "<script>document.title=" in seen
    assert "<img src=x onerror=" in seen
    assert '<b onclick="alert(1)">' in seen
    assert "{{ 7*7 }}" in seen
    assert seen.count(MARKED) >= 4
    assert opened.ask("active.js") == []
    assert (opened.said, len(opened.requests)) == ([], 1)


def test_what_is_not_seen_is_written_out(looking: Looking) -> None:
    """A character that turns the order of a line, or has no width, stands as an escape."""
    seen = looking("hostile", NARROW).page.locator("body").inner_text()
    assert not set(seen) & set("\u202a\u202b\u202d\u202e\u2066\u2067\u200b")
    assert "202e" in seen.lower()


def test_the_page_refuses_scripts_even_if_one_got_in(looking: Looking) -> None:
    """Its Content-Security-Policy lets nothing run, load or restyle."""
    opened = looking("hostile", LIGHT, is_changed=True)
    opened.page.evaluate("""() => {
        const script = document.createElement("script");
        script.textContent = "document.title = 'it ran'";
        document.body.append(script);
        const image = document.createElement("img");
        image.src = "https://example.org/x.png";
        document.body.append(image);
    }""")
    opened.page.wait_for_timeout(200)
    assert opened.page.title() != "it ran"
    assert len([said for said in opened.said if "Content Security Policy" in said]) >= 2
