"""The packages of the core, and the imports allowed between them."""

import ast
import re
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

from conveyor.provider.protocol import DIALECTS as LISTED

CORE = Path(__file__).parents[3] / "layers" / "conveyor" / "conveyor"
PURE = ["money", "domain", "answers", "jsonl", "settings", "wording", "file_types", "validation"]
WALLS = {
    "money": [],
    "domain": ["money"],
    "answers": [],
    "jsonl": [],
    "settings": ["domain", "money"],
    "wording": ["money", "domain"],
    "telemetry": ["domain", "wording"],
    "file_types": ["domain", "jsonl"],
    "validation": ["money", "domain", "jsonl", "settings", "wording"],
    "s3": ["domain", "jsonl"],
    "ledger": ["money", "domain", "answers", "jsonl", "file_types", "s3", "settings"],
    "provider": ["money", "domain", "answers", "jsonl", "settings", "wording"],
    "provider.messages": ["money", "domain", "answers", "jsonl", "settings", "provider"],
    "provider.files": ["money", "domain", "jsonl", "settings", "provider", "provider.messages"],
    "config": ["money", "domain", "settings", "s3"],
    "context": ["domain", "jsonl", "s3", "ledger", "provider"],
    "clients": ["domain", "settings", "wording", "s3", "ledger", "provider", "context"],
    "gates": [*PURE, "s3", "ledger", "provider", "context"],
    "spend": [*PURE, "s3", "ledger", "config", "context", "gates"],
    "intake": [*PURE, "ledger", "config", "gates"],
    "submit": [*PURE, "s3", "ledger", "provider", "config", "context", "clients", "gates", "spend", "intake"],
    "split": [*PURE, "s3", "ledger", "provider", "context", "clients"],
    "receipt": [*PURE, "ledger"],
    "verdict": [*PURE, "ledger", "receipt"],
    "page": ["money", "domain", "answers", "wording", "ledger", "receipt", "verdict"],
    "report": [*PURE, "s3", "ledger", "clients", "spend", "receipt", "verdict", "page"],
    "poll.decisions": ["domain", "ledger", "provider", "gates", "wording"],
    "poll": [
        *PURE,
        "poll.decisions",
        "s3",
        "ledger",
        "provider",
        "config",
        "context",
        "clients",
        "gates",
        "spend",
        "submit",
        "split",
    ],
}
"""What each package may import; only packages above it in this table, so there is no circle."""
OUTER = {
    "s3.bucket": {"botocore"},
    "clients": {"boto3", "botocore"},
    "provider.connector": {"botocore", "httpx"},
    "provider.transport": {"httpx"},
    "provider.credentials": {"httpx"},
    "provider.sigv4": {"botocore", "httpx"},
    "provider.refusals": {"httpx"},
}
"""The only modules that know AWS or HTTP."""
MOST_MODULES = 12
RELEASE = ["__version__"]
"""What the core itself names: the build reads it there."""


@cache
def modules() -> dict[str, Path]:
    """Return the core's modules by dotted name, without `conveyor.`."""
    paths = (path for path in CORE.rglob("*.py") if path.name != "__init__.py")
    return {".".join(path.relative_to(CORE).with_suffix("").parts): path for path in paths}


@cache
def imports(path: Path) -> set[str]:
    """Return all modules that a file imports, including those in functions and for type checking."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    of = [node for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    parts = {f"{node.module}.{alias.name}" for node in of for alias in node.names}
    return plain | {str(node.module) for node in of} | {part for part in parts if part[9:] in modules()}


def package(module: str) -> str:
    """Return the package of a module of the core; a top-level module is its own."""
    return module.rpartition(".")[0] or module


def known(module: str) -> set[str]:
    """Return the modules of the core that a module imports."""
    return {name[9:] for name in imports(modules()[module]) if name.startswith("conveyor.") and name[9:] in modules()}


def test_the_table_of_imports_names_every_package_and_has_no_cycle() -> None:
    """A package may import only packages listed above it."""
    assert set(WALLS) == {package(module) for module in modules()}
    order = list(WALLS)
    assert all(order.index(other) < order.index(name) for name, others in WALLS.items() for other in others)


@pytest.mark.parametrize("module", sorted(modules()))
def test_a_module_imports_only_what_its_package_may(module: str) -> None:
    """Only one stage imports others: poll imports submit and split. Pure packages import only pure ones."""
    others = {package(name) for name in known(module)} - {package(module)}
    assert others <= set(WALLS[package(module)])


def test_the_picture_in_the_docs_shows_every_package_above_what_it_imports() -> None:
    """It is the newcomer's first view of the core; imports within a level have an arrow."""
    page = (CORE.parents[2] / "docs" / "how-it-works.md").read_text()
    drawn = page.partition("functions/ ")[2].partition("```")[0].splitlines()[2:]
    rows = [" ".join(re.split(r" {2,}", line)[1:-1]) for line in drawn]
    row = {name: number for number, text in enumerate(rows) for name in re.findall(r"\w+", text)}
    arrows = [re.findall(r"(\w+) ─+▶ (\w+)", text) for text in rows] + [
        [(start, end) for end, start in re.findall(r"(\w+) ◀─+ (\w+)", text)] for text in rows
    ]
    found = {(name.partition(".")[0], other.partition(".")[0]) for name in modules() for other in known(name)}
    found = {(name, other) for name, other in found if name != other}
    assert row.keys() == {name.partition(".")[0] for name in modules()}
    assert {(name, other) for name, other in found if row[name] >= row[other]} == {each for of in arrows for each in of}


@pytest.mark.parametrize("module", sorted(modules()))
def test_only_a_few_modules_know_aws_or_http(module: str) -> None:
    """There is one place each for S3, for the provider, and for building clients."""
    outer = {name.partition(".")[0] for name in imports(modules()[module])}
    assert outer & {"boto3", "botocore", "httpx"} <= OUTER.get(module, set())
    assert package(module) not in PURE or "aws_lambda_powertools" not in outer


def test_modules_have_no_import_cycle() -> None:
    """Modules can be read in the order of their imports."""
    left = {module: known(module) for module in modules()}
    while free := {module for module, others in left.items() if not others & left.keys()}:
        left = {module: others for module, others in left.items() if module not in free}
    assert left == {}


def test_packages_are_small_and_export_nothing_of_their_own() -> None:
    """A name is imported from the module that holds it: a package that imports its modules would slow cold starts."""
    packages = list(CORE.rglob("__init__.py"))
    for path in packages:
        nodes = [node for node in ast.parse(path.read_text()).body if not isinstance(node, ast.Expr)]
        assert [ast.unparse(node).partition(" = ")[0] for node in nodes] == RELEASE * (path.parent == CORE), path
        assert len(list(path.parent.glob("*.py"))) - 1 <= MOST_MODULES, path


DIALECTS = {name for name in modules() if name.startswith(("provider.messages.", "provider.files."))}


@pytest.mark.parametrize("module", sorted(modules().keys() - DIALECTS))
def test_only_dialects_know_dialects(module: str) -> None:
    """Another dialect changes nothing but the list in `provider/protocol.py`, which loads them by name."""
    assert not known(module) & DIALECTS
    assert module == "provider.protocol" or "conveyor.provider.messages" not in modules()[module].read_text()
    assert module == "provider.protocol" or "conveyor.provider.files" not in modules()[module].read_text()


def test_every_dialect_in_the_list_can_be_connected() -> None:
    """Otherwise the first run would fail for that value of `BatchApi`."""
    assert {module.removeprefix("conveyor.") for module in LISTED.values()} <= DIALECTS
    assert all(callable(import_module(module).connect) for module in LISTED.values())


def test_dialects_share_result_lines_only() -> None:
    """A provider of the files dialect may write result lines of the other."""
    shared = {name for module in DIALECTS if module.startswith("provider.files.") for name in known(module) & DIALECTS}
    assert {name for name in shared if name.startswith("provider.messages.")} <= {"provider.messages.results"}
