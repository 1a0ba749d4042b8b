"""The end of a run: its receipt and its message."""

from typing import Any

import msgspec

from conveyor import keys
from conveyor.clients import Clients
from conveyor.ledger import Ledger
from conveyor.notice import notice_of
from conveyor.receipt import Done, Receipt, completed_receipt, refused_receipt, stuck_receipt


def report(event: dict[str, Any], clients: Clients) -> dict[str, Any]:
    """Write the receipt and return the message: run, name, status, subject, message, and counts of both kinds."""
    receipt = _receipt(Ledger(clients.storage, event["run"]))
    data = msgspec.json.format(msgspec.json.encode(receipt), indent=2) + b"\n"
    clients.storage.put(keys.receipt(receipt.name, receipt.run), data)
    return notice_of(receipt)._asdict() | {"results": receipt.results, "failures": receipt.failures}


def _receipt(ledger: Ledger) -> Receipt:
    run, facts = ledger.run(), ledger.facts()
    if facts.stuck:
        lines = ledger.plan().checked.lines
        sent = [number for number, about in sorted(facts.batches.items()) if about.submitted]
        return stuck_receipt(run, lines, ledger.stuck(), [ledger.submitted(number).id for number in sent])
    refusal = ledger.refusal() if facts.refused else None
    unanswered = sum(len(about.absent) for about in facts.batches.values())
    parted = {number: about for number, about in sorted(facts.batches.items()) if about.parted}
    if refusal and not parted:
        return refused_receipt(run, refusal, unanswered)
    plan = ledger.plan()
    done = [
        Done(plan.batch(number), ledger.submitted(number), ledger.part(number), about.duplicates)
        for number, about in parted.items()
    ]
    return completed_receipt(run, plan, done, unanswered, refusal)
