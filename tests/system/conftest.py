"""One deployed stack for each dialect, shared by all tests that do not deploy their own.

Tests mostly wait, so several processes run at once. Each deploys the stacks that its tests need.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec
import pytest
from xdist.scheduler import LoadScopeScheduling

from local.process import interruptible
from local.provider.settings import Settings
from local.stack.start import local_stack
from tests.support.settings import tuned
from tests.support.system.runs import LOW_LIMITS, SHORT_TIMES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xdist.remote import Producer

    from local.stack.stack import Stack

# Waits of the state machine are short, but long enough that runs which wait leave the processor to other tests.
WAIT_SCALE = 0.005
DIALECTS = ["messages", "files"]
PARAMETERS = tuned(SHORT_TIMES, LOW_LIMITS, ResultsDatabase="conveyor")
# Whose tests have stacks of their own.
LARGE = ("test_permissions.py", "test_provider_faults.py")
DEMO = "test_demo.py"
RECIPES = "recipes"
"""In the names of the modules that share a stack of their own: else the shared one would be the last to be done."""
PROVIDER = msgspec.to_builtins(Settings(seconds=0.5), str_keys=True)


class ByStack(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types here
    """Plays the tests of a stack in one process."""

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.partition("::")[0]
        dialect = re.search(r"[\[-](messages|files)[\]-]", nodeid)
        if dialect and not (dialect[1] == "messages" and module.endswith(LARGE)):
            return RECIPES if RECIPES in module else dialect[1]
        return nodeid if module.endswith(DEMO) else module


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByStack:
    """Distribute the tests to several processes."""
    return ByStack(config, log)


@pytest.fixture(scope="session", params=DIALECTS)
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """Deploy one stack for all tests of a dialect, each of which uses its own keys."""
    parameters = PARAMETERS | {"BatchApi": request.param}
    running = local_stack(wait_scale=WAIT_SCALE, provider_settings=PROVIDER, parameters=parameters)
    with interruptible(), running as stack:
        yield stack


@pytest.fixture(autouse=True)
def fresh_provider(stack: Stack) -> Iterator[None]:
    """Restore the provider's settings; its batches stay, since a run may still look for them."""
    yield
    stack.provider_settings(PROVIDER)
