"""What `make release` refuses."""

import lzma
from pathlib import Path

import msgspec
import pytest

from conveyor import __version__
from conveyor.ledger.gate_facts import Gate
from tests.golden import permissions, sources
from tests.golden.kept import FOLDER
from tests.golden.release import ROOT, main, missing_kinds, stale, wrong_changelog, wrong_versions


def test_the_template_the_core_and_the_changelog_name_one_version() -> None:
    """A stack says which release it is by its output, and its functions by the descriptions of their versions."""
    assert list(wrong_versions(__version__)) == []
    assert len(list(wrong_versions("9.9.9"))) == 6
    assert f"\n## {__version__} (" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize(
    ("text", "is_right"),
    [
        ("# C\n\n## Unreleased\n\n## 0.2.0 (2026-12-24)\n\n- new\n", True),
        ("# C\n\n## Unreleased\n\n## 0.2.0\n\n- new\n", False),
        ("# C\n\n## Unreleased\n\n- new\n\n## 0.2.0 (2026-12-24)\n", False),
        ("# C\n\n## Unreleased\n\n## 0.1.0 (2026-11-30)\n\n- old\n", False),
        ("# C\n\n## 0.2.0 (2026-12-24)\n\n## 0.1.0 (2026-11-30)\n", False),
        ("# C\n\n## 0.2.0 (2026-12-24)\n", False),
    ],
)
def test_the_changelog_begins_with_nothing_unreleased_and_the_day_of_the_release(text: str, *, is_right: bool) -> None:
    """Otherwise people would not learn what a release changed."""
    assert (list(wrong_changelog(text, "0.2.0")) == []) is is_right


def test_kept_runs_that_the_code_would_write_otherwise_are_named() -> None:
    """A release whose runs were kept before its last change would be tried with what it never wrote."""
    folder = FOLDER / __version__
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert list(stale(files, folder)) == []
    changed, new = {"runs/sent.json": b"{}"}, {"runs/new.json": b"{}"}
    assert [each.partition(" ")[0] for each in stale(files | changed | new, folder)] == [
        f"{__version__}/{name}" for name in ("runs/new.json", "runs/sent.json")
    ]


def test_sources_that_are_missing_or_are_not_those_of_the_code_are_named(tmp_path: Path) -> None:
    """The next release would be tried as an update of another one. How an archive is packed does not matter."""
    folder = FOLDER / __version__
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    same = lzma.compress(lzma.decompress(files[sources.FILE]), preset=0)
    assert same != files[sources.FILE]
    assert list(stale(files | {sources.FILE: same}, folder)) == []
    template = sources.put(__version__, tmp_path) / "template.yaml"
    template.write_bytes(template.read_bytes() + b"# changed\n")
    without = {name: content for name, content in files.items() if name != sources.FILE}
    for changed in (without, files | {sources.FILE: sources.packed(tmp_path)}):
        (only,) = stale(changed, folder)
        assert only.startswith(f"{__version__}/{sources.FILE} is not what this code writes")


def test_the_sources_of_the_last_release_are_kept_and_are_its_own() -> None:
    """A stack of it says so, and functions of it are called by runs that began before an update."""
    last = sources.releases()[-1]
    assert last == permissions.of_last_release()[0]
    kept = sources.of(last)
    assert f'Value: "{last}"' in kept["template.yaml"].decode()
    assert f'__version__ = "{last}"' in kept["layers/conveyor/conveyor/__init__.py"].decode()
    assert {"statemachine/run.asl.json", "functions/poll/app.py", "layers/conveyor/requirements.txt"} <= kept.keys()


def test_an_update_begins_with_the_last_release_that_is_not_this_code(tmp_path: Path) -> None:
    """Right after a release nothing would change."""
    last = sources.releases()[-1]
    assert sources.last_other(ROOT) in sources.releases()
    (sources.put(last, tmp_path) / "template.yaml").write_text("another")
    assert sources.last_other(tmp_path) == last


def test_a_kind_of_fact_that_is_in_no_kept_run_is_named() -> None:
    """Later releases would read it for the first time in production."""
    files = {f"runs/{path.name}": path.read_bytes() for path in (FOLDER / __version__).glob("runs/*.json")}
    new = set(missing_kinds(files))
    without = {name: content for name, content in files.items() if name != "runs/stuck.json"}
    assert set(missing_kinds(without)) - new == {"no run in tests/golden/scenarios.py has a fact Stuck: add one"}
    assert any(Gate.__name__ in each for each in missing_kinds({"runs/a.json": _without_objects(files)}))


def test_a_version_is_three_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    """It is compared as numbers."""
    assert main("") == main("v1") == main("0.2") == 1
    assert capsys.readouterr().out.count("expected three numbers") == 3


def _without_objects(files: dict[str, bytes]) -> bytes:
    return msgspec.json.encode(msgspec.json.decode(files["runs/sent.json"]) | {"objects": []})
