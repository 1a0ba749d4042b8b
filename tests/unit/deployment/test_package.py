"""The core as a package: its dependencies are pinned, and all its modules are installed."""

import re
import tomllib
import zipfile
from pathlib import Path

import pytest
from flit_core.buildapi import build_wheel

from conveyor import __version__
from tests.support import template

LAYER = template.PROJECT / "layers/conveyor"


def pinned(lock: str) -> dict[str, str]:
    """Return the hashes of each package in a lock file, by name and version."""
    return dict(re.findall(r"^([a-z0-9-]+==\S+)((?: \\\n    --hash=sha256:[0-9a-f]{64})*)", lock, re.MULTILINE))


def test_every_package_of_the_layer_is_pinned_by_hash() -> None:
    """Deployed packages are the reviewed ones, whatever index they come from; so are the build tools."""
    project = tomllib.loads((LAYER / "pyproject.toml").read_text())
    wanted = {"requirements.txt": project["project"]["dependencies"], "build.txt": project["build-system"]["requires"]}
    for lock, packages in wanted.items():
        text = (LAYER / lock).read_text()
        assert {package.replace("_", "-") for package in packages} <= pinned(text).keys()
        assert all(pinned(text).values())
        assert "://" not in text


def test_the_core_is_a_package_that_other_programs_can_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The layer is built from the package, which has every module and lists its dependencies."""
    monkeypatch.chdir(LAYER)
    with zipfile.ZipFile(tmp_path / build_wheel(str(tmp_path))) as wheel:
        names, metadata = wheel.namelist(), wheel.read(f"conveyor_core-{__version__}.dist-info/METADATA").decode()
    files = [path for path in (LAYER / "conveyor").rglob("*.*") if path.is_file() and path.suffix != ".pyc"]
    sources = {path.relative_to(LAYER).as_posix() for path in files}
    assert {name for name in names if name.startswith("conveyor/")} == sources
    assert {"conveyor/page/style.css", "conveyor/page/templates/page.html.j2"} <= sources, "the page needs them"
    needed = tomllib.loads(Path("pyproject.toml").read_text())["project"]["dependencies"]
    assert re.findall(r"^Requires-Dist: (\S+)", metadata, re.MULTILINE) == needed
