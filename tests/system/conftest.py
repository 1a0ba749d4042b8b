"""One deployed stack for each dialect, shared by all tests that do not deploy their own."""

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
DIALECTS = ["messages", "files"]
PARAMETERS = SHORT_TIMES | LOW_LIMITS
PROVIDER = msgspec.to_builtins(Settings(seconds=0.5), str_keys=True)


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
