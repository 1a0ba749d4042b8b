"""What an administrator wrote for all runs, under `config/`.

Absence is concluded from one listing: without the permission to list, S3 answers 403 for a missing object. What cannot
be read or understood is a fault, never an exception, and never the same as absent: limits must not be lifted because a
file is wrong.
"""

import re
from collections.abc import Callable
from difflib import get_close_matches
from typing import NamedTuple

from conveyor.domain import keys
from conveyor.money.config_errors import BadConfig
from conveyor.money.prices import PRICES, Prices, read_prices
from conveyor.s3.bucket import Bucket, naming_refusals
from conveyor.s3.read_errors import ReadRefused
from conveyor.settings.budgets import Budgets, read_budgets

_LARGEST = 1_000_000
"""Bytes of a file."""
_FILES = (keys.BUDGETS, keys.PRICES)
_ALIKE = 0.8
"""Ratio of similarity from which a name counts as misspelled."""
_MOST_NAMED = 5
"""Misspelled files that are named for each file."""


class Config(NamedTuple):
    """What the files say."""

    budgets: Budgets
    """The limits of all projects. There are none if their file is absent or at fault."""
    prices: Prices = PRICES
    """The built-in table, and what the file of prices says instead."""
    faults: tuple[str, ...] = ()
    """One plain sentence for each file that is wrong, without its end: the file, the place, what is expected."""
    knows_projects: bool = True
    """False if the names of the projects could not be read."""
    refused: tuple[str, ...] = ()
    """Those of the faults that are reads which S3 refuses: at a desk they say what a person may not do."""


def read_config(bucket: Bucket, *, with_prices: bool = True) -> Config:
    """Read all files: one listing, and one read for each file that exists. Raises only what may pass, like a 500.

    `with_prices=False`: only the limits, where the prices of the run are known.
    """
    try:
        with naming_refusals():
            listed = bucket.list(keys.CONFIG)
    except ReadRefused as error:
        refusal = (f"{keys.CONFIG} cannot be listed ({error})",)
        return Config(Budgets(), faults=refusal, knows_projects=False, refused=refusal)
    faults, refused = list[str](), list[str]()
    budgets = _read(bucket, listed, keys.BUDGETS, read_budgets, faults, refused)
    knows_projects = budgets is not None or not faults
    prices = _read(bucket, listed, keys.PRICES, read_prices, faults, refused) if with_prices else None
    return Config(budgets or Budgets(), prices or PRICES, tuple(faults), knows_projects, tuple(refused))


def _read[T](  # noqa: PLR0913, PLR0917  # two lists to add to
    bucket: Bucket, listed: list[str], key: str, decode: Callable[[bytes], T], faults: list[str], refused: list[str]
) -> T | None:
    """Return what a file says; None if it does not exist, or is wrong: then its fault is added."""
    try:
        if key in listed:
            return decode(_content(bucket, key))
    except ReadRefused as error:
        refused.append(f"{key} cannot be read ({error})")
        faults.append(refused[-1])
    except BadConfig as error:
        faults.append(f"{key}: {error}")
    else:  # nearly the same name: what it says would have no effect, and nobody would notice
        faults += [
            f"{other}: unknown file; did you mean {key}?"
            for other in listed
            if other not in _FILES and get_close_matches(_stem(other), map(_stem, _FILES), 1, _ALIKE) == [_stem(key)]
        ][:_MOST_NAMED]
    return None


def _stem(key: str) -> str:
    """Return the first word of a name under `config/`."""
    return re.split(r"[./]", key.removeprefix(keys.CONFIG).lower())[0]


def _content(bucket: Bucket, key: str) -> bytes:
    with naming_refusals():
        data = bucket.beginning(key, _LARGEST + 1)
    if len(data) > _LARGEST:
        raise BadConfig(f"it has more than {_LARGEST:,} bytes")
    return data
