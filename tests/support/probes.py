"""Drops with a probe: sixty requests, of which fifty are sent first."""

from typing import Any

import orjson

from conveyor.domain.drop import nonce
from conveyor.domain.keys import PROBE, leg_id
from tests.support.belt import Belt, drop_of

PROBED = {"probe": "yes"}
DATA = drop_of(60)
IN_PROBE, REST = 50, 10
HOUR = 3600


def upload(belt: Belt, data: bytes = DATA, key: str = "inbox/three.jsonl", **metadata: str) -> str:
    """Drop a file that asks for a probe, send the probe, and return the run."""
    return belt.upload(data, key, PROBED | metadata)


def answer_probe(belt: Belt, run: str) -> dict[str, Any]:
    """Poll and split until the probe is split, and return the state of the poll after that."""
    for _ in range(20):
        state = belt.poll(run)
        if "probe/batches/1/part.json" in belt.facts(run):
            return state
        if state["next"] == "submit":
            belt.submit({"run": run})
        for batch in state["batches"]:
            belt.split(run, batch)
        belt.pass_time(state["wait_seconds"] if not state["batches"] else 0)
    raise AssertionError("the probe has no answer")


def sent(belt: Belt) -> list[tuple[str, int]]:
    """Return the prefix of the wire ids, and the number of requests, of each batch at the provider, oldest first."""
    return [(batch["first_custom_id"].split("-")[0], batch["requests"]) for batch in belt.provider.stats()["batches"]]


def of_probe(run: str) -> str:
    """Return the prefix of the wire ids of a run's probe."""
    return nonce(leg_id(run, PROBE))


def of_rest(run: str) -> str:
    """Return the prefix of the wire ids of the rest."""
    return nonce(run)


def files(belt: Belt, run: str) -> dict[str, list[Any]]:
    """Return the lines of the user's files at the end, without what the provider makes up: ids of its answers."""
    found = {}
    for kind in ("results", "failures"):
        for key in belt.stored(f"{kind}/"):
            if f"/{run}/" in key and key.endswith(".jsonl") and "/parts/" not in key:
                found[key.rsplit("/", 1)[-1]] = [_without_id(line) for line in belt.read(key).splitlines()]
    return found


def _without_id(line: bytes) -> Any:
    decoded = orjson.loads(line)
    if decoded.get("response"):
        decoded["response"].pop("id", None)
    return decoded
