"""Modules that take long to load, and are loaded when a test uses them: each process of a run imports all tests."""

from importlib import import_module
from typing import Any


class Lazily:
    """Stands for a module, which is imported with the first use of one of its names."""

    def __init__(self, module: str) -> None:
        """Take the name of the module, which is not imported yet."""
        self._module = module

    def __getattr__(self, name: str) -> Any:
        """Return what the module has under a name. pytest asks all that a test module has for names with `_`."""
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(import_module(self._module), name)
