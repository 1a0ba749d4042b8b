"""The direction of imports: functions, then the core, then its two doors; pure modules know neither AWS nor HTTP."""

import ast
from pathlib import Path

import pytest

CORE = Path(__file__).parents[2] / "layers" / "conveyor" / "conveyor"
PURE = {
    "checked", "checking", "drop", "facts", "frame", "glance", "invocation", "keys", "line", "lines", "notice",
    "outcome", "output", "packed", "plan", "price", "receipt", "records", "repeats", "rows", "schedule", "settings",
    "spool", "tally", "warning", "wire",
}  # fmt: skip
DOORS = {
    "storage": {"botocore"},
    "clients": {"boto3", "botocore"},
    "api.access": {"botocore", "httpx"},
    "api.messages": {"httpx"},
    "api.errors": {"httpx"},
}


def imports(path: Path) -> set[str]:
    """Return all modules a file imports, those for type checking included."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return plain | {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}


def modules() -> dict[str, Path]:
    """Return the core's modules by dotted name."""
    paths = (path for path in CORE.rglob("*.py") if path.name != "__init__.py")
    return {".".join(path.relative_to(CORE).with_suffix("").parts): path for path in paths}


@pytest.mark.parametrize("name", sorted(PURE))
def test_a_pure_module_imports_nothing_of_ours_but_pure_modules(name: str) -> None:
    """What decides can be tested without a cloud."""
    found = imports(modules()[name])
    ours = {module.removeprefix("conveyor.") for module in found if module.startswith("conveyor.")}
    assert ours <= PURE
    assert not {module.partition(".")[0] for module in found} & {"boto3", "botocore", "httpx", "aws_lambda_powertools"}


@pytest.mark.parametrize("name", sorted(modules()))
def test_only_the_doors_know_aws_and_http(name: str) -> None:
    """There is one place each for S3, for the provider, and for building clients."""
    outer = {module.partition(".")[0] for module in imports(modules()[name])} & {"boto3", "botocore", "httpx"}
    assert outer <= DOORS.get(name, set())
