"""The account of a drop is the sum over its batches, and its files are their parts joined in order."""

from datetime import timedelta
from decimal import Decimal
from hashlib import sha256

import msgspec
import pytest
from msgspec.structs import replace

from conveyor.domain import keys
from conveyor.domain.outcome import Outcome
from conveyor.domain.output_file import FileSegment, OutputFile, joined
from conveyor.domain.plan import Batch, Plan, ValidatedDrop
from conveyor.ledger.batch_facts import Submitted
from conveyor.ledger.failure_counts import ErrorKind, Example
from conveyor.ledger.part import Part, Tokens
from conveyor.ledger.round_facts import Merged
from conveyor.ledger.run_facts import Refusal
from conveyor.money.usage import Usage
from conveyor.receipt.account import completed_receipt, refused_receipt
from conveyor.receipt.batch_account import SplitBatch
from conveyor.receipt.files import parts_by_file
from conveyor.receipt.receipt import Receipt
from tests.support.examples import NOW, RUN

PLAN = Plan(
    ValidatedDrop(9, "f00"), [Batch(number, number * 3 - 2, 0, number * 3, 9, 3, number) for number in (1, 2, 3)]
)
"""Three batches of three requests; of the n-th batch, n requests got the default `max_tokens`."""
BROKE = Refusal("w", NOW, "provider-stopped", "the provider answered HTTP 402 billing_error: pay first")
RESULTS, FAILURES, RETRY = (
    key(RUN.name, RUN.run) for key in (keys.results, keys.failures, keys.retry)
)  # of the whole drop


def file(batch: int, name: str, lines: int) -> OutputFile:
    """Return the account of a part with ten bytes a line."""
    return OutputFile(
        keys.output_part(RUN.content_prefix, batch, name), lines, lines * 10, sha256(b"x" * lines).hexdigest()
    )


def done(
    batch: int, succeeded: int, *, retryable: int = 0, dollars: str | None = "0.5", never: bool = False
) -> SplitBatch:
    """Return a batch that has been split; of its three requests so many succeeded."""
    outcomes = dict.fromkeys(Outcome, 0)
    outcomes |= {Outcome.SUCCEEDED: succeeded, Outcome.CANCELED if never else Outcome.ERRORED: 3 - succeeded}
    files = [file(batch, keys.RESULTS, succeeded), file(batch, keys.FAILURES, 3 - succeeded)]
    files += [file(batch, keys.RETRY, retryable)] if retryable else []
    tokens = {} if never else {"m": Tokens(Usage(100 * batch, batch), None if dollars is None else Decimal(dollars))}
    ended_at = None if never else NOW + timedelta(minutes=batch)
    part = Part(
        "w", NOW, {kind.value: count for kind, count in outcomes.items()}, retryable, 0, 0, tokens, files, ended_at
    )
    sent = None if never else Submitted("w", NOW, f"msgbatch_{batch}", NOW, NOW)
    return SplitBatch(PLAN.batch(batch), sent, part, set())


def receipt(*batches: SplitBatch, refusal: Refusal | None = None) -> Receipt:
    """Return the receipt of batches that have been split."""
    return completed_receipt(RUN, PLAN, list(batches), 0, refusal)


def test_a_joined_file_has_the_lines_and_bytes_of_its_parts_and_a_checksum_for_each_of_them() -> None:
    """The file was never read as a whole; each range of it can be checked against its checksum."""
    parts = [file(1, keys.RESULTS, 2), file(2, keys.RESULTS, 0), file(3, keys.RESULTS, 1)]
    segments = [FileSegment(bytes_, sha256(b"x" * (bytes_ // 10)).hexdigest()) for bytes_ in (20, 0, 10)]
    assert joined("results/a", parts) == OutputFile("results/a", 3, 30, None, segments)


def test_a_file_is_made_of_the_parts_that_there_are_in_the_order_of_the_drop() -> None:
    """A batch without lines to send again has no `retry` part."""
    batches = [done(1, 3), done(2, 1, retryable=1), done(3, 2, retryable=1)]
    parts = {key: [part.key for part in parts] for key, parts in parts_by_file(RUN, batches).items()}
    assert parts == {
        RESULTS: [keys.output_part(RUN.content_prefix, batch, keys.RESULTS) for batch in (1, 2, 3)],
        FAILURES: [keys.output_part(RUN.content_prefix, batch, keys.FAILURES) for batch in (1, 2, 3)],
        RETRY: [keys.output_part(RUN.content_prefix, batch, keys.RETRY) for batch in (2, 3)],
    }


def test_a_drop_without_lines_to_send_again_has_no_such_file() -> None:
    """A drop of one batch has none either."""
    assert {file.key for file in receipt(done(1, 3), done(2, 3), done(3, 3)).files} == {RESULTS, FAILURES}


def test_the_account_of_a_drop_is_the_sum_of_its_batches() -> None:
    """Requests, outcomes, lines, tokens and cost."""
    account = receipt(done(1, 3), done(2, 1, retryable=2, dollars="0.25"), done(3, 2))
    assert (account.status, account.requests, account.results, account.failures) == ("completed", 9, 6, 3)
    assert {kind: count for kind, count in account.outcomes.items() if count} == {"succeeded": 6, "errored": 3}
    assert account.retryable == 2
    assert account.default_max_tokens["requests"] == 1 + 2 + 3
    assert account.tokens == {"m": Tokens(Usage(600, 6), Decimal("1.25"))}
    assert account.cost_usd == 1.25
    assert [(file.key, file.lines) for file in account.files] == [(RESULTS, 6), (FAILURES, 3), (RETRY, 2)]
    assert [(batch.number, batch.id, batch.requests) for batch in account.batches] == [
        (number, f"msgbatch_{number}", 3) for number in (1, 2, 3)
    ]
    assert [batch.ended_at for batch in account.batches] == [NOW + timedelta(minutes=number) for number in (1, 2, 3)]


def test_the_cost_of_a_model_is_unknown_if_that_of_one_batch_is_unknown() -> None:
    """A partial sum would be wrong, and the model is named."""
    account = receipt(done(1, 3), done(2, 3, dollars=None), done(3, 3))
    assert (account.cost_usd, account.money.unpriced) == (None, ["m"])


def test_a_batch_that_was_never_sent_is_no_batch_at_the_provider_but_its_requests_are_accounted_for() -> None:
    """They are failures without cost."""
    account = receipt(
        done(1, 3), done(2, 0, retryable=3, never=True), done(3, 0, retryable=3, never=True), refusal=BROKE
    )
    assert (account.status, account.requests, account.results, account.failures) == ("completed", 9, 3, 6)
    assert (account.outcomes["canceled"], account.retryable) == (6, 6)
    assert [batch.id for batch in account.batches] == ["msgbatch_1"]
    assert account.cost_usd == 0.5
    assert (account.code, account.reason) == (BROKE.code, BROKE.message)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_batch_that_is_left_out_unbalances_the_account(number: int) -> None:
    """Its requests are then in no file, for whatever reason."""
    every = {each: done(each, 3) for each in (1, 2, 3)}
    assert receipt(*every.values()).status == "completed"
    every.pop(number)
    assert receipt(*every.values()).status == "unbalanced"


def test_a_part_that_is_shorter_than_its_count_unbalances_the_account() -> None:
    """The lines of a joined file are those of its parts."""
    short = done(2, 3)
    files = [replace(short.part.files[0], lines=2), short.part.files[1]]
    short = short._replace(part=replace(short.part, files=files))
    assert receipt(done(1, 3), short, done(3, 3)).status == "unbalanced"


@pytest.mark.parametrize(("unordered", "ordered"), [((), True), ((2,), False), ((1, 2, 3), False)])
def test_a_drop_is_in_order_if_all_its_batches_are(unordered: tuple[int, ...], *, ordered: bool) -> None:
    """If the results of one batch were too large for the disk, readers must sort."""
    batches = [done(number, 3) for number in (1, 2, 3)]
    for number in unordered:
        batch = batches[number - 1]
        batches[number - 1] = batch._replace(part=replace(batch.part, ordered=False))
    assert receipt(*batches).ordered is ordered


def test_what_one_batch_cannot_account_for_is_reported_for_the_drop() -> None:
    """Duplicates are named with their batch."""
    odd = done(2, 3)._replace(duplicates={"msgbatch_7", "msgbatch_6"})
    odd = odd._replace(part=replace(odd.part, unaccounted=[4, 6]))
    account = receipt(done(1, 3), odd, done(3, 3))
    assert (account.status, account.unaccounted) == ("unbalanced", [4, 6])
    assert [batch.duplicates for batch in account.batches] == [[], ["msgbatch_6", "msgbatch_7"], []]


def test_the_faults_of_a_drop_are_one_file_however_many_batches_it_has() -> None:
    """The file is written while the drop is checked."""
    faults = OutputFile(keys.invalid(RUN.name, RUN.run), 2, 20, "c")
    plan = replace(PLAN, drop=replace(PLAN.drop, faults=2, faults_file=faults))
    account = completed_receipt(RUN, plan, [done(1, 3), done(2, 3), done(3, 3)], 0, None)
    assert (account.faults, account.files[-1]) == (2, faults)


def test_what_became_of_the_requests_of_a_batch_adds_up_to_them() -> None:
    """Lines that were left out are none, and what was sent again in a round is no failure of its batch."""
    invalid = replace(done(1, 1).part, outcomes=done(1, 1).part.outcomes | {"invalid": 4})
    merged = Merged("w", NOW, [], 2, {"errored": 2}, 0, {}, {"2": 2, "probe/1": 5})
    again = done(2, 1)._replace(merged=merged)
    batches = receipt(done(1, 1)._replace(part=invalid), again, done(3, 3)).batches
    assert [(batch.results, batch.failures, batch.sent_again) for batch in batches] == [(1, 2, 0), (1, 0, 2), (3, 0, 0)]


def test_a_run_ends_when_its_last_results_are_written_or_its_refusal() -> None:
    """Whichever batch that is; and batches of which nothing is sent are not planned ones."""
    late = done(2, 3)._replace(part=replace(done(2, 3).part, at=NOW + timedelta(hours=3)))
    account = receipt(done(1, 3), late, done(3, 3))
    assert (account.ended_at, account.planned_batches) == (NOW + timedelta(hours=3), 3)
    probed = replace(PLAN, batches=[*PLAN.batches[:2], Batch(3, 7, 0, 9, 9, 0, probed=[7, 8, 9])])
    for plan, planned in ((PLAN, 3), (probed, 2), (None, 0)):
        refused = refused_receipt(RUN, BROKE, 0, plan)
        assert (refused.ended_at, refused.planned_batches) == (BROKE.at, planned)


def test_a_receipt_of_an_earlier_version_is_read() -> None:
    """It has none of the fields that came later; they are empty then."""
    account = receipt(done(1, 3), done(2, 1), done(3, 3))
    account.errors = {"api_error": ErrorKind(2, {"Busy": 2}, {"Busy": [Example(1, "a", "Busy")]})}
    before = msgspec.to_builtins(account)
    for name in ("ended_at", "planned_batches", "lengths", "settings"):
        del before[name]
    del before["errors"]["api_error"]["examples"]
    for batch in before["batches"]:
        for name in ("results", "failures", "sent_again"):
            del batch[name]
    read = msgspec.convert(before, Receipt)
    assert (read.ended_at, read.planned_batches, read.lengths, read.settings) == (None, 0, {}, [])
    assert read.errors == {"api_error": ErrorKind(2, {"Busy": 2})}
    assert [(batch.requests, batch.results) for batch in read.batches] == [(3, 0)] * 3
