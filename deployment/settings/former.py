"""Parameters of earlier releases. Release 0.1.0 is the first, so there are none yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def describe_former(given: Mapping[str, str]) -> list[str]:  # noqa: ARG001 - see above
    """Return one sentence for each parameter with a former name: what to write in its place."""
    return []


def current_parameters(given: Mapping[str, str]) -> dict[str, str]:
    """Return parameters of a stack by the names of today; the same ones if none has a former name."""
    return dict(given)
