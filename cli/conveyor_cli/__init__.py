"""The command `conveyor`, and the same from Python: `from conveyor_cli import Stack` (docs/python.md)."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from conveyor_cli.drops.check import Refused
    from conveyor_cli.notebook import Held, Run, Stack
    from conveyor_cli.trouble import Trouble

__all__ = ["Held", "Refused", "Run", "Stack", "Trouble"]
_PLACES = {"Refused": "drops.check", "Trouble": "trouble"}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - the types are above
    """Import what is asked for: the command itself needs none of it, and boto3 takes long."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    return getattr(import_module(f"{__name__}.{_PLACES.get(name, 'notebook')}"), name)
