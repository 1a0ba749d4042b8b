"""The client of `/_provider`: settings, faults, statistics, reset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import httpx

if TYPE_CHECKING:
    from types import TracebackType

_SECONDS = 60.0
"""Of a call: the machine may be busy with a whole stack."""


class Control:
    """Controls a provider that runs at `url`, in this process or another."""

    def __init__(self, url: str) -> None:
        """Prepare a client; nothing is sent yet."""
        self.url = url
        self._client = httpx.Client(base_url=url, trust_env=False, timeout=_SECONDS)

    def __enter__(self) -> Self:
        """Return the control itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close the connections; the provider goes on."""
        self._client.close()

    def configure(self, **changes: Any) -> None:  # noqa: ANN401 - JSON of any shape, checked by the provider
        """Replace the settings that are named; raises `ValueError` with the provider's error."""
        response = self._client.put("/_provider/settings", json=changes)
        if response.is_error:
            raise ValueError(response.json()["error"])

    def fail(self, call: str, *actions: dict[str, Any], **limits: Any) -> None:  # noqa: ANN401
        """Replace all faults with one for this kind of call; `limits`: `times`, `after`, `batch`."""
        self.configure(faults=[{"call": call, "do": list(actions), **limits}])

    def reset(self) -> None:
        """Delete batches, files and counters, and undo changes of settings."""
        self._client.post("/_provider/reset").raise_for_status()

    def stats(self) -> dict[str, Any]:
        """Return `calls` by name, those that came `early`, `created`, `faults`, `batches` and `files`."""
        stats: dict[str, Any] = self._client.get("/_provider/stats").raise_for_status().json()
        return stats
