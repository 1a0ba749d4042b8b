"""Fault histories on the deployed stack with its state machine, and a provider with faults.

Each checks that the drop is paid once by the provider's own count, that every line comes back once, and the messages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.system.history import SMALLEST_DROP, History, play
from tests.support.system.remedies import (
    MANY_LIST_CALLS,
    OTHER_KEY,
    adopt,
    invoke_submit_again,
    list_too_late,
    read_again_at_once,
    rotate_the_key,
    stop,
    stop_before_retry,
    stop_unanswered,
    stop_undecided,
    submit_again,
)
from tests.support.system.runs import BARE

if TYPE_CHECKING:
    from local.stack.stack import Stack


def at(call: str, *actions: dict[str, Any], **options: Any) -> dict[str, Any]:
    """Return a fault of a kind of call, which happens once unless `times` is given."""
    return {"call": call, "do": list(actions), **options}


LOST_AFTER = {"kind": "lose", "when": "after"}
LOST_BEFORE = {"kind": "lose", "when": "before"}
UPLOADED_AGAIN = ("troubled", "completed")
"""The upload is retried after ten seconds, which is longer than trouble-seconds here."""
UNREADABLE = at("results", {"kind": "answer", "status": 503}, times=None)


HISTORIES = {
    "the answer is lost after creating": History([at("create", LOST_AFTER)], batch={"adopted": True}),
    "the answer is lost before creating": History([at("create", LOST_BEFORE)], posts=2, receipt={"unanswered": 1}),
    "submit is asked for another while the answer is open": History(
        [at("create", LOST_AFTER)],
        {"seconds": None},
        meanwhile=invoke_submit_again,
        batch={"adopted": True},
        in_files={"provider": {"seconds": None} | BARE},
    ),
    "overloaded after creating": History(
        [at("create", {"kind": "answer", "status": 529, "when": "after"})], batch={"adopted": True}
    ),
    "busy, and says when to come again": History(
        [at("create", {"kind": "answer", "status": 429, "headers": {"retry-after": "1"}})], posts=2
    ),
    "reset in the middle of the body": History(
        [at("create", {"kind": "reset", "at": 1_000_000})],
        posts=2,
        receipt={"unanswered": 1},
        filler=50_000,
        in_files={
            "faults": [at("upload", {"kind": "reset", "at": 1_000_000})],
            "posts": 1,
            "receipt": {},
            "statuses": UPLOADED_AGAIN,
        },
    ),
    "the answer is slower than the client": History(
        [at("create", {"kind": "delay", "seconds": 2.5, "when": "after"})], batch={"adopted": True}
    ),
    "the batch is created after the client has left": History(
        [at("create", {"kind": "delay", "seconds": 2.5, "when": "before"})], batch={"adopted": True}
    ),
    "the lost batch is not listed at once": History(
        [at("create", {"kind": "unlist", "looks": 2}, LOST_AFTER)], batch={"adopted": True}
    ),
    "the lost batch is listed too late": History(
        [at("create", {"kind": "unlist", "looks": MANY_LIST_CALLS}, LOST_AFTER)],
        meanwhile=list_too_late,
        posts=2,
        created=2,
        says="may have been billed, too",
        receipt={"unanswered": 1},
    ),
    "not found for a while": History([at("retrieve", {"kind": "answer", "status": 404}, times=2)]),
    "the results break off": History(
        [at("results", {"kind": "cut", "at": 5000, "ending": "reset"})], meanwhile=read_again_at_once
    ),
    "the results end early as if they were whole": History(
        [at("results", {"kind": "cut", "at": 5000, "ending": "clean"})], batch={"foreign": 0}
    ),
    "the results are a mess": History(
        [
            at(
                "results",
                {
                    "kind": "spoil",
                    "repeated": [2, 30],
                    "repeated_as": "errored:api_error",
                    "foreign": ["stranger", "0123456789-3"],
                    "extra": ["no result", "{}"],
                    "shuffle": 7,
                    "crlf": True,
                    "final_newline": False,
                },
            )
        ],
        batch={"repeated": 2, "foreign": 4},
    ),
    "a line is missing in all reads": History(
        [at("results", {"kind": "spoil", "missing": [3]}, times=None)], failures=lambda _: {3: "missing"}
    ),
    "undecided until a person names the batch": History(
        [at("create", LOST_AFTER), UNREADABLE],
        meanwhile=adopt,
        statuses=("undecided", "completed"),
        batch={"adopted": True},
        in_files={"provider": BARE},
    ),
    "undecided until a person says that there is no batch": History(
        [at("create", LOST_AFTER), at("results", {"kind": "archive"})],
        meanwhile=submit_again,
        posts=2,
        created=2,
        statuses=("undecided", "completed"),
        batch={"adopted": False, "duplicates": []},
        in_files={"provider": BARE},
    ),
    "undecided until a person stops the run": History(
        [at("create", LOST_AFTER), at("results", {"kind": "archive"})],
        meanwhile=stop_undecided,
        statuses=("undecided", "stuck"),
        says="before it was known whether its call created a batch",
        failures=lambda size: dict.fromkeys(range(1, size + 1), "stuck"),
        in_files={"provider": BARE},
    ),
    "stopped while the batch runs": History(
        provider={"seconds": None},
        meanwhile=stop,
        statuses=("stopped",),
        says="was stopped",
        failures=lambda size: dict.fromkeys(range(size // 2 + 1, size + 1), "canceled"),
        receipt={"code": "stopped"},
    ),
    "stopped before anything is paid": History(
        [at("create", {"kind": "answer", "status": 429, "headers": {"retry-after": "3600"}})],
        meanwhile=stop_before_retry,
        created=0,
        statuses=("stopped",),
        says="nothing was charged",
        receipt={"code": "stopped"},
    ),
    "stopped while the answer is open": History(
        [at("create", LOST_AFTER)],
        {"seconds": None},
        meanwhile=stop_unanswered,
        statuses=("stopped",),
        says="was stopped",
        batch={"adopted": True},
        receipt={"code": "stopped"},
        in_files={"provider": {"seconds": None} | BARE},
    ),
    "the key is refused": History(
        provider={"api_key": OTHER_KEY},
        created=0,
        statuses=("refused",),
        says="put-secret-value",
        receipt={"code": "key-refused"},
        in_files={"posts": 0},
    ),
    "the key is replaced while the batch runs": History(
        provider={"seconds": None}, meanwhile=rotate_the_key, statuses=("troubled", "completed")
    ),
}


IN_FILES = [name for name, history in HISTORIES.items() if history.in_files]
"""What differs in the file dialect. The rest is played there by `tests/faults`, on the functions."""


@pytest.mark.parametrize("stack", ["messages"], indirect=True)
@pytest.mark.parametrize("name", HISTORIES)
def test_with_any_fault_a_drop_is_paid_once_comes_back_whole_and_is_reported_once(stack: Stack, name: str) -> None:
    """A second batch is created only if an operator says so, or if the first is listed too late, which is reported."""
    play(stack, HISTORIES[name], SMALLEST_DROP + list(HISTORIES).index(name))


@pytest.mark.parametrize("stack", ["files"], indirect=True)
@pytest.mark.parametrize("name", IN_FILES)
def test_with_any_fault_that_differs_for_files_a_drop_is_paid_once_and_comes_back_whole(
    stack: Stack, name: str
) -> None:
    """The same histories with what the other API makes of them."""
    play(stack, HISTORIES[name], SMALLEST_DROP + list(HISTORIES).index(name))
