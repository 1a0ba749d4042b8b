"""Taps on every wire that changes the world: S3 writes, StartExecution, calls to the provider.

A tap counts the side effects of a history in their order and breaks the function off before or after the ones it is
told to. What there is to tap is found by running, not listed by hand: a new write or call is a new point by itself.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import httpx

from conveyor.clients import Clients

type When = Literal["before", "after"]

_READS = ("Get", "Head", "List")


class Point(NamedTuple):
    """Before or after the n-th side effect of a history, counted from 0."""

    number: int
    when: When


class Crash(BaseException):  # no error of ours: nothing may catch it
    """The function is gone, as when Lambda ends its process."""


@dataclass
class Taps:
    """Counts side effects; crashes at the points it was given, each once."""

    points: set[Point] = field(default_factory=set)
    seen: list[str] = field(default_factory=list)
    crashed: list[str] = field(default_factory=list)

    def meet(self, effect: str, when: When) -> None:
        """Note an effect that is about to happen, or has just happened; crash if that is a point."""
        if when == "before":
            self.seen.append(effect)
        point = Point(len(self.seen) - 1, when)
        if point in self.points:
            self.points.discard(point)
            self.crashed.append(f"{when} {effect}")
            raise Crash(f"{when} {effect}")


@contextmanager
def tapped(clients: Clients, taps: Taps) -> Iterator[None]:
    """Put the taps on the wires of a function's clients for a time."""
    aws = (clients.storage._client.meta.events, clients.machine._client.meta.events)  # noqa: SLF001
    http = clients._http  # noqa: SLF001

    def before(model: Any, params: dict[str, Any], **_: Any) -> None:
        if not model.name.startswith(_READS):
            taps.meet(_named(model.name, params), "before")

    def after(model: Any, **_: Any) -> None:
        if not model.name.startswith(_READS):
            taps.meet(model.name, "after")

    def asked(request: httpx.Request) -> None:
        taps.meet(f"{request.method} {request.url.path}", "before")

    def answered(response: httpx.Response) -> None:
        taps.meet(f"{response.request.method} {response.request.url.path}", "after")

    for events in aws:
        events.register("before-call", before, unique_id="before")
        events.register("after-call", after, unique_id="after")
    http.event_hooks = {"request": [asked], "response": [answered]}
    try:
        yield
    finally:
        for events in aws:
            events.unregister("before-call", unique_id="before")
            events.unregister("after-call", unique_id="after")
        http.event_hooks = {}


def _named(call: str, params: dict[str, Any]) -> str:
    path = str(params.get("url_path", "")).partition("?")[0]
    return f"{call} {path}".rstrip(" /")
