"""Texts of somebody else, as they may be shown: nothing in them can move the cursor, or turn the order of the line."""


def visible(text: str, *, ascii_only: bool = False) -> str:
    r"""Return a text with each character that is not seen as an escape, such as `\u202e`.

    These are controls, formats (direction, zero width), private ones, surrogates, and all spaces but the one of ASCII.
    `ascii_only`: all beyond ASCII are escapes, too.
    """
    if text.isprintable() and (text.isascii() or not ascii_only):  # as almost always
        return text

    def is_seen(character: str) -> bool:
        return character.isprintable() and (character.isascii() or not ascii_only)

    return "".join(each if is_seen(each) else _escape(each) for each in text)


def _escape(character: str) -> str:
    code = ord(character)
    if code <= 0xFF:  # noqa: PLR2004
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004
