"""The end of a run: its files, its receipt and its message."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import Any

import msgspec

from conveyor.clients import Clients
from conveyor.domain import keys
from conveyor.domain.invocation import Invocation
from conveyor.domain.observed import Ended, FailureCause
from conveyor.domain.plan import Plan
from conveyor.domain.refusal import OF_ACCOUNT
from conveyor.domain.schedule import BatchName
from conveyor.ledger.batch_facts import AttemptAbsent
from conveyor.ledger.ledger import Ledger
from conveyor.ledger.round_facts import Round
from conveyor.ledger.run_facts import Refusal, Run
from conveyor.ledger.state import RunState
from conveyor.receipt.account import completed_receipt, refused_receipt
from conveyor.receipt.batch_account import SplitBatch, SplitRound, reasons_after_probe
from conveyor.receipt.files import early_parts, parts_by_file
from conveyor.receipt.gate_account import account_of_gates, last_forecast, read_gates
from conveyor.receipt.receipt import Receipt
from conveyor.report.content import SplitReader, let_content_expire, with_error_text
from conveyor.report.join_files import FileJoiner
from conveyor.report.message import notice_of
from conveyor.report.write_page import write_page
from conveyor.s3.bucket import MOST_READS, Bucket
from conveyor.spend.index_entry import IndexEntry

MOST_CAUSES = 10
"""Causes of failures that are logged of one run."""

_encode = msgspec.json.Encoder(decimal_format="number").encode


def report(event: dict[str, Any], clients: Clients, invocation: Invocation) -> dict[str, Any]:
    """Join the files, write the receipt, its page and the entry in the index, and let the run's content expire.

    Returns the message and both counts.
    """
    ledger = Ledger(clients.bucket, event["run"])
    run, run_state, observed = ledger.read(Run), ledger.run_state(), invocation.observed
    observed.is_about(run.run, run.project, run.budget)
    joiner = FileJoiner(run, ledger, run_state, clients.bucket, invocation)
    receipt, early = _account(run, ledger, run_state, clients.bucket, joiner)
    gates = read_gates(ledger, run_state)
    receipt.gates, receipt.released = account_of_gates(ledger, run_state, gates), _released(ledger, run_state)
    receipt.forecast = last_forecast(gates)
    receipt.forecast_usd = receipt.forecast.usd if receipt.forecast else None
    if receipt.probe:
        receipt.probe.reasons = reasons_after_probe(gates.values())
    data = msgspec.json.format(_encode(receipt), indent=2) + b"\n"
    clients.bucket.put(keys.receipt(receipt.name, receipt.run), data)
    no_page = write_page(receipt, clients.console(event), clients.bucket)
    clients.bucket.put_if_absent(_index_entry(receipt).key, b"")
    let_content_expire(run, clients.bucket, early)
    observed.ended, observed.is_account_refused = _ended(receipt, no_page), receipt.code in OF_ACCOUNT
    return notice_of(receipt, clients.console(event), has_page=no_page is None).to_state() | {
        "results": receipt.results,
        "failures": receipt.failures,
    }


def _ended(receipt: Receipt, no_page: str | None) -> Ended:
    """Return what is logged and measured of the end of a run."""
    counts = receipt.requests, receipt.results, receipt.failures
    causes = [FailureCause(kind, error.failures) for kind, error in islice(receipt.errors.items(), MOST_CAUSES)]
    return Ended(receipt.status, receipt.code, *counts, receipt.cost_usd, causes, no_page)


def _index_entry(receipt: Receipt) -> IndexEntry:
    counts = (receipt.requests, receipt.results, receipt.failures)
    is_lower_bound = bool(receipt.money.unpriced)
    return IndexEntry(receipt.project, receipt.run, receipt.status, *counts, receipt.cost_usd, is_lower_bound)


def _account(
    run: Run, ledger: Ledger, run_state: RunState, bucket: Bucket, joiner: FileJoiner
) -> tuple[Receipt, list[str]]:
    """Join the files, and return the receipt, and the keys of the parts that people could read early."""
    refusal = with_error_text(ledger.read(Refusal), bucket) if run_state.refused else None
    unanswered = sum(len(run_state.of_leg(leg).batch(number).absent) for leg, number in _known(run_state))
    plan = ledger.plan(run_state) if run_state.planned else None
    legs = {leg: SplitReader(run, ledger.of_leg(leg), bucket, leg) for leg in (plan.legs if plan else [])}
    split = {leg: _batches(reader, plan, run_state) for leg, reader in legs.items() if plan}
    batches, probe = split.pop("", []), split.pop(keys.PROBE, [])
    if refusal and not batches:
        return refused_receipt(run, refusal, unanswered, plan), []
    if plan is None:
        raise RuntimeError(f"{run.run} has neither a plan nor a refusal")
    rounds = [_round(ledger, leg, of_leg) for leg, of_leg in split.items() if of_leg]
    of_rounds = [batch for each in rounds for batch in each.batches]
    joiner.write(parts_by_file(run, batches, [*probe, *of_rounds]))
    return completed_receipt(run, plan, batches, unanswered, refusal, probe, rounds), early_parts(run, batches)


def _round(ledger: Ledger, leg: str, batches: list[SplitBatch]) -> SplitRound:
    number = keys.round_number(leg)
    return SplitRound(number, ledger.read(Round, number), batches)


def _known(run_state: RunState) -> list[BatchName]:
    """Return the batches that have facts, of all legs."""
    return [BatchName(leg, number) for leg in run_state.legs for number in run_state.of_leg(leg).batches]


def _released(ledger: Ledger, run_state: RunState) -> int:
    """Return how many attempts created no batch by a person's word."""
    return sum(
        ledger.of_leg(leg).read(AttemptAbsent, number, attempt).released
        for leg, number in _known(run_state)
        for attempt in sorted(run_state.of_leg(leg).batch(number).absent)
    )


def _batches(reader: SplitReader, plan: Plan, run_state: RunState) -> list[SplitBatch]:
    """Return the account of each batch of a leg that is split, in order; several are read at the same time."""
    of_leg = run_state.of_leg(reader.leg)
    parted = sorted(number for number, batch_state in of_leg.batches.items() if batch_state.parted)
    with ThreadPoolExecutor(MOST_READS) as readers:
        return list(readers.map(partial(reader.read, plan.of_leg(reader.leg), of_leg), parted))
