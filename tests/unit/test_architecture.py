"""The direction of imports: functions, then the core, then its two doors; pure modules know neither AWS nor HTTP."""

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest

from conveyor.provider import connect

CORE = Path(__file__).parents[2] / "layers" / "conveyor" / "conveyor"
PURE = {
    "advice", "betas", "causes", "charged", "checked", "checking", "commands", "complexity", "console", "content",
    "deadlines", "dialect", "drop", "ending", "explained", "facts", "failures", "fields", "found", "frame", "glance",
    "invocation", "json_prefix", "keys", "kinds", "line", "lines", "members", "mending", "metadata", "not_json",
    "notice", "outcome", "output", "packed", "params", "plan", "price", "reasons", "receipt", "recognition", "records",
    "repair", "repeats", "rest", "rows", "schedule", "separators", "settings", "signatures", "spool", "status", "stops",
    "tally", "text_kinds", "trouble", "unreadable", "warning", "wire", "wording",
}  # fmt: skip
DOORS = {
    "storage": {"botocore"},
    "clients": {"boto3", "botocore"},
    "api.access": {"botocore", "httpx"},
    "api.door": {"httpx"},
    "api.credentials": {"httpx"},
    "api.signature": {"botocore", "httpx"},
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


DIALECTS = {name for name in modules() if re.match(r"api\.(message|file|upload)", name)}
"""All that knows one: what `conveyor.provider.connect` loads by the name that a run was begun with, and their parts."""


@pytest.mark.parametrize("name", sorted(modules().keys() - DIALECTS))
def test_only_dialects_know_dialects(name: str) -> None:
    """All else sees what every provider has in common: another dialect changes nothing but the list of them."""
    nodes = ast.walk(ast.parse(modules()[name].read_text()))
    parts = {f"{node.module}.{each.name}" for node in nodes if isinstance(node, ast.ImportFrom) for each in node.names}
    assert not (imports(modules()[name]) | parts) & {f"conveyor.{dialect}" for dialect in DIALECTS}
    assert name == "api.access" or not re.search(r"conveyor\.api\.(message|file)", modules()[name].read_text())


def test_every_dialect_in_the_list_has_its_way_in() -> None:
    """A value of `BatchApi` that leads nowhere would be found by the first run."""
    assert {module.removeprefix("conveyor.") for module in connect.DIALECTS.values()} <= DIALECTS
    assert all(callable(import_module(module).connect) for module in connect.DIALECTS.values())


@pytest.mark.parametrize(("mine", "other"), [("(file|upload)", "message"), ("message", "(file|upload)")])
def test_dialects_know_of_each_other_no_more_than_their_lines(mine: str, other: str) -> None:
    """A provider of one dialect may write result lines of the other."""
    paths = [path for name, path in modules().items() if re.match(rf"api\.{mine}", name)]
    found = {module for path in paths for module in imports(path) if re.match(rf"conveyor\.api\.{other}", module)}
    assert found <= {"conveyor.provider.messages.results"}
