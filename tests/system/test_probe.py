"""Drops of which a sample is answered before the rest is sent, on the deployed stack.

The settings of the probe, and the limits of what is sent unasked, are those of the template. Tested in one dialect:
what a model refuses is known of one only, and crashes and faults around a probe are tested in all (`tests/faults/`).
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from local.process import interruptible
from local.stack.start import local_stack
from tests.support.belt import drop_of, request
from tests.support.probes import HOUR, of_probe, of_rest
from tests.support.promises import check_outputs
from tests.support.settings import tuned
from tests.support.system.runs import SHORT_TIMES, WAITING, LiveRun, commands, dropped
from tests.system.conftest import PROVIDER, WAIT_SCALE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack.stack import Stack

ABOVE = 1000
"""The template's default of `ProbeAbove`: a drop of so many requests has a probe."""
IN_PROBE, IN_LARGE_PROBE = 50, 200
RANGE = 8000
"""Requests of a batch, so that a large drop has several."""
MANY, SOME = 20_000, 8500
"""Requests of large drops."""
LONG = 300.0
"""Timeout in seconds; a large drop takes a minute on a busy machine."""
MINUTES = HOUR // 60 + 1
"""More than the template's default of `probe-seconds`."""
ENDS = {
    7: {"outcome": "errored:overloaded_error"},
    11: {"outcome": "errored:invalid_request_error", "message": "messages: no"},
    13: {"outcome": "expired"},
    17: {"answer_tokens": 100},
}
"""How every n-th request ends, wherever it is sent; the last one is cut off."""


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """Deploy a stack for all tests of this module."""
    parameters = tuned(SHORT_TIMES, {"max-requests-per-batch": str(RANGE)})
    running = local_stack(wait_scale=WAIT_SCALE, provider_settings=PROVIDER, parameters=parameters)
    with interruptible(), running as stack:
        yield stack


def sent(stack: Stack, before: dict[str, Any]) -> list[tuple[str, int]]:
    """Return the prefix of the wire ids, and the requests, of each batch that the provider has created since.

    Checks that it was called once for each.
    """
    after = stack.provider_stats()
    new = after["batches"][len(before["batches"]) :]
    assert after["calls"]["create"] - before["calls"].get("create", 0) == len(new)
    return [(batch["first_custom_id"].split("-")[0], batch["requests"]) for batch in new]


def hold_the_next_batch_back(stack: Stack, before: dict[str, Any]) -> None:
    """Let the next batch, that of a probe, not end."""
    stack.provider_settings({"batch_seconds": {str(before["created"] + 1): None}})


def ended(run: LiveRun, data: bytes, status: str = "completed") -> Any:
    """Wait for the end of a run, compare its files with the drop and its receipt, and return the receipt."""
    receipt = run.receipt(LONG)
    assert receipt["status"] == status
    check_outputs(receipt, run.outputs(), data)
    probe, batches = receipt["probe"], receipt["batches"]
    if probe:
        assert sum(batch["requests"] for batch in probe["batches"]) == probe["requests"]
        assert sum(batch["requests"] for batch in batches) == receipt["requests"] - probe["requests"]
    return receipt


def test_a_setting_that_its_model_refuses_costs_one_probe_and_one_message_and_an_approval_sends_the_rest(
    stack: Stack,
) -> None:
    """Only the 200 requests of the probe fail first. The rest is sent once a person approves it."""
    before = stack.provider_stats()
    data = b"".join(request(f"r-{n}", model="claude-opus-5-5", temperature=0.2) + b"\n" for n in range(1, MANY + 1))
    run = dropped(stack, "inbox/refused.jsonl", data)
    message = run.message(WAITING, LONG)
    failed = "requests for claude-opus-5-5 that were run failed, and would fail again"
    assert f"{IN_LARGE_PROBE} of {IN_LARGE_PROBE} {failed}" in " ".join(message.text.split())
    assert sent(stack, before) == [(of_probe(run.run), IN_LARGE_PROBE)]
    approve, _ = commands(message)
    run.execute(approve)
    receipt = ended(run, data, "failed")
    assert run.statuses() == [WAITING, "failed"]
    assert {prefix for prefix, _ in sent(stack, before)[1:]} == {of_rest(run.run)}
    assert sum(requests for _, requests in sent(stack, before)) == MANY
    assert (receipt["outcomes"]["errored"], receipt["cost_usd"]) == (MANY, 0)
    (gate,) = receipt["gates"]
    assert (gate["how"], [each["code"] for each in gate["reasons"]]) == ("approved", ["probe-failed"])
    assert receipt["probe"]["outcomes"]["errored"] == IN_LARGE_PROBE


def test_a_drop_has_the_same_outputs_with_and_without_a_probe(stack: Stack) -> None:
    """Byte for byte: answers, failures, and the lines to send again, of two batches."""
    stack.provider_settings({"ids_of_params": True})
    data = b"".join(_ending(number) + b"\n" for number in range(1, SOME + 1))
    once = {"retry-rounds": "0"}
    runs = [dropped(stack, f"inbox/same/{probe}.jsonl", data, once | {"probe": probe}) for probe in ("yes", "no")]
    probes = [ended(run, data)["probe"] for run in runs]
    assert probes[1] is None
    assert len({outcome for outcome, lines in probes[0]["outcomes"].items() if lines}) > 1, "failures in the probe"
    with_probe, without = ({key.rsplit("/", 1)[-1]: text for key, text in run.outputs().items()} for run in runs)
    assert with_probe.keys() == {"results.jsonl", "failures.jsonl", "retry.jsonl"}
    assert with_probe == without


def _ending(number: int) -> bytes:
    """Write a request that says how it ends."""
    end = next((end for step, end in ENDS.items() if number % step == 0), None)
    wish = f" <simulate>{json.dumps(end)}</simulate>" if end else ""
    return request(f"r-{number}", messages=[{"role": "user", "content": f"About {number}{wish}"}])


def test_a_run_whose_probe_has_no_answer_for_an_hour_goes_on_where_it_may_cost_that(stack: Stack) -> None:
    """No message; the answers come later, and take their places."""
    before = stack.provider_stats()
    hold_the_next_batch_back(stack, before)
    data = drop_of(ABOVE)
    run = dropped(stack, "inbox/unanswered.jsonl", data)
    run.fact("probe/batches/1/batch-1.json")
    assert sent(stack, before) == [(of_probe(run.run), IN_PROBE)]
    run.backdate("probe/batches/1/batch-1.json", MINUTES)
    run.fact("batches/1/batch-1.json")
    gate = run.fact("gate-2.json")
    assert (gate["open"], gate["unanswered"], run.has("probe/batches/1/part.json")) == (True, True, False)
    stack.provider_settings({"batch_seconds": {}})
    receipt = ended(run, data)
    assert sent(stack, before) == [(of_probe(run.run), IN_PROBE), (of_rest(run.run), ABOVE - IN_PROBE)]
    assert (receipt["results"], receipt["probe"]["outcomes"]["succeeded"]) == (ABOVE, IN_PROBE)
    assert run.statuses() == ["completed"]


def test_a_run_that_may_cost_too_much_asks_after_an_hour_and_goes_on_by_itself_when_its_probe_is_answered(
    stack: Stack,
) -> None:
    """Above $100 at most. The forecast shows that it costs less."""
    before = stack.provider_stats()
    hold_the_next_batch_back(stack, before)
    data = b"".join(request(f"r-{number}", max_tokens=64_000) + b"\n" for number in range(1, ABOVE + 1))
    run = dropped(stack, "inbox/dear.jsonl", data)
    run.backdate("probe/batches/1/batch-1.json", MINUTES)
    text = " ".join(run.message(WAITING).text.split())
    assert f"the probe of {IN_PROBE} requests has had no answer for 1 h" in text
    assert sent(stack, before) == [(of_probe(run.run), IN_PROBE)]
    stack.provider_settings({"batch_seconds": {}})
    receipt = ended(run, data)
    assert sent(stack, before) == [(of_probe(run.run), IN_PROBE), (of_rest(run.run), ABOVE - IN_PROBE)]
    assert run.statuses() == [WAITING, "completed"]
    assert (run.fact("passed-2.json")["how"], run.fact("gate-3.json")["open"]) == ("answered", True)
    assert Decimal(receipt["forecast"]["high_usd"]) < 100 < Decimal(receipt["at_most_usd"])


def test_a_lost_answer_to_the_call_of_the_probe_is_adopted(stack: Stack) -> None:
    """By the provider's own record nothing is paid twice."""
    before = stack.provider_stats()
    stack.provider_settings({"faults": [{"call": "create", "do": {"kind": "lose", "when": "after"}}]})
    data = drop_of(ABOVE)
    run = dropped(stack, "inbox/lost.jsonl", data)
    receipt = ended(run, data)
    (fault,) = stack.provider_stats()["faults"]
    assert fault["struck"] == 1
    assert sent(stack, before) == [(of_probe(run.run), IN_PROBE), (of_rest(run.run), ABOVE - IN_PROBE)]
    assert [batch["adopted"] for batch in (*receipt["probe"]["batches"], *receipt["batches"])] == [True, False]
    claim = json.loads(stack.object(f"claims/batches/{receipt['probe']['batches'][0]['id']}"))
    assert claim == {"run": f"{run.run}/probe", "batch": 1, "project": "default"}
    assert run.statuses() == ["completed"]
