"""Names for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tests.support.measured import Place

if TYPE_CHECKING:
    from local.stack.local_aws import Aws


@pytest.fixture
def place(aws: Aws) -> Place:
    """Return names that no other test uses."""
    return Place(aws, f"e-{uuid4().hex[:8]}")
