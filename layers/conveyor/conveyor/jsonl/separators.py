"""Characters that many programs read as line ends, although JSON does not: U+2028, U+2029, U+0085.

JSON strings may contain them unescaped, so a server that splits a file with a function like Python's `str.splitlines`
would cut a request in two. Escaped, the JSON value is the same. A carriage return can occur only between values, where
a space means the same. JSON requires all other such characters to be escaped.
"""

_ESCAPED = {b"\xe2\x80\xa8": rb"\u2028", b"\xe2\x80\xa9": rb"\u2029", b"\xc2\x85": rb"\u0085"}
"""By UTF-8, which is not part of any other character's UTF-8."""


def escaped(text: bytes) -> bytes:
    """Return JSON in UTF-8 in which only a line feed ends a line."""
    text = text.replace(b"\r", b" ")
    if text.isascii():
        return text
    for raw, escape in _ESCAPED.items():
        text = text.replace(raw, escape)
    return text


def growth(text: bytes) -> int:
    """Return how many bytes longer a text becomes when it is escaped."""
    if text.isascii():
        return 0
    return sum(text.count(raw) * (len(escape) - len(raw)) for raw, escape in _ESCAPED.items())
