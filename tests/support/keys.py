"""API keys that change whenever they are renewed."""

from conveyor.provider.credentials import ApiKey


class Keys:
    """Counts how often the key is renewed; each time it is a new one."""

    def __init__(self) -> None:
        """Start with the first key."""
        self.renewed = 0

    def __call__(self, *, renew: bool = False) -> ApiKey:
        """Return the current key."""
        self.renewed += renew
        return ApiKey(f"key-{self.renewed}")
