"""The colours of the page can be told apart by people who see little contrast, in light, in dark and on paper.

The formula: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio
"""

import re
from itertools import product
from pathlib import Path

import pytest

from conveyor.page import page

STYLE = (Path(page.__file__).parent / "style.css").read_text()
TEXT, GRAPHICS = ("ink", "soft", "ok", "warn", "bad", "link"), ("data", "data2", "bad", "ink", "warn", "soft")
NO_COLOURS_OF_THEIR_OWN = {"line", "panel", "bg"}
"""Hairlines are decoration, and the others are backgrounds."""


def colours(block: str) -> dict[str, str]:
    """Return the colours that a block of the style sheet sets, by name."""
    return dict(re.findall(r"--([a-z0-9]+): (#[0-9a-f]{3,6});", block))


LIGHT = colours(STYLE.partition("@media")[0])
SCHEMES = {
    "light": LIGHT,
    "dark": LIGHT | colours(STYLE.partition("prefers-color-scheme: dark")[2].partition("* {")[0]),
    "print": LIGHT | colours(STYLE.partition("@media print")[2].partition("@page")[0]),
}


def luminance(colour: str) -> float:
    """Return the relative luminance."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, from 1 to 21."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_text_has_a_contrast_of_four_and_a_half_and_graphics_of_three(scheme: str) -> None:
    """Each colour on each background that it is used on."""
    found = SCHEMES[scheme]
    texts = {(text, on): contrast(found[text], found[on]) for text, on in product(TEXT, ("bg", "panel"))}
    graphics = {each: contrast(found[each], found["bg"]) for each in GRAPHICS}
    assert min(texts.values()) >= 4.5, texts
    assert min(graphics.values()) >= 3, graphics


def test_every_colour_of_the_style_sheet_is_checked() -> None:
    """A colour is named once for each scheme, and nowhere else."""
    assert {*TEXT, *GRAPHICS, *NO_COLOURS_OF_THEIR_OWN} == LIGHT.keys()
    assert all(scheme.keys() == LIGHT.keys() for scheme in SCHEMES.values())
    assert not re.search(r"#[0-9a-f]{3,6}\b", re.sub(r"--[a-z0-9]+: #[0-9a-f]{3,6};", "", STYLE))
    used = set(re.findall(r"(?<![-\w])(?:color|fill): var\(--([a-z0-9]+)\)", STYLE))
    assert used <= {*TEXT, *GRAPHICS, "bg"}
