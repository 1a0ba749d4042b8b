"""Ids of batches at a provider. They become part of URLs, keys of objects, messages and commands."""

import re

_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:=-]{0,499}")


def is_batch_id(text: str) -> bool:
    """Tell whether a text can be the id of a batch: one word, and one part of a path, in visible ASCII."""
    return _SAFE.fullmatch(text) is not None
