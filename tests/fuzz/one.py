"""Test one property in its own process: `python -m tests.fuzz.one <module>:<test> <seconds> <directory>`."""

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
"""Maximum bytes of an input."""


def main() -> None:
    """Test the property until the time is over. An input that fails ends the process with its error."""
    name, seconds, work = sys.argv[1:]
    module, _, test = name.partition(":")
    path = "tests.fuzz.test_properties" if module == "fuzz" else f"tests.unit.{module}"
    if atheris is None:
        _at_random(_inputs_of(getattr(importlib.import_module(path), test)), float(seconds))
        return
    with atheris.instrument_imports(include=["conveyor"]):
        imported = importlib.import_module(path)
    options = [f"-max_total_time={seconds}", f"-max_len={_LONGEST}", f"-artifact_prefix={work}/", "-timeout=60"]
    atheris.Setup([sys.argv[0], *options], _inputs_of(getattr(imported, test)))
    print("coverage-guided", flush=True)
    atheris.Fuzz()


def _inputs_of(test: Any) -> Callable[[bytes], object]:
    """Return a function that runs a test with an input drawn from some bytes."""
    budget = settings(database=None, deadline=None, suppress_health_check=list(HealthCheck))
    run_test: Callable[[bytes], object] = budget(test).hypothesis.fuzz_one_input
    return run_test


def _at_random(run_test: Callable[[bytes], object], seconds: float) -> None:
    seed = time.time_ns()
    print(f"at random, seed {seed}", flush=True)
    chance = random.Random(seed)  # noqa: S311  # no secret
    end = time.monotonic() + seconds
    with suppress(KeyboardInterrupt):
        while time.monotonic() < end:
            run_test(chance.randbytes(chance.randrange(_LONGEST)))


if __name__ == "__main__":
    main()
