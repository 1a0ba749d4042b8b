"""The command as a package: what it may import, and what its wheel has."""

import ast
import re
import subprocess
import sys
import tomllib
import zipfile
from functools import cache
from pathlib import Path

import pytest
from hatchling.build import build_wheel
from packaging.requirements import Requirement

from conveyor import __version__

PROJECT = Path(__file__).parents[3]
CLI, CORE = PROJECT / "cli" / "conveyor_cli", PROJECT / "layers" / "conveyor"
MOST_MODULES = 10
AWS = {"aws.account": {"boto3", "botocore"}, "aws.errors": {"botocore"}, "aws.inbox": {"boto3"}}
"""The only modules that know AWS."""
NOT_FOR_A_DESK = {"conveyor.clients", "conveyor.submit", "conveyor.poll", "conveyor.split", "conveyor.report"}
"""What runs in functions only."""
TOLD_AT_A_DESK = {f"conveyor.report.{name}" for name in ("receipt", "headline", "charges", "details")}
"""But for what says how a run has ended: the shape of the receipt, and the words of its message. They read nothing."""


@cache
def modules() -> dict[str, Path]:
    """Return the modules of the command by dotted name, without `conveyor_cli.`."""
    paths = (path for path in CLI.rglob("*.py") if path.name != "__init__.py")
    return {".".join(path.relative_to(CLI).with_suffix("").parts): path for path in paths}


@cache
def imports(path: Path) -> set[str]:
    """Return all modules that a file imports, those in functions included, but not those for type checking."""
    tree = ast.parse(path.read_text())
    for_types = [node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)]
    hidden = {id(each) for node in for_types for each in ast.walk(node)}
    nodes = [node for node in ast.walk(tree) if id(node) not in hidden]
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    of = [node for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    return (
        plain
        | {str(node.module) for node in of}
        | {f"{node.module}.{alias.name}" for node in of for alias in node.names}
    )


@pytest.mark.parametrize("module", sorted(modules()))
def test_only_three_modules_of_the_command_know_aws(module: str) -> None:
    """One builds clients, one explains errors, and one uploads. What a function alone does is not done at a desk."""
    found = imports(modules()[module])
    assert {name.partition(".")[0] for name in found} & {"boto3", "botocore", "httpx"} <= AWS.get(module, set())
    told = {name for name in found if ".".join(name.split(".")[:3]) in TOLD_AT_A_DESK}
    assert not {name for name in found - told if ".".join(name.split(".")[:2]) in NOT_FOR_A_DESK}


def test_the_core_knows_no_command() -> None:
    """The layer does not have it; nor do the local stack and the functions use it."""
    folders = (CORE, PROJECT / "functions", PROJECT / "local")
    paths = [path for folder in folders for path in folder.rglob("*.py")]
    assert [path for path in paths if any(name.startswith("conveyor_cli") for name in imports(path))] == []


def test_folders_of_the_command_are_small() -> None:
    """A reader takes in about ten names at once. In `commands` there is a module for each command, in any number."""
    for path in set(CLI.rglob("__init__.py")) - {CLI / "commands" / "__init__.py"}:
        assert len(list(path.parent.glob("*.py"))) - 1 <= MOST_MODULES, path


def test_the_locked_packages_are_among_those_that_the_command_takes() -> None:
    """What is tested can be installed."""
    lock = (PROJECT / "requirements" / "local.txt").read_text()
    locked = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", lock, re.MULTILINE))
    assert [name for name, wanted in required().items() if not wanted.specifier.contains(locked[name])] == []


def test_the_command_requires_what_it_imports_and_nothing_else() -> None:
    """Also what it imports of the core imports. The packages of functions alone are not installed at a desk."""
    reached = {name.partition(".")[0] for path in reached_files() for name in imports(path)}
    outer = reached - sys.stdlib_module_names - {"botocore", "conveyor", "conveyor_cli"}
    assert outer == required().keys()


@pytest.mark.slow
def test_the_wheel_has_the_command_and_the_core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`pipx install ./cli` needs nothing else of the checkout."""
    monkeypatch.chdir(CLI.parent)
    wheel = tmp_path / build_wheel(str(tmp_path))
    with zipfile.ZipFile(wheel) as opened:
        names = {name for name in opened.namelist() if ".dist-info/" not in name}
        scripts = opened.read(f"conveyor_cli-{__version__}.dist-info/entry_points.txt").decode()
    files = {
        path.relative_to(root).as_posix()
        for root, package in ((CLI.parent, CLI), (CORE, CORE / "conveyor"))
        for path in package.rglob("*")
        if path.suffix in {".py", ".j2", ".css"}
    }
    assert names == files | {"conveyor_cli/py.typed"}
    assert "conveyor = conveyor_cli.main:main" in scripts
    asked = [sys.executable, "-m", "conveyor_cli", "--version"]
    env = {"PYTHONPATH": str(wheel), "PATH": ""}
    said = subprocess.run(asked, cwd=tmp_path, env=env, capture_output=True, text=True, check=True).stdout  # noqa: S603
    assert said == f"conveyor {__version__}\n"


def required() -> dict[str, Requirement]:
    """Return the requirements of the command by name."""
    project = tomllib.loads((CLI.parent / "pyproject.toml").read_text())["project"]
    return {each.name: each for each in map(Requirement, project["dependencies"])}


def reached_files() -> set[Path]:
    """Return the files of the command, and those of the core that it imports, also by others."""
    files, left = set[Path](), set(modules().values())
    while left:
        files |= left
        names = {name for path in left for name in imports(path) if name.startswith("conveyor.")}
        left = {path for name in names if (path := CORE / f"{name.replace('.', '/')}.py").exists()} - files
    return files
