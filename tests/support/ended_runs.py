"""Runs that have ended, by their receipt and their entry in the index."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from conveyor.domain import keys
from conveyor.ledger.run_facts import Run
from conveyor.spend.index_entry import IndexEntry
from tests.support.examples import RUN

if TYPE_CHECKING:
    from collections.abc import Callable

    from conveyor.receipt.receipt import Receipt

ID = "20261124T081502Z-5c1e7a90b3d4"
_encode = msgspec.json.Encoder(decimal_format="number").encode


def write_ended(put: Callable[[str, bytes], object], receipt: Receipt, *, has_receipt: bool = True) -> str:
    """Write what a run that has ended leaves, and return its id. `has_receipt`: whether the receipt can be read."""
    told = replace(receipt, run=ID)
    counts = (told.requests, told.results, told.failures)
    entry = IndexEntry(told.project, ID, told.status, *counts, told.cost_usd)
    put(Run.key(ID), _encode(replace(RUN, run=ID, name=told.name)))
    put(entry.key, b"")
    if has_receipt:
        put(keys.receipt(told.name, ID), _encode(told))
    return ID
