"""Listeners on every call to S3, Step Functions and the provider, which can crash the function.

A listener is called before and after each call. `Taps` counts the calls that write or reach the provider, and crashes
the function before or after chosen ones. The points are found by running a history, not listed by hand: a new write or
call is a new point.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count, takewhile
from threading import Barrier
from typing import Any, Literal, NamedTuple, Self
from urllib.parse import quote

import httpx
import pytest
from botocore.exceptions import ClientError

from conveyor.clients import Clients

type When = Literal["before", "after"]
type Listener = Callable[["Call", When], None]

_READS = ("Get", "Head", "List")
_TAG = "PutObjectTagging "
"""Calls at the very end of a run, many at a time in no fixed order, of which nothing else depends."""


class Call(NamedTuple):
    """A call to AWS or the provider: `PutObject runs/<run>/run.json`, `POST /v1/messages/batches`."""

    name: str
    changes: bool
    """Whether it has a side effect. A crash at a call without one is the same as a crash after the previous call."""


class Point(NamedTuple):
    """Before or after the n-th counted call, from 0."""

    number: int
    when: When


class Crash(BaseException):  # not an Exception, so that no handler catches it
    """The function ends, as when Lambda kills its process."""


@dataclass
class Taps:
    """Counts calls, and crashes once at each given point."""

    points: set[Point] = field(default_factory=set)
    count_reads: bool = True
    """Whether GET calls to the provider count too, since they use up its faults."""
    seen: list[str] = field(default_factory=list)
    first: set[int] = field(default_factory=set)
    """Numbers of the calls that were the first of their function."""
    answered: set[int] = field(default_factory=set)
    crashed: list[str] = field(default_factory=list)
    _begun: bool = True

    def begin(self) -> None:
        """Record that a function starts."""
        self._begun = True

    def __call__(self, call: Call, when: When) -> None:
        """Record a call before or after it happens; crash if that is a point."""
        if not (call.changes or (self.count_reads and call.name.startswith("GET "))) or call.name.startswith(_TAG):
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
        """Return every point of the recorded history."""
        before = {Point(number, "before") for number in range(len(self.seen))}
        return before | {Point(number, "after") for number in self.answered}

    def distinct_points(self) -> set[Point]:
        """Return the points, without those that directly follow another point in the same function."""
        same = {Point(number + 1, "before") for number in self.answered if number + 1 not in self.first}
        return self.all_points() - same

    def matching_calls(self, other: Self) -> int:
        """Return how many calls from the start equal those of another history, ignoring ids."""
        pairs = zip(self.seen, other.seen, strict=False)
        return sum(1 for _ in takewhile(lambda pair: _IDS.sub("", pair[0]) == _IDS.sub("", pair[1]), pairs))


_IDS = re.compile(r"[0-9TZ]{16}-[0-9a-f]{12}|[0-9a-f]{32,64}|(?:msg)?batch_\w+|file-[\w-]+")
"""The parts of a call's name that differ between histories: ids of run, drop, content and batch."""


@dataclass
class At:
    """Calls `do` once, before or after the n-th call (from 1) whose name contains `name_part`."""

    when: When
    name_part: str
    do: Callable[[], object]
    nth: int = 1
    met: int = 0

    def __call__(self, call: Call, when: When) -> None:
        """Do it if this is the call."""
        if when == self.when and self.name_part in call.name:
            self.met += 1
            if self.met == self.nth:
                self.do()


def crash() -> None:
    """Crash the function."""
    raise Crash


@contextmanager
def meanwhile(clients: Clients, *at: At) -> Iterator[None]:
    """Run actions at calls made inside the block; every action must happen."""
    with tapped(clients, *at):
        yield
    assert [action.name_part for action in at if action.met < action.nth] == [], "calls that were never made"


@contextmanager
def crash_at(clients: Clients, when: When, name_part: str, nth: int = 1) -> Iterator[None]:
    """Crash the function of the block at a call, and expect the crash."""
    with meanwhile(clients, At(when, name_part, crash, nth)), pytest.raises(Crash):
        yield


@contextmanager
def together(clients: Clients, many: int, name_part: str) -> Iterator[None]:
    """Let `many` threads of the block wait for each other at their first calls whose names contain `name_part`.

    So they race, however fast each of them is. Fewer than `many` are a failure after half a minute.
    """
    meeting, met = Barrier(many, timeout=30), count()

    def meet(call: Call, when: When) -> None:
        if when == "before" and name_part in call.name and next(met) < many:
            meeting.wait()

    with tapped(clients, meet):
        yield
    assert next(met) >= many, f"fewer than {many} came to {name_part}"


@contextmanager
def tapped(clients: Clients, *listeners: Listener) -> Iterator[None]:
    """Call the listeners at every call of a function's clients, for the length of the block."""

    def notify(call: Call, when: When) -> None:
        for listener in listeners:
            listener(call, when)

    def asked(request: httpx.Request) -> None:
        notify(_asked(request), "before")

    def answered(response: httpx.Response) -> None:
        notify(_asked(response.request), "after")

    http = clients.connector.http
    hooks = http.event_hooks
    with ExitStack() as stack:
        for aws in (clients.bucket, clients.machine):
            stack.enter_context(_heard(aws._client, notify))  # noqa: SLF001
        http.event_hooks = {"request": [*hooks["request"], asked], "response": [*hooks["response"], answered]}
        try:
            yield
        finally:
            http.event_hooks = hooks


class _Calls:
    """All calls of a client of AWS, and who listens to them."""

    def __init__(self, client: Any) -> None:
        """Take the place of what each method of the client calls."""
        self._call = client._make_api_call  # noqa: SLF001
        self.listeners: list[Listener] = []

    def __call__(self, name: str, asked: dict[str, Any]) -> Any:
        """Make a call. It is over when AWS has answered, with an error too, but not if the answer was lost."""
        call = Call(_named(name, asked), changes=not name.startswith(_READS))
        self._notify(call, "before")
        try:
            answer = self._call(name, asked)
        except ClientError:
            self._notify(call, "after")
            raise
        self._notify(call, "after")
        return answer

    def _notify(self, call: Call, when: When) -> None:
        for listener in self.listeners:
            listener(call, when)


@contextmanager
def _heard(client: Any, listener: Listener) -> Iterator[None]:
    calls = client._make_api_call  # noqa: SLF001
    if not isinstance(calls, _Calls):
        calls = client._make_api_call = _Calls(client)  # noqa: SLF001
    calls.listeners.append(listener)
    try:
        yield
    finally:
        calls.listeners.remove(listener)


def _asked(request: httpx.Request) -> Call:
    return Call(f"{request.method} {request.url.path}", changes=request.method != "GET")


def _named(call: str, asked: dict[str, Any]) -> str:
    """Return a call with its key, or the prefix of the keys that it lists, and the range that it reads."""
    path = quote(asked.get("Key", ""), safe="/~").strip("/")
    return " ".join(filter(None, (call, path or asked.get("Prefix"), asked.get("Range"))))
