"""The director's side of `/_provider`: settings, faults, the provider's own account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import httpx

if TYPE_CHECKING:
    from types import TracebackType


class Control:
    """Directs a provider that runs at `url`, in this process or another."""

    def __init__(self, url: str) -> None:
        """Name the provider; nothing is sent yet."""
        self.url = url
        self._client = httpx.Client(base_url=url, trust_env=False)

    def __enter__(self) -> Self:
        """Give the control itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close the connections of the control; the provider goes on."""
        self._client.close()

    def configure(self, **changes: Any) -> None:  # noqa: ANN401 - JSON of any shape, checked by the provider
        """Replace the settings that are named; raises `ValueError` with the provider's words."""
        answer = self._client.put("/_provider/settings", json=changes)
        if answer.is_error:
            raise ValueError(answer.json()["error"])

    def fail(self, call: str, *actions: dict[str, Any], **how: Any) -> None:  # noqa: ANN401
        """Let one kind of call go wrong, in place of all faults to come; `how`: `times`, `after`, `batch`."""
        self.configure(faults=[{"call": call, "do": list(actions), **how}])

    def reset(self) -> None:
        """Forget batches, files, counters and changed settings."""
        self._client.post("/_provider/reset").raise_for_status()

    def stats(self) -> dict[str, Any]:
        """Give `calls` by name, those that came `early`, `created`, `faults`, `batches` and `files`."""
        answer: dict[str, Any] = self._client.get("/_provider/stats").raise_for_status().json()
        return answer
