"""One history: a drop, the functions as AWS invokes and retries them, and crashes at chosen calls."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from conveyor.split.split import AnotherSplits
from tests.support.belt import Belt, Task
from tests.support.faults.taps import Crash, Taps, tapped

ASYNC_RETRIES = (60, 120)
"""Seconds after which Lambda retries a failed asynchronous invocation."""
MACHINE_RETRIES = 104
_FIRST_PAUSE, _LONGEST_PAUSE = 2, 900
"""Seconds after which the state machine retries a failed task; the pause doubles each time."""


@dataclass
class Ending:
    """How a history ended."""

    run: str
    notice: dict[str, Any]
    creates: int
    created: int


def with_retries(belt: Belt, task: Task, begin: Callable[[], object] = lambda: None) -> dict[str, Any]:
    """Run a task with the retries of the state machine. Only errors that a history causes are retried.

    `begin` is called before each try.
    """
    for number in range(MACHINE_RETRIES):
        begin()
        try:
            return task()
        except (Crash, AnotherSplits):
            belt.pass_time(min(_FIRST_PAUSE << number, _LONGEST_PAUSE))
    raise AssertionError("the task failed after all retries")


class History:
    """The behaviour of AWS: an upload event is delivered at least once, failed invocations and tasks are retried."""

    def __init__(self, belt: Belt, taps: Taps, *, deliveries: int = 1) -> None:
        """Set how often the upload event is delivered; of several deliveries, the last is after the run's end."""
        self._belt = belt
        self._taps = taps
        self._deliveries = deliveries
        self._before: set[str] = set()
        self._before = self._started()
        self._crashes_before_task = 0

    def play(self, data: bytes, key: str, metadata: dict[str, str] | None = None) -> Ending:
        """Drop a file and run everything to the final message."""
        event = self._belt.drop(data, key, metadata)
        with tapped(self._belt.clients, self._taps):
            for _ in range(max(1, self._deliveries - 1)):
                self._deliver(event)
            if not self._started():  # an operator follows the alarm of the failure queue
                self._call(lambda: self._belt.submit(event))
            (run,) = self._started()
            notice = self._belt.finish(run, self._call)
            is_told_again = not self._taps.crashed or self._crashes_before_task < len(self._taps.crashed)
            if self._deliveries > 1:
                self._deliver(event)
            if is_told_again:  # a crash before the report changes nothing in how often it can be told
                again = self._call(lambda: self._belt.report(run))
                assert again == notice, "report must return the same message again"
        return Ending(run, notice, *self._belt.creates())

    def _call(self, task: Task) -> dict[str, Any]:
        """Run a task with the retries of the state machine."""
        self._crashes_before_task = len(self._taps.crashed)
        return with_retries(self._belt, task, self._taps.begin)

    def _deliver(self, event: dict[str, Any]) -> None:
        """Invoke submit asynchronously, at most three times."""
        for pause in (*ASYNC_RETRIES, 0):
            self._taps.begin()
            try:
                self._belt.submit(event)
            except Crash:
                self._belt.pass_time(pause)
            else:
                return

    def _started(self) -> set[str]:
        """Return the runs whose executions were started in this history."""
        machine = self._belt.clients.environment.state_machine_arn
        latest = self._belt.states.list_executions(stateMachineArn=machine, maxResults=3)["executions"]
        return {execution["name"] for execution in latest} - self._before
