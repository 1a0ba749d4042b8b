"""The four functions on the local AWS and the simulated provider, driven as the state machine drives them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple, Protocol

import orjson

from conveyor.clients import Clients
from conveyor.domain.invocation import Invocation
from conveyor.domain.observed import Observed
from conveyor.poll.poll import poll
from conveyor.report.report import report
from conveyor.split.split import split
from conveyor.submit.submit import submit
from local.provider.control import Control
from tests.support.message_bodies import check_body

type Task = Callable[[], dict[str, Any]]
"""One task of the state machine: a function call with its input bound."""

MAX_POLLS = 400
FIRST = {"trouble": None, "warned": None, "gate": None, "budget": "", "execution": {"number": 1, "events": 0}}
"""The state passed to the first poll of a run, besides the run id."""
MODEL = "claude-haiku-4-5"


def request(custom_id: str, **params: Any) -> bytes:
    """Write a line of a drop; `None` removes a field of `params`."""
    body = {"model": MODEL, "max_tokens": 64, "messages": [{"role": "user", "content": f"About {custom_id}"}], **params}
    kept = {name: value for name, value in body.items() if value is not None}
    return orjson.dumps({"custom_id": custom_id, "params": kept})


def drop_of(count: int) -> bytes:
    """Write a drop of valid requests with ids from r-1."""
    return b"".join(request(f"r-{number}") + b"\n" for number in range(1, count + 1))


def once(task: Task) -> dict[str, Any]:
    """Run a task that is expected to succeed."""
    return task()


class Objects(Protocol):
    """The objects of a bucket, for the checks of a test."""

    def keys(self, prefix: str) -> list[str]:
        """List the keys under a prefix."""

    def read(self, key: str) -> bytes:
        """Read an object."""


class ObjectsOfS3(NamedTuple):
    """The objects of a bucket, read by a client."""

    s3: Any
    bucket: str

    def keys(self, prefix: str) -> list[str]:
        """List the keys under a prefix."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def read(self, key: str) -> bytes:
        """Read an object."""
        data: bytes = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return data


class Belt:
    """The functions, bucket and provider under test, with one clock that only waits advance."""

    def __init__(  # noqa: PLR0913, PLR0917  # one for each service that a function uses
        self, clients: Clients, s3: Any, states: Any, provider: Control, bucket: str, objects: Objects
    ) -> None:
        """Start the clock at the current time."""
        self.clients = clients
        self.s3 = s3
        self._objects = objects
        self.states = states
        self.provider = provider
        self.bucket = bucket
        self.function_seconds = 900
        self.server_settings: dict[str, Any] = {}
        """Provider settings that survive `reset`."""
        self.steps: list[str] = []
        """The `next` of each poll in `finish`."""
        self.notices: list[dict[str, Any]] = []
        """Messages that poll published while runs were in progress."""
        self.observed = Observed()
        """What the latest invocation has seen."""
        self._poll_inputs: dict[str, dict[str, Any]] = {}
        self.set_clock(datetime.now(UTC))

    def reset(self) -> None:
        """Reset the provider and the clock, keeping `server_settings`."""
        self.provider.reset()
        self.set_clock(datetime.now(UTC))
        self.provider.configure(**self.server_settings)

    def set_clock(self, moment: datetime) -> None:
        """Set the time of the functions and the provider."""
        self.moment = moment
        self.provider.configure(now=moment.timestamp())

    def pass_time(self, seconds: float) -> None:
        """Advance the clock."""
        self.set_clock(self.moment + timedelta(seconds=seconds))

    def invocation(self) -> Invocation:
        """Return the invocation of a function that starts now."""
        invocation = Invocation(timedelta(seconds=self.function_seconds), lambda: self.moment)
        self.observed = invocation.observed
        return invocation

    def drop(
        self, data: bytes, key: str = "inbox/three.jsonl", metadata: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """Put an object and return its upload event."""
        put = self.s3.put_object(Bucket=self.bucket, Key=key, Body=data, Metadata=metadata or {})
        return self.event_of(key, put, len(data))

    def event_of(self, key: str, answer: dict[str, Any], size: int) -> dict[str, Any]:
        """Return the upload event of an object; `answer` is the response to PutObject or CopyObject."""
        stored = {"key": key, "size": size, "version-id": answer.get("VersionId", "null")}
        detail = {"bucket": {"name": self.bucket}, "object": stored}
        return {"time": datetime.now(UTC).isoformat(), "detail": detail}

    def submit(self, event: dict[str, Any]) -> dict[str, Any]:
        """Run submit on an upload event or a state."""
        return submit(event, self.clients, self.invocation())

    def poll(self, run: str) -> dict[str, Any]:
        """Run poll, keep its trouble and event count for the next poll, and collect its message."""
        before = self._poll_inputs.get(run, FIRST)
        state = poll({"run": run} | before, self.clients, self.invocation())
        self._poll_inputs[run] = {name: state[name] for name in FIRST}
        if state["next"] == "notify":
            check_body(state["notice"])
            self.notices.append(state["notice"])
        return state

    def state_of(self, run: str) -> dict[str, Any]:
        """Return what the next poll of a run gets, besides the run."""
        return self._poll_inputs.get(run, FIRST)

    def remember(self, run: str, state: dict[str, Any]) -> None:
        """Let the next poll of a run find a state, as the first poll of another execution does."""
        self._poll_inputs[run] = state

    def step(self, run: str) -> None:
        """Poll, do what is due for the batches, and let the time until the next poll pass."""
        state = self.poll(run)
        for batch in state["batches"]:
            self.split(run, batch)
        self.pass_time(state["wait_seconds"])
        if state["next"] == "submit":
            self.submit({"run": run})

    def split(self, run: str, batch: int = 1) -> dict[str, Any]:
        """Run split."""
        return split({"run": run, "batch": batch}, self.clients, self.invocation())

    def report(self, run: str) -> dict[str, Any]:
        """Run report."""
        notice = report({"run": run}, self.clients, self.invocation())
        check_body(notice)
        return notice

    def upload(self, data: bytes, key: str = "inbox/three.jsonl", metadata: dict[str, str] | None = None) -> str:
        """Drop a file, let submit run once, and return the run."""
        run: str = self.submit(self.drop(data, key, metadata))["run"]
        return run

    def finish(self, run: str, call: Callable[[Task], dict[str, Any]] = once) -> dict[str, Any]:
        """Run the loop to the final message and return it; `call` runs each task and may retry it."""
        for _ in range(MAX_POLLS):
            if message := self.advance(run, call):
                return message
        raise AssertionError(f"not finished after {MAX_POLLS} polls; last steps: {self.steps[-20:]}")

    def advance(self, run: str, call: Callable[[Task], dict[str, Any]] = once) -> dict[str, Any] | None:
        """Pass through the loop once; return the final message if that was the end."""
        state = call(partial(self.poll, run))
        self.steps.append(state["next"])
        match state["next"]:
            case "wait" | "notify":
                self.pass_time(state["wait_seconds"])
            case "submit":
                self.pass_time(call(partial(self.submit, {"run": run}))["wait_seconds"])
            case "split":
                for batch in state["batches"]:
                    call(partial(self.split, run, batch))
            case "continue":
                state_to_pass = {name: state[name] for name in ("run", "wait_seconds", *FIRST)}
                call(partial(self.submit, {"run": run, "continue": state_to_pass}))
                self.pass_time(self.go_on(run, state["execution"]["number"])["wait_seconds"])
            case "report":
                return call(partial(self.report, run))
            case unknown:
                raise AssertionError(f"unknown next step: {unknown}")
        return None

    def go_on(self, run: str, number: int) -> dict[str, Any]:
        """Read the input of a later execution of the run, and use it for the next poll."""
        arn = self.clients.environment.state_machine_arn.replace(":stateMachine:", ":execution:")
        state: dict[str, Any] = orjson.loads(
            self.states.describe_execution(executionArn=f"{arn}:{run}-{number}")["input"]
        )
        self._poll_inputs[state["run"]] = {name: state[name] for name in FIRST}
        return state

    def stored(self, prefix: str = "") -> list[str]:
        """List the keys in the bucket."""
        return self._objects.keys(prefix)

    def read(self, key: str) -> bytes:
        """Read an object."""
        return self._objects.read(key)

    def facts(self, run: str, kind: str = "") -> list[str]:
        """List the facts in a run's ledger whose file name starts with `kind`: `attempt` finds `attempt-1.json`."""
        names = [key.removeprefix(f"runs/{run}/") for key in self.stored(f"runs/{run}/")]
        return [name for name in names if name.rsplit("/", 1)[-1].startswith(kind)]

    def fact(self, run: str, name: str) -> dict[str, Any]:
        """Read one fact from a run's ledger."""
        fact: dict[str, Any] = orjson.loads(self.read(f"runs/{run}/{name}"))
        return fact

    def lines(self, prefix: str, file: str) -> list[dict[str, Any]]:
        """Read all JSON Lines files of this name under a prefix; empty if there are none."""
        keys = [key for key in self.stored(prefix) if key.endswith(f"/{file}")]
        return [orjson.loads(line) for key in keys for line in self.read(key).splitlines()]

    def receipt(self, run: str = "") -> dict[str, Any]:
        """Read the receipt of a run, or the only receipt in the bucket."""
        (key,) = [key for key in self.stored("results/") if key.endswith(f"{run}/receipt.json")]
        receipt: dict[str, Any] = orjson.loads(self.read(key))
        return receipt

    def creates(self) -> tuple[int, int]:
        """Return the provider's own count of create calls and of batches created."""
        stats = self.provider.stats()
        return stats["calls"].get("create", 0), stats["created"]
