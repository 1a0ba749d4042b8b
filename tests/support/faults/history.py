"""One history: a drop, the functions as AWS calls and repeats them, and crashes where the taps say."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from conveyor.split.split import AnotherSplits
from tests.support.belt import Belt, Task
from tests.support.faults.taps import Crash, Taps, tapped

ASYNC_RETRIES = (60, 120)
"""Seconds after which Lambda repeats an asynchronous invocation that failed."""
MACHINE_RETRIES = 104
_FIRST_PAUSE, _LONGEST_PAUSE = 2, 900
"""Seconds after which the state machine repeats a task that failed: doubling."""


@dataclass
class Ending:
    """How a history ended."""

    run: str
    notice: dict[str, Any]
    creates: int
    created: int


def with_retries(belt: Belt, task: Task, begin: Callable[[], object] = lambda: None) -> dict[str, Any]:
    """Run a task as the state machine does, again and again; other errors than those a history wants are defects.

    `begin` is told each time.
    """
    for number in range(MACHINE_RETRIES):
        begin()
        try:
            return task()
        except (Crash, AnotherSplits):
            belt.pass_time(min(_FIRST_PAUSE << number, _LONGEST_PAUSE))
    raise AssertionError("the run ended red")


class History:
    """AWS as it is: an upload is delivered at least once, a failed invocation is repeated, a machine never forgets."""

    def __init__(self, belt: Belt, taps: Taps, *, deliveries: int = 1) -> None:
        """Deliver the upload's event so many times in all, the last time when all is over."""
        self._belt = belt
        self._taps = taps
        self._deliveries = deliveries
        self._before: set[str] = set()
        self._before = self._started()

    def play(self, data: bytes, key: str) -> Ending:
        """Drop a file and let everything happen until the message is worded."""
        event = self._belt.drop(data, key)
        call = partial(with_retries, self._belt, begin=self._taps.begin)
        with tapped(self._belt.clients, self._taps):
            for _ in range(max(1, self._deliveries - 1)):
                self._deliver(event)
            if not self._started():  # an operator follows the alarm of the failure queue
                call(lambda: self._belt.submit(event))
            (run,) = self._started()
            notice = self._belt.finish(run, call)
            if self._deliveries > 1:
                self._deliver(event)
            again = call(lambda: self._belt.report(run))
        assert again == notice, "a repeated message must say the same"
        return Ending(run, notice, *self._belt.creates())

    def _deliver(self, event: dict[str, Any]) -> None:
        """Invoke submit asynchronously: at most three times."""
        for pause in (*ASYNC_RETRIES, 0):
            self._taps.begin()
            try:
                self._belt.submit(event)
            except Crash:
                self._belt.pass_time(pause)
            else:
                return

    def _started(self) -> set[str]:
        """Return the runs of which an execution has been started in this history: of the latest, those that are new."""
        machine = self._belt.clients.environment.state_machine_arn
        found = self._belt.states.list_executions(stateMachineArn=machine, maxResults=3)["executions"]
        return {execution["name"] for execution in found} - self._before
