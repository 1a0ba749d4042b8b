"""Names of the provider's beta features that a run uses, as one text with commas between.

Anthropic takes them in the header `anthropic-beta` of the call that creates a batch, for all of its requests.
Facts: https://platform.claude.com/docs/en/api/beta-headers
"""

import re

NO_BETAS = "none"
"""How metadata says that a drop uses no beta, also where the stack has some."""
BETAS_NOT_TAKEN = "betas-not-taken"
"""Code of the refusal of a drop with betas whose batches cannot have any."""
MOST_BETAS = 20
"""Names; all that the provider has had at one time are some sixty."""
_NAME = "[a-z0-9]+(?:[-.][a-z0-9]+)*"
BETAS_FORM = rf"^(?:{_NAME}(?:,{_NAME}){{0,{MOST_BETAS - 1}}})?$"
LONGEST_BETAS = 500
"""Characters: metadata of an object may have 2 KB in all."""
_HEADERS = frozenset({"anthropic-beta", "x-anthropic-beta", "betas", "beta"})


def joined_betas(text: str) -> str:
    """Return names as they are sent: without spaces around them, each once, in their order."""
    names = [name.strip() for name in text.split(",")]
    if names in ([""], [NO_BETAS]):
        return ""
    return ",".join(names if "" in names else dict.fromkeys(names))


def guess_betas(text: str) -> str | None:
    """Return what a text that is no list of names probably means: a JSON list, other separators, capitals."""
    names = re.findall(_NAME, text.lower().replace("_", "-"))
    meant = joined_betas(",".join(name for name in names if name not in _HEADERS))
    return meant or None
