"""What the browser's environment knows of the samples: it has nothing of the core."""

MARKED = "hostile-markup-was-shown"
"""Stands in every hostile text, so that a test can look for it where a person reads it."""
HOSTILE = (
    f"{MARKED}\"'></style><script>document.title=1</script><img src=x onerror=alert(1)>"
    '<b onclick="alert(1)">\u202e\u200b\x00\ud800&amp;{{ 7*7 }}'
)
"""A text of somebody else, with what could become markup, an attribute, a style, a template, or is not seen."""
PICTURED = ("good", "failures", "nothing", "refused", "large")
"""The samples of which the docs have pictures."""
