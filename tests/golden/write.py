"""Write the runs, roles and sources of this release: `python -m tests.golden.write`, at the root of the project."""

from pathlib import Path

from conveyor import __version__
from local.paths import ROOT
from tests.golden import permissions, sources
from tests.golden.kept import FOLDER, RUNS, Kept, objects_of, written
from tests.golden.place import place
from tests.golden.scenarios import SCENARIOS, Scenario


def leave(scenario: Scenario) -> Kept:
    """Play a scenario, and return its run as it was left."""
    with place(scenario.stack) as (belt, bucket, provider):
        run = scenario.play(belt)
        state = {"run": run, "wait_seconds": 30, **belt.state_of(run)}
        return Kept(
            says=scenario.says, run=run, drop=belt.fact(run, "run.json")["drop"]["key"],
            moment=belt.moment, state=state, stack=scenario.stack, status=scenario.status,
            people={f"control/{run}/{name}": words for name, words in scenario.people.items()},
            mended=scenario.mended, provider=provider.settings(), calls=provider.calls, objects=objects_of(bucket),
        )  # fmt: skip


def every_file() -> dict[str, bytes]:
    """Return the content of each file of this release, by its path in the folder of the release."""
    runs = {f"{RUNS}/{name}.json": written(leave(scenario)) for name, scenario in SCENARIOS.items()}
    return runs | {permissions.FILE: permissions.written(), sources.FILE: sources.packed(ROOT)}


def write(files: dict[str, bytes], folder: Path = FOLDER / __version__) -> None:
    """Write the files of this release."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


if __name__ == "__main__":
    write(every_file())
    print(f"Wrote {FOLDER / __version__}")  # noqa: T201  # a command
