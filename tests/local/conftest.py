"""A local AWS for all tests of this folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.stack.local_aws import local_aws

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack.local_aws import Aws

IMPORTED = "counted_module"
"""A module that processes of functions have from the start, if a layer has it."""
BROKEN = "broken_module"
"""Another one, whose import fails."""


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    """Run a local AWS for all tests of this folder."""
    with local_aws(tmp_path_factory.mktemp("aws"), extra={"LAMBDA_MODULES": f"{BROKEN},{IMPORTED}"}) as aws:
        yield aws
