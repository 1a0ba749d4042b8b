"""A sample of a drop is answered before the rest is paid for, and its answers are part of the results."""

from collections import Counter
from typing import Any

import orjson
import pytest

from conveyor.domain.drop import nonce, wire_id
from conveyor.domain.keys import plan
from conveyor.domain.plan import decode_plan
from tests.support.belt import Belt, drop_of, request
from tests.support.probes import DATA, IN_PROBE, PROBED, REST, answer_probe, files, of_probe, of_rest, sent, upload
from tests.support.promises import agree, check
from tests.support.settings import STACK_SETTINGS, tune


@pytest.fixture(params=["messages", "files"])
def stack_settings(request: pytest.FixtureRequest) -> dict[str, str]:
    """Return the settings of a stack of each dialect."""
    return STACK_SETTINGS | {"BATCH_API": request.param, "POLL_MIN_SECONDS": "600", "POLL_MAX_SECONDS": "900"}


def delete_drop(belt: Belt) -> None:
    """Delete all versions of what was dropped."""
    for version in belt.s3.list_object_versions(Bucket=belt.bucket, Prefix="inbox/")["Versions"]:
        belt.s3.delete_object(Bucket=belt.bucket, Key=version["Key"], VersionId=version["VersionId"])


def test_the_probe_is_sent_first_and_the_rest_after_its_answer(belt: Belt) -> None:
    """Each line is sent once, under the id of the leg that sends it."""
    belt.provider.configure(seconds=1800)
    run = upload(belt)
    for _ in range(3):
        belt.submit({"run": run})
        assert belt.poll(run)["next"] == "wait"
    assert sent(belt) == [(of_probe(run), IN_PROBE)], "nothing else is sent before the probe is answered"
    end = belt.finish(run)
    assert sent(belt) == [(of_probe(run), IN_PROBE), (of_rest(run), REST)]
    check(belt, run, end, DATA)


def test_the_outputs_are_the_same_as_without_a_probe(belt: Belt) -> None:
    """In the order of the drop, with the failures at their lines, and the lines to send again."""
    odd = b"".join(
        request(f"r-{number}", **({"max_tokens": 0} if number % 9 == 0 else {})) + b"\n" for number in range(1, 61)
    )
    data = odd.replace(b"\n", b"\n\n", 3) + b"nonsense\n"
    metadata = {"on-invalid": "skip"}
    one, other = upload(belt, data, "inbox/a.jsonl", **metadata), belt.upload(data, "inbox/b.jsonl", metadata)
    ends = [belt.finish(run) for run in (one, other)]
    assert [end["status"] for end in ends] == ["completed"] * 2
    assert len(sent(belt)) == 3
    assert files(belt, one) == files(belt, other)
    accounts = [belt.receipt(run) for run in (one, other)]
    for name in ("requests", "results", "failures", "outcomes", "retryable", "tokens", "cost_usd", "stop_reasons"):
        assert accounts[0][name] == accounts[1][name], name


def test_failures_of_the_probe_are_in_their_place_and_worth_sending_again(belt: Belt) -> None:
    """The outcomes depend on the place within a batch, so they differ between the legs."""
    belt.provider.configure(every={"3": "errored:api_error", "7": "expired"})
    run = upload(belt)
    receipt = check(belt, run, belt.finish(run), DATA)
    probe, rest = IN_PROBE // 3, REST // 3
    assert receipt["outcomes"]["errored"] == probe + rest
    lines = {orjson.loads(line)["custom_id"]: number for number, line in enumerate(DATA.splitlines(), 1)}
    for failure in belt.lines(f"failures/{receipt['name']}/{run}/", "failures.jsonl"):
        assert failure["line"] == lines[failure["custom_id"]]


@pytest.mark.parametrize("count", [1, 3, 50])
def test_a6_a_range_whose_lines_are_all_in_the_probe_is_not_sent(belt: Belt, count: int) -> None:
    """A6: an empty batch would be refused, and the run with it."""
    data = drop_of(count)
    run = upload(belt, data)
    check(belt, run, belt.finish(run), data)
    assert sent(belt) == [(of_probe(run), count)]
    assert belt.facts(run, "gate") == ["gate-1.json"], "there is nothing left to open a gate for"


def test_what_is_odd_in_the_answers_of_the_probe_is_set_aside(belt: Belt) -> None:
    """Lines of strangers and repeated lines, counted once."""
    spoil = {"kind": "spoil", "foreign": ["stranger"], "repeated": [1], "shuffle": 7}
    belt.provider.configure(faults=[{"call": "results", "do": spoil, "times": None}])
    run = upload(belt)
    receipt = check(belt, run, belt.finish(run), DATA)
    strays = Counter({name: sum(batch[name] for batch in receipt["batches"]) for name in ("foreign", "repeated")})
    assert strays == {"foreign": 1, "repeated": 1}
    assert receipt["probe"]["batches"][0]["foreign"] == receipt["probe"]["batches"][0]["repeated"] == 1


def test_a_result_for_a_line_of_the_probe_from_another_batch_is_named(belt: Belt) -> None:
    """The line was not sent there, so the account does not add up, and a person must look."""
    belt.provider.configure(seconds=600)
    run = upload(belt)
    answer_probe(belt, run)
    ((line, *_),) = (batch.probed for batch in decode_plan(belt.read(plan(run))).batches)
    spoil = {"kind": "spoil", "foreign": [wire_id(nonce(run), line)]}
    belt.provider.configure(faults=[{"call": "results", "do": spoil, "times": None}])
    assert belt.finish(run)["status"] == "unbalanced"
    assert belt.receipt(run)["unaccounted"] == [line]


def test_many_batches_take_their_lines_from_one_probe(belt: Belt, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each range has its own part of it."""
    tune(monkeypatch, max_requests_per_batch=20)
    belt.clients.__dict__.pop("settings", None)
    run = upload(belt)
    receipt = check(belt, run, belt.finish(run), DATA)
    assert [requests for prefix, requests in sent(belt) if prefix == of_probe(run)] == [20, 20, 10]
    assert sum(requests for prefix, requests in sent(belt) if prefix == of_rest(run)) == REST
    assert receipt["results"] == 60


def test_results_too_large_for_the_disk_are_written_as_they_come_with_those_of_the_probe(
    belt: Belt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No line is missing, and the receipt says that they are not in order."""
    monkeypatch.setenv("CONVEYOR_SPOOL_BYTES", "1000")
    belt.clients.__dict__.pop("environment", None)
    belt.provider.configure(every={"4": "expired"})
    run = upload(belt)
    belt.finish(run)
    receipt = belt.receipt(run)
    assert (receipt["ordered"], receipt["results"] + receipt["failures"]) == (False, 60)
    ids = [line["custom_id"] for kind in ("results", "failures") for line in belt.lines(kind, f"{kind}.jsonl")]
    assert sorted(ids) == sorted(f"r-{number}" for number in range(1, 61))
    assert len(belt.lines("failures/", "retry.jsonl")) == receipt["retryable"] > 0


def test_a_drop_that_is_deleted_after_it_was_paid_for_keeps_the_outputs_of_its_probe(belt: Belt) -> None:
    """What was sent in the probe is read from its own file, and has its ids."""
    belt.provider.configure(seconds=600)
    run = upload(belt)
    answer_probe(belt, run)
    belt.submit({"run": run})
    delete_drop(belt)
    belt.finish(run)
    results: list[Any] = belt.lines("results/", "results.jsonl")
    assert sum(line["custom_id"] is not None for line in results) == IN_PROBE
    assert [line.get("line") for line in results if line["custom_id"] is None] == sorted(
        set(range(1, 61)) - {int(line["custom_id"].removeprefix("r-")) for line in results if line["custom_id"]}
    )


@pytest.mark.parametrize("spool_bytes", ["1000", "1000000"])
@pytest.mark.parametrize("is_sent", [True, False])
def test_lines_of_the_probe_can_be_sent_again_although_the_drop_is_deleted(
    belt: Belt, monkeypatch: pytest.MonkeyPatch, spool_bytes: str, *, is_sent: bool
) -> None:
    """They are in its own file: the command that sends lines again finds as many as the receipt counts."""
    monkeypatch.setenv("CONVEYOR_SPOOL_BYTES", spool_bytes)
    belt.clients.__dict__.pop("environment", None)
    belt.provider.configure(seconds=600, every={"4": "expired"})
    run = upload(belt)
    answer_probe(belt, run)
    if is_sent:
        belt.submit({"run": run})
    delete_drop(belt)
    belt.finish(run)
    agree(belt, run)
    expired = [line["line"] for line in belt.lines("failures/", "failures.jsonl") if line["retryable"]]
    assert len(expired) == IN_PROBE // 4
    lines = [orjson.loads(line) for line in DATA.splitlines()]
    retry: list[Any] = belt.lines("failures/", "retry.jsonl")
    assert retry == [lines[number - 1] for number in sorted(expired)]


def test_a_drop_asks_for_no_probe(belt: Belt, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever its size."""
    monkeypatch.setenv("CONVEYOR_PROBE_ABOVE", "60")
    belt.clients.__dict__.pop("settings", None)
    run = belt.upload(DATA, metadata={"probe": "no"})
    belt.finish(run)
    assert sent(belt) == [(of_rest(run), 60)]
    run = belt.upload(DATA, "inbox/b.jsonl")
    belt.finish(run)
    assert sent(belt)[1:] == [(of_probe(run), IN_PROBE), (of_rest(run), REST)]
    below = belt.upload(drop_of(59), "inbox/c.jsonl")
    belt.finish(below)
    assert sent(belt)[3:] == [(of_rest(below), 59)]


def test_a_packed_drop_has_a_probe_too(belt: Belt) -> None:
    """Its lines are read from the unpacked object."""
    from gzip import compress  # noqa: PLC0415

    run = belt.upload(compress(DATA), "inbox/a.jsonl.gz", PROBED)
    check(belt, run, belt.finish(run), DATA)
    assert len(sent(belt)) == 2
