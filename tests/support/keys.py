"""API keys that change whenever they are read again."""

from conveyor.provider.credentials import ApiKey


class Keys:
    """Counts how often the key is read again; each time it is another."""

    def __init__(self) -> None:
        """Start with the first key."""
        self.renewed = 0

    def __call__(self, *, renew: bool = False) -> ApiKey:
        """Return the current key."""
        self.renewed += renew
        return ApiKey(f"key-{self.renewed}")
