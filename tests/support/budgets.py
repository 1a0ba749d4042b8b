"""Ceilings of days, and the log of what was reserved and spent."""

from collections.abc import Mapping
from typing import Any

import msgspec
import orjson

from conveyor.spend.claim import Claim
from tests.support.belt import Belt


def set_budgets(belt: Belt, budgets: Mapping[str, Any] | bytes) -> None:
    """Write `config/budgets.json`."""
    data = budgets if isinstance(budgets, bytes) else orjson.dumps(budgets)
    belt.s3.put_object(Bucket=belt.bucket, Key="config/budgets.json", Body=data)


def day_ceiling(belt: Belt, usd: str) -> None:
    """Set what all projects without limits of their own may spend in a day."""
    set_budgets(belt, {"default": {"usd_per_day": usd}})


def the_log(belt: Belt, log: str = "default", day: str = "") -> list[Claim]:
    """Return the claims of a project's day, by default of all its days, in order."""
    keys = [key for key in belt.stored(f"claims/spend/{log}/{day}") if key.rpartition("/")[2].isdigit()]
    return [msgspec.json.decode(belt.read(key), type=Claim) for key in keys]
