"""Decode what a release has written, by the types of today."""

from typing import Any

import msgspec

from conveyor.domain import keys
from conveyor.domain.drop import RUN_ID_FORM
from conveyor.domain.plan import decode_plan
from conveyor.ledger.claims import Claim as OwnedBatch
from conveyor.ledger.fact import BatchFact, Fact, kinds_of, read_name
from conveyor.receipt.receipt import Receipt
from conveyor.spend.claim import Claim as Spending
from conveyor.spend.index_entry import read_index_entry, read_start_entry
from conveyor.submit.turns import WaitingRun

PREFIXES = ("runs/", "claims/", "index/")
"""What later releases read: every object under them has a type."""
_CONTENT = ("unpacked.jsonl", keys.RESULTS, keys.FAILURES, keys.RETRY, keys.ASIDE)
"""Names of content that the first versions kept in the ledger."""

_OF_BATCH = (3, 4)
"""How many parts the name of a fact of a batch has, without or with a leg."""


class Undecoded(Exception):
    """An object of no known type."""


def decode(key: str, data: bytes) -> Any:
    """Return an object of a ledger, a claim, an entry of the index or a receipt as code reads it. Raises Undecoded."""
    match key.split("/"):
        case ["runs", _, *rest]:
            return _of_ledger(key, rest, data)
        case ["results", *_, "receipt.json"]:
            return msgspec.json.decode(data, type=Receipt)
        case ["index", *_]:
            return _known(key, read_index_entry(key) or read_start_entry(key))
        case ["claims", "spend", _, _, name]:
            return _of_day(key, name, data)
        case ["claims", *rest]:
            return _claim(key, rest, data)
    raise Undecoded(key)


def kind_of(key: str) -> str:
    """Return the class of fact that an object is, such as `Gate`; empty if it is none."""
    kinds = kinds_of(BatchFact if "/batches/" in key else Fact)
    found = read_name(key.rpartition("/")[2], kinds) if key.startswith(keys.RUNS) else None
    return found[0].__name__ if found else ""


def _of_ledger(key: str, rest: list[str], data: bytes) -> Any:
    name = rest[-1]
    if name == "plan.jsonl":
        return decode_plan(data)
    if name in _CONTENT:
        return [msgspec.json.decode(line) for line in data.splitlines()]
    is_of_batch = len(rest) in _OF_BATCH and rest[-3] == "batches"
    kind, _ = _known(key, read_name(name, kinds_of(BatchFact if is_of_batch else Fact)))
    if not is_of_batch and len(rest) > 1:
        raise Undecoded(key)
    return msgspec.json.decode(data, type=kind)


def _of_day(key: str, name: str, data: bytes) -> Any:
    if name.isdigit():
        return msgspec.json.decode(data, type=Spending)
    if name.startswith("reached-"):
        return _known(key, RUN_ID_FORM.fullmatch(data.decode()))
    return _known(key, name.startswith("recount-") and not data)


def _claim(key: str, rest: list[str], data: bytes) -> Any:
    match rest:
        case ["batches", _]:
            return msgspec.json.decode(data, type=OwnedBatch)
        case ["drops", _, number] if number.isdigit():
            return _known(key, RUN_ID_FORM.fullmatch(data.decode()))
        case ["attempts", _, *_]:
            return _known(key, data.decode())
        case ["waiting", _, mark]:
            return _known(key, WaitingRun.read(mark))
    raise Undecoded(key)


def _known[T](key: str, found: T | None) -> T:
    if not found:
        raise Undecoded(key)
    return found
