"""One deployed stack for each dialect, shared by all tests that name no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from local.process import interruptible
from local.provider.settings import Settings
from local.stack.start import local_stack
from tests.support.system.runs import LOW_LIMITS, SHORT_TIMES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack.stack import Stack

# A thousandth of every wait in the state machine, so that a test waits for work only.
WAIT_SCALE = 0.001
PARAMETERS = SHORT_TIMES | LOW_LIMITS
PROVIDER = msgspec.to_builtins(Settings(seconds=0.5), str_keys=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of one stack in one process, or each process would deploy it."""
    for item in items:
        if isinstance(item, pytest.Function) and not item.get_closest_marker("xdist_group"):
            params = item.callspec.params if hasattr(item, "callspec") else {}
            if "stack" in params:
                item.add_marker(pytest.mark.xdist_group(params["stack"]))


@pytest.fixture(scope="session", params=["messages", "files"])
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """One deployed stack for all tests of a dialect, each of which drops under a key of its own."""
    parameters = PARAMETERS | {"BatchApi": request.param}
    running = local_stack(wait_scale=WAIT_SCALE, provider_settings=PROVIDER, parameters=parameters)
    with interruptible(), running as stack:
        yield stack


@pytest.fixture(autouse=True)
def fresh_provider(stack: Stack) -> Iterator[None]:
    """Undo what the test told the provider; its batches stay, since a run may still look for them."""
    yield
    stack.provider_settings(PROVIDER)
