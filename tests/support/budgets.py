"""Ceilings of days, and the log of what was reserved and spent."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

import msgspec
import orjson

from conveyor.spend.claim import Claim, Day
from conveyor.spend.log import DayLog
from tests.support.belt import Belt


def set_budgets(belt: Belt, budgets: Mapping[str, Any] | bytes) -> None:
    """Write `config/budgets.json`."""
    data = budgets if isinstance(budgets, bytes) else orjson.dumps(budgets)
    belt.s3.put_object(Bucket=belt.bucket, Key="config/budgets.json", Body=data)


def day_ceiling(belt: Belt, usd: str) -> None:
    """Set what all projects without limits of their own may spend in a day."""
    set_budgets(belt, {"default": {"usd_per_day": usd}})


def take_the_day(belt: Belt, log: str, usd: str) -> None:
    """Reserve so much of the day for a run that has nothing in its ledger yet."""
    day, amount = Day.at(belt.moment), Decimal(usd)
    claim = Claim("another", belt.moment, "another", amount, amount, amount, batch=1, attempt=1)
    assert DayLog(belt.clients.bucket, log, day).append(1, claim)


def claims_by_day(listed: Iterable[str], read: Callable[[str], bytes]) -> dict[str, list[Claim]]:
    """Return the claims in a log by day, in order. `listed`: the keys of a project's log."""
    days: dict[str, list[Claim]] = {}
    for key in listed:
        _, _, _, day, name = key.split("/")
        if name.isdigit():
            days.setdefault(day, []).append(msgspec.json.decode(read(key), type=Claim))
    return days


def the_days(belt: Belt, log: str = "default") -> dict[str, list[Claim]]:
    """Return the claims of a project by day, in order."""
    return claims_by_day(belt.stored(f"claims/spend/{log}/"), belt.read)


def the_log(belt: Belt, log: str = "default", day: str = "") -> list[Claim]:
    """Return the claims of a project's day, by default of all its days, in order."""
    return [claim for name, claims in the_days(belt, log).items() if day in {"", name} for claim in claims]


def check_days(belt: Belt, ceiling: Decimal, log: str, *runs: str, seconds: int = 86_400) -> None:
    """Check that no day was overrun: claims add up to no more than the ceiling, and each call of the runs has one.

    Each batch at the provider belongs to an attempt whose intent was written on the day of its claim.
    """
    days = the_days(belt, log)
    for claims in days.values():
        for before, claim in pairwise([None, *claims]):
            if claim and not claim.is_recount:
                assert claim.total_usd == claim.usd + (before.total_usd if before else 0), "a number was taken twice"
                assert claim.total_usd <= ceiling, "a day was overrun"
    claimed = [(each.run, each.leg, each.batch, each.attempt, day) for day, of in days.items() for each in of]
    for key in [key for run in runs for key in belt.stored(f"runs/{run}/") if "/attempt-" in key]:
        run, *leg, _, batch, name = key.removeprefix("runs/").split("/")
        day = _day(orjson.loads(belt.read(key))["at"], seconds)
        number = int(name.removeprefix("attempt-").removesuffix(".json"))
        assert (run, "".join(leg), int(batch), number, day) in claimed, "an attempt without a claim of its day"
    made = Counter(_day(batch["created_at"], seconds) for batch in belt.provider.stats()["batches"])
    for day, count in made.items():
        assert count <= sum(each[-1] == day for each in claimed), "more batches than claims"


def _day(moment: str, seconds: int) -> str:
    return Day.at(datetime.fromisoformat(moment), seconds).name
