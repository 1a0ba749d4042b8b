"""The simulated provider, with a record of the calls that changed it; and the same calls made again."""

import re
from functools import partial
from typing import Any

import httpx
import msgspec
import orjson

from local.provider.control import Control
from local.provider.settings import Settings
from tests.functions.conftest import API_KEY
from tests.golden.kept import Call
from tests.support.memory_provider import URL, MemoryProvider

FIRST = Settings(seconds=0, canceling_seconds=0, api_key=API_KEY)
"""The provider's settings before a run changes them: batches end at once."""
_FIRST = msgspec.to_builtins(FIRST, str_keys=True)
_NOT_KEPT = ("now", "batch_ids")
_KEPT_HEADERS = ("content-type", "anthropic-version", "anthropic-beta")


class Recorder(MemoryProvider):
    """A provider that keeps each call that changed it."""

    def __init__(self) -> None:
        """Start without batches, whose ids follow from their order."""
        super().__init__(FIRST)
        self.calls: list[Call] = []

    def serve(self, request: httpx.Request) -> httpx.Response:
        """Answer a request, and keep it if it changed something. Raises as the provider does."""
        if request.method != "POST" or not request.url.path.startswith("/v1/"):
            return super().serve(request)
        body = request.read()
        before, settings = self._asked("stats"), self._asked("settings")
        try:
            return super().serve(httpx.Request("POST", request.url, headers=request.headers, content=body))
        finally:
            self._keep(request, body, before, settings)

    def settings(self) -> dict[str, Any]:
        """Return the settings that differ from the first ones."""
        return _changed(self._asked("settings"))

    def _keep(self, request: httpx.Request, body: bytes, before: dict[str, Any], settings: dict[str, Any]) -> None:
        after = self._asked("stats")
        new = [made["id"] for kind in ("batches", "files") for made in after[kind][len(before[kind]) :]]
        is_cancel = request.url.path.endswith("/cancel")
        if not (new or is_cancel):
            return
        headers = {name: request.headers[name] for name in _KEPT_HEADERS if name in request.headers}
        call = Call(
            at=settings["now"], path=request.url.path, headers=headers, body=body.decode(),
            made="" if is_cancel else new[0], settings=_changed(settings),
        )  # fmt: skip
        self.calls.append(call)

    def _asked(self, what: str) -> dict[str, Any]:
        answer: dict[str, Any] = orjson.loads(super().serve(httpx.Request("GET", f"{URL}/_provider/{what}")).read())
        return answer


def repeat(calls: list[Call], provider: Control) -> None:
    """Make the calls again, each at its time: what they create has the ids that it had."""
    files: dict[str, str] = {}
    batches = [call.made for call in calls if call.made and not call.path.endswith("/files")]
    ids = {str(number): made for number, made in enumerate(batches, 1)}
    key = {"x-api-key": API_KEY, "authorization": f"Bearer {API_KEY}"}
    with httpx.Client(base_url=provider.url, headers=key) as http:
        for call in calls:
            provider.configure(**_FIRST | call.settings | {"now": call.at, "batch_ids": ids, "faults": []})
            body = re.sub(r"file-\w+", partial(_renamed, files), call.body)
            made = http.post(call.path, headers=call.headers, content=body.encode()).raise_for_status().json()
            files |= {call.made: made["id"]} if call.path.endswith("/files") else {}


def _renamed(files: dict[str, str], found: re.Match[str]) -> str:
    return files.get(found[0], found[0])


def first_settings(**changes: Any) -> dict[str, Any]:
    """Return all settings of the provider: the first ones, with some changed."""
    return {name: value for name, value in (_FIRST | changes).items() if name != "now"}


def _changed(settings: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value for name, value in settings.items() if name not in _NOT_KEPT and value != _FIRST.get(name, value)
    }
