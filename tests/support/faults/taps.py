"""Taps on every wire: S3, StartExecution, calls to the provider; and an S3 that answers as AWS's own sometimes does.

A tap tells its listeners of every call, before and after it. `Taps` counts the calls that change the world, or ask the
provider, in their order and breaks the function off before or after the ones it is told to. What there is to tap is
found by running, not listed by hand: a new write or call is a new point by itself.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any, Literal, NamedTuple, Self

import httpx
import pytest

from conveyor.clients import Clients

type When = Literal["before", "after"]
type Listener = Callable[["Call", When], None]

_READS = ("Get", "Head", "List")


class Call(NamedTuple):
    """A call on a wire: `PutObject runs/<run>/run.json`, `POST /v1/messages/batches`."""

    name: str
    changes: bool
    """Whether it changes the world. To be broken off at one that does not is to be broken off after the one before."""


class Point(NamedTuple):
    """Before or after the n-th call that counts, from 0."""

    number: int
    when: When


class Crash(BaseException):  # no error of ours: nothing may catch it
    """The function is gone, as when Lambda ends its process."""


@dataclass
class Taps:
    """Counts calls; crashes at the points it was given, each once."""

    points: set[Point] = field(default_factory=set)
    count_reads: bool = True
    """Whether calls that only ask the provider count, too: they use up what it was told to do wrong."""
    seen: list[str] = field(default_factory=list)
    first: set[int] = field(default_factory=set)
    """Numbers of the calls before which their function had made none."""
    answered: set[int] = field(default_factory=set)
    crashed: list[str] = field(default_factory=list)
    _begun: bool = True

    def begin(self) -> None:
        """Note that a function begins."""
        self._begun = True

    def __call__(self, call: Call, when: When) -> None:
        """Note a call that is about to happen, or has just happened; crash if that is a point."""
        if not (call.changes or (self.count_reads and call.name.startswith("GET "))):
            return
        if when == "before":
            self.first |= {len(self.seen)} if self._begun else set()
            self._begun = False
            self.seen.append(call.name)
        number = len(self.seen) - 1
        self.answered |= {number} if when == "after" else set()
        if (number, when) in self.points:
            self.points.discard(Point(number, when))
            self.crashed.append(f"{when} {call.name}")
            raise Crash(f"{when} {call.name}")

    def all_points(self) -> set[Point]:
        """Return every point of the history that was seen."""
        before = {Point(number, "before") for number in range(len(self.seen))}
        return before | {Point(number, "after") for number in self.answered}

    def distinct_points(self) -> set[Point]:
        """Return the points without those where nothing has happened since the one before in the same function."""
        same = {Point(number + 1, "before") for number in self.answered if number + 1 not in self.first}
        return self.all_points() - same

    def matching_calls(self, other: Self) -> int:
        """Return how many calls were the same from the beginning as in another history, but for the names in them."""
        pairs = zip(self.seen, other.seen, strict=False)
        return sum(1 for _ in takewhile(lambda pair: _OWN.sub("", pair[0]) == _OWN.sub("", pair[1]), pairs))


_OWN = re.compile(r"[0-9TZ]{16}-[0-9a-f]{12}|[0-9a-f]{32,64}|(?:msg)?batch_\w+|file-[\w-]+")
"""What of a call's name is of one history only: run, drop, content, batch."""


@dataclass
class At:
    """Does something, once, before or after the n-th call (from 1) whose name holds some words."""

    when: When
    words: str
    do: Callable[[], object]
    nth: int = 1
    met: int = 0

    def __call__(self, call: Call, when: When) -> None:
        """Do it if this is the call."""
        if when == self.when and self.words in call.name:
            self.met += 1
            if self.met == self.nth:
                self.do()


def crash() -> None:
    """End the function."""
    raise Crash


@contextmanager
def meanwhile(clients: Clients, *at: At) -> Iterator[None]:
    """Let things happen at calls made inside the block; each of them must happen."""
    with tapped(clients, *at):
        yield
    assert [each.words for each in at if each.met < each.nth] == [], "calls that were never made"


@contextmanager
def crash_at(clients: Clients, when: When, words: str, nth: int = 1) -> Iterator[None]:
    """Expect that the function of the block is broken off at a call."""
    with meanwhile(clients, At(when, words, crash, nth)), pytest.raises(Crash):
        yield


@contextmanager
def tapped(clients: Clients, *listeners: Listener) -> Iterator[None]:
    """Put taps on the wires of a function's clients for a time."""

    def notify(call: Call, when: When) -> None:
        for listener in listeners:
            listener(call, when)

    def before(model: Any, params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        context["tapped"] = Call(_named(model.name, params), changes=not model.name.startswith(_READS))
        notify(context["tapped"], "before")

    def after(context: dict[str, Any], **_: Any) -> None:
        notify(context["tapped"], "after")

    def asked(request: httpx.Request) -> None:
        notify(_asked(request), "before")

    def answered(response: httpx.Response) -> None:
        notify(_asked(response.request), "after")

    http = clients.connector.http
    hooks = http.event_hooks
    with ExitStack() as stack:
        for aws in (clients.bucket, clients.machine):
            stack.enter_context(_registered(aws, "before-call", before))
            stack.enter_context(_registered(aws, "after-call", after))
        http.event_hooks = {"request": [*hooks["request"], asked], "response": [*hooks["response"], answered]}
        try:
            yield
        finally:
            http.event_hooks = hooks


@contextmanager
def _registered(door: Any, event: str, handler: Callable[..., Any]) -> Iterator[None]:
    events = door._client.meta.events  # noqa: SLF001
    name = f"{event} {id(handler)}"
    events.register(event, handler, unique_id=name)
    try:
        yield
    finally:
        events.unregister(event, unique_id=name)


def _asked(request: httpx.Request) -> Call:
    return Call(f"{request.method} {request.url.path}", changes=request.method != "GET")


def _named(call: str, params: dict[str, Any]) -> str:
    path = params["url_path"].partition("?")[0].strip("/")
    prefix = dict(params["query_string"] or {}).get("prefix", "")
    return " ".join(filter(None, (call, path or prefix, params["headers"].get("Range"))))
