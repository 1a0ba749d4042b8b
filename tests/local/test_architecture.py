"""What the packages of `local/` may import, and how large they may be."""

from __future__ import annotations

import ast
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

LOCAL = Path(__file__).parents[2] / "local"
MAX_MODULES = 10
MODULES = {
    ".".join(("local", *path.relative_to(LOCAL).with_suffix("").parts)).removesuffix(".__init__"): path
    for path in LOCAL.rglob("*.py")
}


def imports(module: str) -> set[str]:
    """Return all that a module imports, inside functions and for type checking included; ours as modules."""
    nodes = list(ast.walk(ast.parse(MODULES[module].read_text())))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names = [(node.module, alias.name) for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names]
    return plain | {f"{of}.{name}" if f"{of}.{name}" in MODULES else str(of) for of, name in names}


def ours(module: str) -> set[str]:
    """Return the modules of `local/` that a module imports."""
    return imports(module) & MODULES.keys()


def folder(module: str) -> str:
    """Return the package of a module; a module beside packages stands for itself."""
    parent = MODULES[module].parent
    return module if any(parent.glob("*/__init__.py")) else ".".join(("local", *parent.relative_to(LOCAL).parts))


def test_no_circle_of_modules() -> None:
    """The sorter raises an error that names the circle."""
    TopologicalSorter({module: ours(module) for module in MODULES}).prepare()


def test_no_circle_of_packages() -> None:
    """A package that imports another is not imported by it."""
    graph: dict[str, set[str]] = {}
    for module in MODULES:
        graph.setdefault(folder(module), set()).update({folder(other) for other in ours(module)} - {folder(module)})
    TopologicalSorter(graph).prepare()


@pytest.mark.parametrize("module", sorted(MODULES))
def test_nothing_here_imports_the_core(module: str) -> None:
    """The stack runs the packages that the SAM CLI has built; what checks the core must not share its mistakes."""
    assert not {name for name in imports(module) if name.partition(".")[0] == "conveyor"}


@pytest.mark.parametrize("module", sorted(name for name in MODULES if name.startswith("local.provider")))
def test_the_simulated_provider_stands_alone(module: str) -> None:
    """It could be a project of its own: it knows no AWS client, and nothing else of `local/`."""
    assert all(name.startswith("local.provider") for name in ours(module))
    assert not {name.partition(".")[0] for name in imports(module)} & {"boto3", "botocore"}


@pytest.mark.parametrize("module", sorted(name for name in MODULES if name.startswith("local.emulation")))
def test_the_patches_of_the_local_aws_need_only_ministack(module: str) -> None:
    """They run in the environment of MiniStack, which has few other dependencies (requirements/aws.in)."""
    assert all(name.startswith("local.emulation") for name in ours(module))
    outer = {name.partition(".")[0] for name in imports(module)} - sys.stdlib_module_names
    if "athena" in module:
        outer -= {"duckdb", "sqlglot"}
    if module.endswith(".server"):
        outer -= {"hypercorn", "uvicorn"}
    assert outer <= {"local", "ministack", "jsonschema"}


def test_folders_are_small() -> None:
    """A reader takes in about ten names at once."""
    for path in LOCAL.rglob("__init__.py"):
        assert len(list(path.parent.glob("*.py"))) - 1 <= MAX_MODULES, path
