"""Which project a run is for, and whose money it may spend."""

from typing import Any

import orjson
import pytest
from msgspec.structs import replace

from tests.support.belt import Belt, drop_of, request
from tests.support.promises import plain

LIMITS = {"projects": {"team-a": {"usd_per_day": 9}, "team-b": {"usd_per_day": 9}}}


def limit(belt: Belt, content: bytes = orjson.dumps(LIMITS)) -> None:
    """Write the limits of projects."""
    belt.s3.put_object(Bucket=belt.bucket, Key="config/budgets.json", Body=content)


def dropped(belt: Belt, key: str, project: str | None = None) -> dict[str, Any]:
    """Drop a file, and return its run."""
    run = belt.upload(drop_of(1), key, {"project": project} if project else None)
    return belt.fact(run, "run.json")


@pytest.mark.parametrize(
    ("key", "named", "project"),
    [
        ("inbox/team-a/x.jsonl", None, "team-a"),
        ("inbox/team-a/deep/x.jsonl", None, "team-a"),
        ("inbox/x.jsonl", None, "default"),
        ("inbox/other/x.jsonl", None, "default"),
        ("inbox/other/x.jsonl", "research", "research"),
        ("inbox/x.jsonl", "team-b", "team-b"),
        ("inbox/default/x.jsonl", "default", "default"),
        ("inbox/team-a.jsonl", None, "default"),
    ],
)
def test_a_drop_belongs_to_its_folder_or_to_the_project_that_it_names(
    belt: Belt, key: str, named: str | None, project: str
) -> None:
    """Only folders with limits are projects; all other drops may be attributed by their metadata."""
    limit(belt)
    run = dropped(belt, key, named)
    assert (run["project"], run["problem"], run["config_faults"]) == (project, None, [])


def test_a16_a_folder_with_limits_wins_over_metadata(belt: Belt) -> None:
    """A16: somebody who may write to `inbox/team-a/` only names another project, to spend its money."""
    limit(belt)
    assert dropped(belt, "inbox/team-a/x.jsonl", "team-b")["project"] == "team-a"


def test_a16_a_project_with_limits_takes_no_drops_from_other_folders(belt: Belt) -> None:
    """A16: the folder has no limits of its own, and its writer may not write to that of the project."""
    limit(belt)
    run = belt.upload(drop_of(1), "inbox/other/x.jsonl", {"project": "team-b"})
    notice = belt.finish(run)
    receipt = belt.receipt(run)
    assert (notice["status"], receipt["code"]) == ("refused", "project-has-a-folder")
    assert (notice["project"], belt.creates()) == ("default", (0, 0))
    text = plain(notice["message"])
    assert 'the project "team-b" has limits of its own, and takes drops from inbox/team-b/ only' in text
    assert "project=team-b" not in notice["message"], "a command that repeats it would be refused again"


def test_every_output_of_a_run_names_its_project(belt: Belt) -> None:
    """Receipts are added up by project, and people are told of theirs."""
    run = belt.upload(drop_of(1), metadata={"project": "research"})
    notice = belt.finish(run)
    assert (notice["project"], belt.receipt(run)["project"]) == ("research", "research")
    assert f"Project research, run {run}" in notice["message"]


@pytest.mark.parametrize("name", ["team a", "../team-a", "a" * 65, "*", "20261122T123456Z-0123456789ab"])
def test_a_project_that_is_no_name_refuses_the_drop(belt: Belt, name: str) -> None:
    """The message names the value, and what is accepted."""
    notice = belt.finish(belt.upload(drop_of(1), metadata={"project": name}))
    assert (notice["status"], notice["project"]) == ("refused", "default")
    assert f'the object\'s metadata "project" is "{name}"; expected letters, digits,' in plain(notice["message"])


def test_a_misspelled_project_refuses_the_drop_and_the_command_has_the_right_name(belt: Belt) -> None:
    """Otherwise the run would be on the account of nobody."""
    notice = belt.finish(belt.upload(drop_of(1), metadata={"Projekt": "research"}))
    assert 'unknown metadata "projekt"; did you mean "project"?' in plain(notice["message"])
    assert "--metadata project=research" in notice["message"]


def test_a_stack_that_requires_a_project_refuses_a_drop_without_one(belt: Belt) -> None:
    """The message says both ways to name it."""
    limit(belt)
    belt.clients.settings = replace(belt.clients.settings, require_project="yes")
    run = belt.upload(drop_of(1), "inbox/x.jsonl")
    notice = belt.finish(run)
    assert (notice["status"], belt.receipt(run)["code"]) == ("refused", "no-project")
    assert "the drop names no project, and the stack requires one" in plain(notice["message"])
    assert "inbox/<project>/" in notice["message"]
    assert '--metadata \'{"project": "<project>"}\'' in notice["message"]
    assert dropped(belt, "inbox/team-a/x.jsonl")["problem"] is None
    assert dropped(belt, "inbox/y.jsonl", "research")["problem"] is None


@pytest.mark.parametrize("required", ["yes", "no"])
def test_a15_a_run_that_began_with_unreadable_limits_keeps_their_fault(belt: Belt, required: str) -> None:
    """A15: it is on no project's account, and not refused for that, since the fault is the administrator's."""
    limit(belt, b'{"projects": {"team-a": {"usd": 1}}}')
    belt.clients.settings = replace(belt.clients.settings, require_project=required)
    run = dropped(belt, "inbox/team-a/x.jsonl", "team-a")
    assert (run["project"], run["problem"]) == ("default", None)
    (fault,) = run["config_faults"]
    assert fault.startswith('config/budgets.json: projects.team-a: unknown field "usd"')


def test_a_run_keeps_the_project_with_which_it_began(belt: Belt) -> None:
    """Limits may change while it waits; its objects and its messages have one name."""
    limit(belt)
    event = belt.drop(drop_of(1), "inbox/team-a/x.jsonl")
    run = belt.submit(event)["run"]
    limit(belt, b"{}")
    belt.submit(event)
    assert belt.fact(run, "run.json")["project"] == "team-a"


def test_lines_that_are_sent_again_stay_with_the_project_that_metadata_named(belt: Belt) -> None:
    """The command copies the metadata of the file."""
    belt.provider.configure(outcomes={"1": "errored:api_error"})
    run = belt.upload(request("a"), metadata={"project": "research"})
    belt.finish(run)
    retry = belt.s3.head_object(Bucket=belt.bucket, Key=f"failures/three/{run}/retry.jsonl")
    assert retry["Metadata"]["project"] == "research"
    other = belt.upload(request("b"), "inbox/other.jsonl")
    belt.finish(other)
    assert (
        "project" not in belt.s3.head_object(Bucket=belt.bucket, Key=f"failures/other/{other}/retry.jsonl")["Metadata"]
    )


def test_a_drop_that_cannot_be_read_belongs_to_its_folder(belt: Belt) -> None:
    """Its refusal is told to those who hear of the project."""
    limit(belt)
    event = belt.drop(drop_of(1), "inbox/team-a/x.jsonl")
    version = event["detail"]["object"]["version-id"]
    belt.s3.delete_object(Bucket=belt.bucket, Key="inbox/team-a/x.jsonl", VersionId=version)
    notice = belt.finish(belt.submit(event)["run"])
    assert (notice["status"], notice["project"]) == ("refused", "team-a")


@pytest.mark.parametrize("prefix", ["control/{run}/", "control/research/{run}/"])
def test_a37_a_run_obeys_commands_for_it_and_for_it_in_its_project(belt: Belt, prefix: str) -> None:
    """A37: IAM can grant the second prefix by project."""
    belt.provider.configure(seconds=3600)
    run = belt.upload(drop_of(2), metadata={"project": "research"})
    belt.s3.put_object(Bucket=belt.bucket, Key=f"{prefix.format(run=run)}cancel", Body=b"stop")
    assert belt.finish(run)["status"] == "stopped"


def test_a37_a_run_ignores_commands_for_it_in_another_project(belt: Belt) -> None:
    """A37: else whoever may control one project could control all runs."""
    belt.provider.configure(seconds=3600)
    run = belt.upload(drop_of(2), metadata={"project": "research"})
    for project in ("team-b", "default"):
        belt.s3.put_object(Bucket=belt.bucket, Key=f"control/{project}/{run}/cancel", Body=b"stop")
    assert belt.finish(run)["status"] == "completed"
