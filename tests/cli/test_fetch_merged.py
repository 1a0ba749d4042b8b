"""A run with the later drops of its `retry.jsonl`: each request once, in the order of the drop."""

import json
from typing import Any

import pytest

from tests.functions.rounds.test_merging import fail, mend
from tests.support.belt import Belt, drop_of, request
from tests.support.command import Command
from tests.support.settings import STACK_SETTINGS

OVERLOADED, INVALID = "errored:overloaded_error", "errored:invalid_request_error"
NAME = "inbox/support/tickets.jsonl"


def finished(belt: Belt, outcomes: dict[str, str], data: bytes, key: str = NAME, **metadata: str) -> str:
    """Drop a file whose requests end so, by their place, and let its run end."""
    belt.provider.configure(outcomes=outcomes, every={})
    run = belt.upload(data, key, metadata)
    belt.finish(run)
    return run


def sent_again(belt: Belt, run: str, key: str, outcomes: dict[str, str], data: bytes | None = None) -> str:
    """Drop a copy of the `retry.jsonl` of a run, or some lines of it, and let its run end."""
    (retry,) = [each for each in belt.stored("failures/") if each.endswith(f"{run}/retry.jsonl")]
    return finished(belt, outcomes, data or belt.read(retry), key, **{"retry-of": run})


def merged(desk: Command, *options: str) -> tuple[dict[str, Any], list[Any], list[dict[str, Any]]]:
    """Merge, and return what the command says, the ids of the results, and the failures."""
    ran = desk.call("fetch", "tickets", "--merged", "--json", *options)
    assert (ran.exit, ran.error) == (0, "")
    folder = desk.home / "tickets"
    results, failures = (
        list(map(json.loads, (folder / f"{kind}.merged.jsonl").read_bytes().splitlines()))
        for kind in ("results", "failures")
    )
    return json.loads(ran.out), [line["custom_id"] for line in results], failures


def test_what_a_retry_answered_stands_where_it_failed(desk: Command, belt: Belt) -> None:
    """As if it had been answered at once; failures that a retry cannot change stay."""
    run = finished(belt, {"1": OVERLOADED, "3": INVALID, "4": "canceled", "7": OVERLOADED}, drop_of(7))
    retry = sent_again(belt, run, "inbox/support/again.jsonl", {})
    said, results, failures = merged(desk)
    assert results == ["r-1", "r-2", "r-4", "r-5", "r-6", "r-7"]
    assert [(each["custom_id"], each["line"]) for each in failures] == [("r-3", 3)]
    assert (said["run"], said["merged"]["retries"], said["merged"]["mended"]) == (run, [retry], 3)
    assert (said["merged"]["ordered"], said["merged"]["not_ended"]) == (True, [])
    lines = (desk.home / "tickets" / "results.merged.jsonl").read_bytes().splitlines(keepends=True)
    own = belt.read(f"results/support/tickets/{run}/results.jsonl").splitlines(keepends=True)
    new = belt.read(f"results/support/again/{retry}/results.jsonl").splitlines(keepends=True)
    assert lines == [new[0], own[0], new[1], own[1], own[2], new[2]], "no byte of an answer is changed"


def test_a_chain_of_retries(desk: Command, belt: Belt) -> None:
    """The last failure counts, under its line of the drop."""
    run = finished(belt, {"2": OVERLOADED, "3": OVERLOADED, "5": OVERLOADED}, drop_of(5))
    first = sent_again(belt, run, "inbox/support/second.jsonl", {"1": "canceled", "3": "expired"})
    second = sent_again(belt, first, "inbox/support/third.jsonl", {"2": INVALID})
    said, results, failures = merged(desk)
    assert results == ["r-1", "r-2", "r-3", "r-4"]
    assert [(each["custom_id"], each["line"], each["error"]["type"], each["retryable"]) for each in failures] == [
        ("r-5", 5, "invalid_request_error", False)
    ]
    assert (said["merged"]["retries"], said["merged"]["mended"]) == ([first, second], 2)


def test_two_retries_of_the_same_lines(desk: Command, belt: Belt) -> None:
    """The first answer stays, and it is said that lines were answered, and paid for, twice."""
    run = finished(belt, {"1": OVERLOADED, "2": OVERLOADED}, drop_of(3))
    for name in ("one", "two"):
        sent_again(belt, run, f"inbox/support/{name}.jsonl", {})
    _, results, failures = merged(desk)
    assert (results, failures) == (["r-1", "r-2", "r-3"], [])
    ran = desk.call("fetch", "tickets", "--merged")
    assert "2 outcomes of requests answered before: the first answer is kept." in ran.out


def test_lines_in_another_order_and_lines_of_another_file(desk: Command, belt: Belt) -> None:
    """A person may change the file before they drop it: lines are told by their ids."""
    run = finished(belt, {"1": OVERLOADED, "2": OVERLOADED, "4": OVERLOADED}, drop_of(4))
    shuffled = b"".join(request(name) + b"\n" for name in ("r-4", "r-3", "new", "r-1"))
    sent_again(belt, run, "inbox/support/again.jsonl", {}, shuffled)
    _, results, failures = merged(desk)
    assert results == ["r-1", "r-3", "r-4"]
    assert [each["custom_id"] for each in failures] == ["r-2"]
    ran = desk.call("fetch", "tickets", "--merged")
    assert "2 outcomes of retries left out: not of failures of this run." in ran.out


def test_blank_lines_and_left_out_lines(desk: Command, belt: Belt) -> None:
    """The places of results are known from the drop: it is read for its blank lines. A second line of an id stays."""
    lines = [request("a"), b"", request("b"), request("a"), b"  ", b"", request("c"), request("d"), b""]
    data = b"\n".join(lines) + b"\n"
    metadata = {"on-invalid": "skip"}
    run = finished(belt, {"1": OVERLOADED, "3": OVERLOADED}, data, **metadata)
    sent_again(belt, run, "inbox/support/again.jsonl", {})
    said, results, failures = merged(desk)
    assert results == ["a", "b", "c", "d"]
    assert [(each["custom_id"], each["line"], each["outcome"]) for each in failures] == [("a", 4, "invalid")]
    assert said["merged"]["ordered"]


def test_a_drop_that_is_gone(desk: Command, belt: Belt) -> None:
    """Then nobody knows where its blank lines were: new results are at the end, and that is said."""
    data = b"\n\n" + drop_of(3)
    run = finished(belt, {"1": OVERLOADED}, data)
    sent_again(belt, run, "inbox/support/again.jsonl", {})
    version = belt.receipt(run)["drop"]["version"]
    belt.s3.delete_object(Bucket=belt.bucket, Key=NAME, VersionId=version)
    said, results, failures = merged(desk)
    assert (results, failures, said["merged"]["ordered"]) == (["r-2", "r-3", "r-1"], [], False)


def test_a_retry_that_has_not_ended_is_named_and_left_out(desk: Command, belt: Belt) -> None:
    """What has ended is merged; the same command takes the rest later."""
    run = finished(belt, {"1": OVERLOADED}, drop_of(2))
    belt.provider.configure(outcomes={})
    retry = belt.upload(request("r-1") + b"\n", "inbox/support/again.jsonl", {"retry-of": run})
    ran = desk.call("fetch", "tickets", "--merged")
    assert ran.exit == 0
    assert ran.out.startswith("✓ 1 result and 1 failure in tickets/: each request once\n")
    assert f"  {retry} has not ended: merge again when it has.\n" in ran.out
    belt.finish(retry)
    said, results, failures = merged(desk)
    assert (results, failures, said["merged"]["mended"]) == (["r-1", "r-2"], [], 1)


def test_a_run_without_retries_is_merged_with_nothing(desk: Command, belt: Belt) -> None:
    """So that a program can always say --merged."""
    finished(belt, {"1": OVERLOADED}, drop_of(2))
    said, results, failures = merged(desk)
    assert (results, [each["custom_id"] for each in failures]) == (["r-2"], ["r-1"])
    assert said["merged"]["retries"] == []
    folder = desk.home / "tickets"
    assert (folder / "results.merged.jsonl").read_bytes() == (folder / "results.jsonl").read_bytes()


def test_counts_that_do_not_add_up_are_not_given_a_name(desk: Command, belt: Belt) -> None:
    """Exit code 7: a line is missing, so nothing may be sent again."""
    run = finished(belt, {"1": OVERLOADED}, drop_of(2))
    key = f"results/support/tickets/{run}/receipt.json"
    changed = belt.receipt(run) | {"requests": 3}
    belt.s3.put_object(Bucket=belt.bucket, Key=key, Body=json.dumps(changed).encode())
    ran = desk.call("fetch", "tickets", "--merged")
    assert (ran.exit, ran.out) == (7, "")
    assert "✗ The account does not balance: 3 requests, 2 accounted for\n" in ran.error
    assert not (desk.home / "tickets" / "results.merged.jsonl").exists()


def test_a_refused_run_has_nothing_to_merge(desk: Command, belt: Belt) -> None:
    """It says how it has ended."""
    belt.finish(belt.upload(b"{}\n", NAME))
    ran = desk.call("fetch", "tickets", "--merged")
    assert (ran.exit, ran.error) == (2, "✗ support/tickets has no results: refused\n")


class TestWithRounds:
    """What rounds have left is sent again by a person."""

    @pytest.fixture
    def stack_settings(self) -> dict[str, str]:
        """Return the settings of a stack with a round."""
        return STACK_SETTINGS | {
            "RETRY_ROUNDS": "1",
            "POLL_MIN_SECONDS": "600",
            "POLL_MAX_SECONDS": "600",
            "MAX_REQUESTS_PER_BATCH": "3",
        }

    def test_the_drop_of_several_batches_is_as_if_nothing_had_failed(self, desk: Command, belt: Belt) -> None:
        """Each request is once in the merged files, whichever run has answered it."""
        run = fail(belt, drop_of(8), {"1": OVERLOADED, "2": "expired"})
        mend(belt, run, {"2": "canceled", "3": OVERLOADED})
        left = belt.receipt(run)["retryable"]
        assert left > 1
        sent_again(belt, run, "inbox/again.jsonl", {})
        ran = desk.call("fetch", run, "--merged", "--json")
        said = json.loads(ran.out)
        assert said["merged"]["mended"] == left
        lines = (desk.home / "three" / "results.merged.jsonl").read_bytes().splitlines()
        assert [json.loads(line)["custom_id"] for line in lines] == [f"r-{number}" for number in range(1, 9)]
