"""Write the runs of this release: `python -m tests.golden.write`, at the root of the project."""

from pathlib import Path

from conveyor import __version__
from tests.golden.kept import FOLDER, Kept, objects_of, written
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
    """Return the content of each file of this release, by its name."""
    return {f"{name}.json": written(leave(scenario)) for name, scenario in SCENARIOS.items()}


def main(folder: Path = FOLDER / __version__ / "runs") -> None:
    """Write them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in every_file().items():
        (folder / name).write_bytes(content)
    print(f"Wrote {len(SCENARIOS)} runs to {folder}")  # noqa: T201  # a command


if __name__ == "__main__":
    main()
