"""Check that a release can be made: `make release VERSION=0.2.0`. Writes its folder in tests/golden at first."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from conveyor import __version__
from conveyor.ledger.fact import BatchFact, Fact, kinds_of
from tests.golden import sources
from tests.golden.decoding import kind_of
from tests.golden.kept import FOLDER, RUNS, parse
from tests.golden.write import every_file, write
from tests.support import template

ROOT = Path(__file__).parents[2]
FORM = re.compile(r"\d+\.\d+\.\d+")
REWRITE = "PYTHONPATH=layers/conveyor .venv/tools/bin/python -m tests.golden.write"
_HEADINGS = ("Unreleased", r"{} \(\d{{4}}-\d\d-\d\d\)")


def main(version: str) -> int:
    """Check everything, and print what is wrong, or what to type. Returns the exit code."""
    if not FORM.fullmatch(version):
        return _refuse([f'VERSION is "{version}"; expected three numbers, such as VERSION={__version__}'])
    wrong = [*wrong_versions(version), *wrong_changelog((ROOT / "CHANGELOG.md").read_text(), version)]
    if wrong:
        return _refuse(wrong)
    files, folder = every_file(), FOLDER / version
    if not folder.exists():
        write(files, folder)
        return _refuse([f"{folder.relative_to(ROOT)} was missing and is written: commit it, and type this again"])
    if wrong := [*stale(files, folder), *missing_kinds(files), *_uncommitted()]:
        return _refuse(wrong)
    tests = subprocess.run([sys.executable, "-m", "pytest", "-q", "tests/golden"], cwd=ROOT, check=False)
    if tests.returncode:
        return _refuse(["a run of a release is not read, or does not end as it would have: see above"])
    commands = f'git tag -a {version} -m "Release {version}"\n  git push origin {version}'
    print(f"Release {version} is ready once `make test` has passed. Type:\n\n  {commands}")  # noqa: T201  # a command
    return 0


def wrong_versions(version: str) -> Iterator[str]:
    """Yield the places that name another version. The command takes that of the core when it is built."""
    parsed = template.template()
    named = {
        "layers/conveyor/conveyor/__init__.py: __version__": __version__,
        "template.yaml: the output Release": parsed["Outputs"]["Release"]["Value"],
    }
    for name, function in template.resources("AWS::Serverless::Function").items():
        described = template.spelled(function["VersionDescription"])
        named[f"template.yaml: VersionDescription of {name}"] = described.partition(" ")[0]
    yield from (f"{place} is {found}; expected {version}" for place, found in named.items() if found != version)


def wrong_changelog(text: str, version: str) -> Iterator[str]:
    """Yield what is wrong with its beginning: nothing is unreleased, and the release has its day."""
    _, *sections = text.split("\n## ")
    headings = [section.partition("\n")[0] for section in sections[:2]]
    if len(headings) < len(_HEADINGS) or not re.fullmatch(_HEADINGS[1].format(re.escape(version)), headings[1]):
        yield f"CHANGELOG.md begins with the sections {headings}; expected Unreleased and {version} (year-month-day)"
    elif headings[0] != _HEADINGS[0] or sections[0].partition("\n")[2].strip():
        yield f"CHANGELOG.md has something above {version}; expected Unreleased, without an entry"


def stale(files: dict[str, bytes], folder: Path) -> Iterator[str]:
    """Yield the kept files that the code would write otherwise. `files`: as it writes them now."""
    kept = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    for name in sorted(files.keys() | kept.keys()):
        if _content(name, files) != _content(name, kept):
            yield f"{folder.name}/{name} is not what this code writes; if {folder.name} is no release yet: {REWRITE}"


def _content(name: str, files: dict[str, bytes]) -> object:
    """Return what counts of a file: of an archive that is the files in it."""
    data = files.get(name)
    return sources.unpacked(data) if data and name == sources.FILE else data


def missing_kinds(files: dict[str, bytes]) -> Iterator[str]:
    """Yield the kinds of facts that no kept run has: later releases could not be tried with them."""
    runs = [parse(content) for name, content in files.items() if name.startswith(RUNS)]
    found = {kind_of(each.key) for run in runs for each in run.objects}
    for kind in [*kinds_of(Fact).values(), *kinds_of(BatchFact).values()]:
        if kind.__module__.startswith("conveyor.") and kind.__name__ not in found:
            yield f"no run in tests/golden/scenarios.py has a fact {kind.__name__}: add one"


def _uncommitted() -> Iterator[str]:
    changed = subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S607  # the user's git
    if changed.stdout:
        yield f"{len(changed.stdout.splitlines())} files are not committed"


def _refuse(wrong: list[str]) -> int:
    for each in wrong:
        print(f"✗ {each}")  # noqa: T201  # a command
    return 1


if __name__ == "__main__":
    sys.exit(main(" ".join(sys.argv[1:])))
