"""One history: a drop, the functions as AWS calls and repeats them, and crashes where the taps say."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson

from tests.faults.taps import Crash, Taps, tapped
from tests.functions.belt import Belt

ASYNC_RETRIES = (60, 120)
"""Seconds after which Lambda repeats an asynchronous invocation that failed."""
TASK_RETRY = 2
"""Seconds after which the state machine repeats a task that failed; the first of its intervals."""
MOST_TURNS = 500


@dataclass
class Ending:
    """How a history ended."""

    run: str
    notice: dict[str, Any]
    creates: int
    created: int


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
        with tapped(self._belt.clients, self._taps):
            for _ in range(max(1, self._deliveries - 1)):
                self._deliver(event)
            if not self._started():  # an operator follows the alarm of the failure queue
                self._until_done(lambda: self._belt.submit(event))
            (run,) = self._started()
            notice = self._turn(run)
            if self._deliveries > 1:
                self._deliver(event)
            again = self._until_done(lambda: self._belt.report(run))
        assert again == notice, "a repeated message must say the same"
        return Ending(run, notice, *self._belt.creates())

    def _deliver(self, event: dict[str, Any]) -> None:
        """Invoke submit asynchronously: at most three times."""
        for pause in (*ASYNC_RETRIES, 0):
            try:
                self._belt.submit(event)
            except Crash:
                self._belt.pass_time(pause)
            else:
                return

    def _started(self) -> set[str]:
        """Return the runs of which an execution has been started in this history."""
        machine = self._belt.clients.environment.state_machine_arn
        found = self._belt.states.list_executions(stateMachineArn=machine)["executions"]
        return {execution["name"] for execution in found} - self._before

    def _until_done(self, call: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Repeat a task as the state machine does."""
        while True:
            try:
                return call()
            except Crash:
                self._belt.pass_time(TASK_RETRY)

    def _turn(self, run: str) -> dict[str, Any]:
        belt = self._belt
        for _ in range(MOST_TURNS):
            state = self._until_done(lambda: belt.poll(run))
            match state["next"]:
                case "wait":
                    belt.pass_time(state["wait_seconds"])
                case "submit":
                    self._until_done(lambda: belt.submit({"run": run}))
                case "split":
                    for batch in state["batches"]:
                        self._until_done(partial(belt.split, run, batch))
                case _:
                    return self._until_done(lambda: belt.report(run))
        raise AssertionError(f"no end after {MOST_TURNS} turns")


def check(belt: Belt, ending: Ending, data: bytes) -> None:
    """Hold everything that is promised of a completed run against what lies in the bucket."""
    name, run = ending.notice["name"], ending.run
    receipt = orjson.loads(belt.read(f"results/{name}/{run}/receipt.json"))
    asked = [orjson.loads(line)["custom_id"] for line in data.splitlines()]
    results = belt.lines(f"results/{name}/{run}/", "results.jsonl")
    failures = belt.lines(f"failures/{name}/{run}/", "failures.jsonl")
    answered = Counter(line["custom_id"] for line in [*results, *failures])
    assert receipt["status"] == ending.notice["status"] == "completed"
    assert answered == Counter(asked), "every line in exactly one output"
    assert [line["custom_id"] for line in results] == [
        each for each in asked if each in {r["custom_id"] for r in results}
    ]
    assert (receipt["requests"], receipt["results"], receipt["failures"]) == (len(asked), len(results), len(failures))
    batches = belt.provider.stats()["batches"]
    assert [batch["id"] for batch in receipt["batches"]] == [batch["id"] for batch in batches]
    assert ending.created == len(receipt["batches"]) == 1, "one batch for one planned batch"
