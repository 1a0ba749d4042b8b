"""What holds for every test."""

import gc
import inspect
import os
import ssl
from collections.abc import Iterator
from functools import cache, partial
from typing import Any

import botocore.hooks
import botocore.loaders
import pytest
from hypothesis import HealthCheck, settings

# How long an example takes is no promise, and depends on what else the machine does.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("quick", settings.get_profile("any machine"), max_examples=20)
settings.load_profile("any machine")

# Each HTTP client reads the same certificates, which takes longer than most tests.
ssl.create_default_context = cache(ssl.create_default_context)  # type: ignore[assignment]

# A program has one session, and a test process has thousands: they share the descriptions of services.
botocore.loaders.create_loader = cache(botocore.loaders.create_loader)

# Each session asks each of its 130 handlers of events whether it takes any keyword: its code says so, much faster. And
# it looks for the present name of each of their events again.
_hooks: Any = botocore.hooks
_asked = _hooks.accepts_kwargs
_name_of = cache(partial(_hooks.EventAliaser._alias_event_name, _hooks.EventAliaser(None)))  # noqa: SLF001
_hooks.accepts_kwargs = lambda handler: (
    handler.__code__.co_flags & inspect.CO_VARKEYWORDS if hasattr(handler, "__code__") else _asked(handler)
)
_hooks.EventAliaser._alias_event_name = lambda _, name: _name_of(name)  # noqa: SLF001


def pytest_xdist_auto_num_workers() -> int:
    """Play one test more at once than there are processors, since many wait: for a program, or for the clock."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Look for no garbage while modules and tests are collected: they stay, and searching them again takes seconds."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let each process begin with its share of the crash suite, which copies the process thousands of times.

    A copy costs the more the more memory a process has, and that grows with each module that it has played. At first
    each of `n` processes gets an n-th of the tests that are next to each other.
    """
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    copying = [item for item in items if "faults" in item.path.parts]
    others = [item for item in items if "faults" not in item.path.parts]
    size = -(-len(others) // processes)
    items.clear()
    for number in range(processes):
        items += copying[number::processes] + others[number * size : (number + 1) * size]
