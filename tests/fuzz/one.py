"""One property in a process of its own: `python -m tests.fuzz.one <module>:<test> <seconds> <directory>`."""

import importlib
import random
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from hypothesis import HealthCheck, settings

try:
    import atheris
except ImportError:
    atheris = None

_LONGEST = 4096
"""Bytes of an input."""


def main() -> None:
    """Try the property until the time is over. An input for which it does not hold ends the process with its error."""
    name, seconds, work = sys.argv[1:]
    module, _, test = name.partition(":")
    path = "tests.fuzz.test_properties" if module == "fuzz" else f"tests.unit.{module}"
    if atheris is None:
        _at_random(_inputs_of(getattr(importlib.import_module(path), test)), float(seconds))
        return
    with atheris.instrument_imports(include=["conveyor"]):
        found = importlib.import_module(path)
    options = [f"-max_total_time={seconds}", f"-max_len={_LONGEST}", f"-artifact_prefix={work}/", "-timeout=60"]
    atheris.Setup([sys.argv[0], *options], _inputs_of(getattr(found, test)))
    print("coverage-guided", flush=True)
    atheris.Fuzz()


def _inputs_of(test: Any) -> Callable[[bytes], object]:
    """Return what tries a test with an input that is drawn from some bytes."""
    own = settings(database=None, deadline=None, suppress_health_check=list(HealthCheck))
    tried: Callable[[bytes], object] = own(test).hypothesis.fuzz_one_input
    return tried


def _at_random(tried: Callable[[bytes], object], seconds: float) -> None:
    seed = time.time_ns()
    print(f"at random, seed {seed}", flush=True)
    chance = random.Random(seed)  # noqa: S311  # no secret
    end = time.monotonic() + seconds
    with suppress(KeyboardInterrupt):
        while time.monotonic() < end:
            tried(chance.randbytes(chance.randrange(_LONGEST)))


if __name__ == "__main__":
    main()
