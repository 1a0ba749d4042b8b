"""Requests that failed for a reason that passes are sent again by the run itself, on the deployed stack."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from conveyor.domain.drop import nonce
from tests.support.belt import drop_of
from tests.support.promises import check_outputs
from tests.support.rounds import of_round
from tests.support.system.runs import LiveRun, dropped

if TYPE_CHECKING:
    from local.stack.stack import Stack

DATA = drop_of(900)
FAILING = {"3": "errored:overloaded_error", "7": "expired"}
"""How every n-th request of a batch ends at first."""
LONG = 120.0


def files(stack: Stack, run: LiveRun) -> dict[str, bytes]:
    """Return the user's files of a run by name, parts left out."""
    keys = [key for kind in ("results/", "failures/") for key in stack.keys(kind) if f"/{run.run}/" in key]
    return {
        key.rsplit("/", 1)[-1]: stack.object(key) for key in keys if key.endswith(".jsonl") and "/parts/" not in key
    }


def sent(stack: Stack, before: int) -> list[tuple[str, int]]:
    """Return the prefix of the wire ids, and the number of requests, of each batch that was created since."""
    new = stack.provider_stats()["batches"][before:]
    return [(batch["first_custom_id"].split("-")[0], batch["requests"]) for batch in new]


@pytest.mark.parametrize("stack", ["messages", "files"], indirect=True)
def test_exactly_the_failed_lines_go_again_and_the_files_are_as_if_nothing_had_failed(stack: Stack) -> None:
    """Three batches, one round, and byte for byte the same outputs; none of them is there before the end."""
    stack.provider_settings({"ids_of_params": True})
    smooth = dropped(stack, "inbox/smooth.jsonl", DATA)
    smooth.receipt(LONG)
    before = len(stack.provider_stats()["batches"])
    stack.provider_settings({"every": FAILING})
    run = dropped(stack, "inbox/rough.jsonl", DATA, {"retry-rounds": "2"})
    run.wait(lambda: run.has("batches/3/part.json") or None, "the last part")
    assert files(stack, run) == {}, "no file of the user exists before the end"
    stack.provider_settings({"every": {}})
    receipt: Any = run.receipt(LONG)
    failed = [sum(place % 3 == 0 or place % 7 == 0 for place in range(1, size + 1)) for size in (400, 400, 100)]
    batches = [requests for prefix, requests in sent(stack, before) if prefix == nonce(run.run)]
    again = [requests for prefix, requests in sent(stack, before) if prefix == of_round(run.run, 1)]
    assert (batches, sum(again)) == ([400, 400, 100], sum(failed))
    assert (receipt["status"], receipt["results"], receipt["failures"]) == ("completed", 900, 0)
    assert files(stack, run) == files(stack, smooth)
    stored = {file["key"]: stack.object(file["key"]) for file in receipt["files"]}
    check_outputs(receipt, stored, DATA)
    (each,) = receipt["rounds"]
    assert each["outcomes"]["succeeded"] == sum(failed)
    for batch in each["batches"]:
        owner = json.loads(stack.object(f"claims/batches/{batch['id']}"))
        assert owner["run"] == f"{run.run}/round-1"
