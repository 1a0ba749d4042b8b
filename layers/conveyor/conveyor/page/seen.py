"""Texts of somebody else in HTML: escaped, with what is not seen made visible, and cut."""

import re
from itertools import groupby

from markupsafe import Markup, escape

LONGEST = 160
"""Characters shown of a text; one that is shown by its number counts as many as that has."""

LONGEST_OF_OURS = 2048
_NAME = re.compile(r"(?=.*[-/])[!-~]{1,36}")
"""A word that a browser would break."""


def visible(text: str, *, longest: int = LONGEST, kept: int | None = None) -> Markup:
    """Return a text for the content of an element, never for an attribute.

    Characters that are not seen (controls, direction, zero width, private ones, lone surrogates, spaces but the one of
    ASCII) are shown as `U+202E`. `longest`: characters from which on it is cut. `kept`: how many are kept at most of
    such a text, if not all are: the true length of one that has as many is not known.
    """
    if len(text) <= longest and text.isascii() and text.isprintable():
        return escape(text)
    shown = _cut(text, longest)
    parts = [_part(is_seen, "".join(run)) for is_seen, run in groupby(shown, str.isprintable)]
    content = Markup("").join(parts)
    if len(shown) < len(text):
        more = " or more" if kept and len(text) >= kept else ""
        content += Markup('<span class="u">… {:,}{} characters</span>').format(len(text), more)
    return content if text.isascii() else Markup("<bdi>{}</bdi>").format(content)


def whole(text: str) -> Markup:
    """Return a sentence, a key or a command of ours, which may name what is somebody else's."""
    return visible(text, longest=LONGEST_OF_OURS)


def command(text: str) -> Markup:
    """Return a command whose words are not broken over lines."""
    return Markup(" ").join(Markup('<span class="nb">{}</span>').format(whole(word)) for word in text.split(" "))


def unbroken(text: str) -> Markup:
    """Return a sentence of ours in which names and keys are not broken at a hyphen, if they fit into half a line."""
    if not text.isascii():
        return whole(text)
    parts = [
        Markup('<span class="nb">{}</span>') if _NAME.fullmatch(word) else Markup("{}") for word in text.split(" ")
    ]
    return Markup(" ").join(part.format(whole(word)) for part, word in zip(parts, text.split(" "), strict=True))


def label(text: str) -> Markup:
    """Return a text of ours for an attribute: ASCII, in quotes."""
    return escape("".join(each if " " <= each <= "~" else "?" for each in text))


def _cut(text: str, longest: int) -> str:
    room = longest
    for at, character in enumerate(text[:longest]):
        room -= 1 if character.isprintable() else len(_number(character))
        if room < 0:
            return text[:at]
    return text[:longest]


def _part(is_seen: bool, text: str) -> Markup:  # noqa: FBT001 - a key of groupby
    if is_seen:
        return escape(text)
    return Markup("").join(Markup('<span class="u">{}</span>').format(_number(each)) for each in text)


def _number(character: str) -> str:
    return f"U+{ord(character):04X}"
