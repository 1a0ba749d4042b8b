"""Names of the provider's beta features that a run uses, as one text, separated by commas.

Anthropic takes them in the header `anthropic-beta` of the call that creates a batch, for all of its requests.
Facts: https://platform.claude.com/docs/en/api/beta-headers
"""

import re

NO_BETAS = "none"
"""In metadata: the drop uses no beta features, whatever the stack's setting."""
BETAS_NOT_TAKEN = "betas-not-taken"
"""Code of the refusal of a drop with betas in a dialect that takes none."""
MOST_BETAS = 20
"""Names. The provider has had about sixty in all."""
_NAME = "[a-z0-9]+(?:[-.][a-z0-9]+)*"
BETAS_FORM = rf"^(?:{_NAME}(?:,{_NAME}){{0,{MOST_BETAS - 1}}})?$"
LONGEST_BETAS = 500
"""Characters: metadata of an object may have 2 KB in all."""
_HEADERS = frozenset({"anthropic-beta", "x-anthropic-beta", "betas", "beta"})


def normalized_betas(text: str) -> str:
    """Return the names as they are sent: without spaces, each once, in the given order."""
    names = [name.strip() for name in text.split(",")]
    if names in ([""], [NO_BETAS]):
        return ""
    return ",".join(names if "" in names else dict.fromkeys(names))


def guess_betas(text: str) -> str | None:
    """Return the list of names that was probably meant by a JSON list, other separators, or capitals."""
    names = re.findall(_NAME, text.lower().replace("_", "-"))
    guess = normalized_betas(",".join(name for name in names if name not in _HEADERS))
    return guess or None
