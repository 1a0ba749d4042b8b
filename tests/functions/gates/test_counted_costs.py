"""What a run has cost so far, as its gates count it: real costs, second payments, limits without an approval."""

from base64 import b64encode

import orjson
import pytest

from tests.support.belt import Belt
from tests.support.faults.scenes import GONE, LOST, finish_with_retries, inject_faults, write_control
from tests.support.gates import DEAR, HELD, HOLD, message, pause, say, send_one
from tests.support.promises import plain

ONE = DEAR.splitlines(keepends=True)[0]


@pytest.fixture
def stack_settings(stack_settings: dict[str, str]) -> dict[str, str]:
    """Set one request per batch."""
    return stack_settings | {"MAX_REQUESTS_PER_BATCH": "1"}


def limit(belt: Belt, limits: bytes) -> None:
    """Write the limits of all projects."""
    belt.s3.put_object(Bucket=belt.bucket, Key="config/budgets.json", Body=limits)


def pay_for_one_twice(belt: Belt, data: bytes, batches: int, metadata: dict[str, str]) -> str:
    """Lose the response for the first batch, and say that it was not created, although it was."""
    inject_faults(belt, LOST, GONE)
    run = belt.upload(data, metadata=metadata)
    if metadata:
        say(belt, run, "approve")
    for _ in range(batches):
        send_one(belt, run)
    write_control(belt, run, "batches/1/attempt-1", b"submit again")
    belt.poll(run)
    return run


def test_a_batch_that_cost_more_than_its_bound_counts_with_its_real_cost(belt: Belt) -> None:
    """A provider may count more tokens than there are bytes."""
    belt.provider.configure(usage={"input_tokens": 1_000_000, "output_tokens": 900_000}, seconds=0)
    run = belt.upload(DEAR, metadata=HELD)
    say(belt, run, "up-to 0.50")
    send_one(belt, run)
    belt.poll(run)
    belt.split(run, 1)
    belt.submit({"run": run})
    assert belt.creates() == (1, 1)
    assert belt.fact(run, "gate-2.json")["reasons"][0]["code"] == "over-approved"


def test_answers_that_name_no_tokens_do_not_free_an_approved_amount(belt: Belt) -> None:
    """Some gateways leave out the usage; the answers were billed."""
    answer = {"type": "message", "role": "assistant", "model": "claude-haiku-4-5", "content": [], "id": "m"}
    line = orjson.dumps({"custom_id": "<wire id>", "result": {"type": "succeeded", "message": answer}})
    run = pay_for_one_twice(belt, DEAR, 3, HELD)
    spoil = {"kind": "spoil", "lines": {"1": b64encode(line).decode()}}
    inject_faults(belt, {"call": "results", "do": spoil, "times": None}, seconds=0)
    for number in (2, 3):
        belt.poll(run)
        belt.split(run, number)
    belt.submit({"run": run})
    assert belt.creates() == (3, 3)


def test_a_run_without_an_approval_keeps_to_its_ceiling_when_a_batch_is_paid_twice(belt: Belt) -> None:
    """Its bound was below the ceiling; with the second payment it is above."""
    limit(belt, b'{"default": {"usd_per_drop": 0.5}}')
    run = pay_for_one_twice(belt, DEAR, 2, {})
    belt.submit({"run": run})
    assert belt.creates() == (3, 3)
    assert "of the $0.50 that the run may cost" in plain(message(belt, run)["message"])


def test_a_pause_names_what_was_paid_twice(belt: Belt) -> None:
    """An amount that is approved must be enough for the rest."""
    run = pay_for_one_twice(belt, DEAR, 2, {})
    pause(belt, run)
    assert "up to $0.65" in message(belt, run)["subject"]


def test_a_gate_does_not_say_that_nothing_was_charged_after_a_person_may_have_been_wrong(belt: Belt) -> None:
    """The batch of which a person said that it does not exist does."""
    run = pay_for_one_twice(belt, ONE, 1, HELD)
    belt.submit({"run": run})
    assert belt.creates() == (1, 1)
    assert "nothing was charged" not in plain(message(belt, run)["message"])


def test_the_final_message_does_not_say_so_either(belt: Belt) -> None:
    """It names what depends on the person's word."""
    run = pay_for_one_twice(belt, ONE, 1, HELD)
    belt.submit({"run": run})
    message(belt, run)
    belt.pass_time(HOLD)
    text = plain(finish_with_retries(belt, run).notice["message"])
    assert "no batch is listed" not in text
    assert "a person said of 1 that no batch belongs to it: if that is wrong, it may have been charged" in text
