"""Characters that many programs take for the end of a line, and JSON does not: U+2028, U+2029, U+0085.

They may stand in strings as they are, so a server that splits a file of lines with a function like Python's
`str.splitlines` cuts a request in two. Escaped they are the same JSON value. A carriage return may only stand between
values, where a space is the same. All other such characters JSON escapes by its own rules.
"""

_ESCAPED = {b"\xe2\x80\xa8": rb"\u2028", b"\xe2\x80\xa9": rb"\u2029", b"\xc2\x85": rb"\u0085"}
"""By their UTF-8, which is part of no other character's."""


def escaped(text: bytes) -> bytes:
    """Return JSON in UTF-8 in which nothing ends a line but a line feed."""
    text = text.replace(b"\r", b" ")
    if text.isascii():
        return text
    for raw, escape in _ESCAPED.items():
        text = text.replace(raw, escape)
    return text


def growth(text: bytes) -> int:
    """Return how many bytes longer it is when it is escaped."""
    if text.isascii():
        return 0
    return sum(text.count(raw) * (len(escape) - len(raw)) for raw, escape in _ESCAPED.items())
