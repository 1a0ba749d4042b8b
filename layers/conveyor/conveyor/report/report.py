"""The end of a run: its files, its receipt and its message."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import msgspec

from conveyor.clients import Clients
from conveyor.domain import keys
from conveyor.domain.plan import Plan
from conveyor.ledger.ledger import Ledger
from conveyor.ledger.records import Run
from conveyor.ledger.state import Facts
from conveyor.report.concatenate import join
from conveyor.report.message import notice_of
from conveyor.report.receipt import Done, Receipt, completed_receipt, files_of, refused_receipt
from conveyor.s3.bucket import MOST_READS, Storage


def report(event: dict[str, Any], clients: Clients) -> dict[str, Any]:
    """Join the files, write the receipt, and return the message and the counts of both kinds.

    The message: run, name, status, subject, message.
    """
    receipt = _account(Ledger(clients.storage, event["run"]), clients.storage)
    data = msgspec.json.format(msgspec.json.encode(receipt), indent=2) + b"\n"
    clients.storage.put(keys.receipt(receipt.name, receipt.run), data)
    return notice_of(receipt, clients.console(event))._asdict() | {
        "results": receipt.results,
        "failures": receipt.failures,
    }


def _account(ledger: Ledger, storage: Storage) -> Receipt:
    run, facts = ledger.run(), ledger.facts()
    refusal = ledger.refusal() if facts.refused else None
    unanswered = sum(len(about.absent) for about in facts.batches.values())
    plan = ledger.plan() if facts.planned else None
    done = _done(ledger, plan, facts) if plan else []
    if refusal and not done:
        return refused_receipt(run, refusal, unanswered, plan.checked if plan else None)
    if plan is None:
        raise RuntimeError(f"{run.run} has neither a plan nor a refusal")
    if len(plan.batches) > 1:
        _join(run, done, storage)
    return completed_receipt(run, plan, done, unanswered, refusal)


def _done(ledger: Ledger, plan: Plan, facts: Facts) -> list[Done]:
    """Return the account of each batch that is split, in the plan's order; several are read at the same time."""
    parted = sorted(number for number, about in facts.batches.items() if about.parted)
    with ThreadPoolExecutor(MOST_READS) as readers:
        return list(readers.map(partial(_read, ledger, plan, facts), parted))


def _read(ledger: Ledger, plan: Plan, facts: Facts, number: int) -> Done:
    about = facts.batches[number]
    return Done(
        plan.batch(number),
        ledger.submitted(number, about.take) if about.submitted else None,
        ledger.part(number),
        about.duplicates,
        ledger.stuck(number) if about.stuck else None,
        ledger.discarded(number) if about.discarded else None,
    )


def _join(run: Run, done: list[Done], storage: Storage) -> None:
    for key, parts in files_of(run, done).items():
        own = run.settings.per_drop() if key == keys.retry(run.name, run.run) else {}
        join(storage, key, parts, own)
