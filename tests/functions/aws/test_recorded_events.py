"""Every file in events/ is a recorded event, and is passed to its function or rule."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from conveyor.domain.drop import Upload
from conveyor.poll.poll import poll
from conveyor.report.report import report
from conveyor.split.split import split as split_batch
from local.stack.local_aws import Aws
from tests.support import template
from tests.support.belt import Belt, drop_of

EVENTS = Path(__file__).parents[3] / "events"
UPLOADS = {
    "upload-put": "completed",
    "upload-multipart": "completed",
    "upload-copy": "completed",
    "upload-post": "completed",
    "upload-without-version": "completed",
    "upload-wrong-suffix": "refused",
    "upload-empty": "refused",
}
IGNORED = ("upload-folder",)
LOOP = ("loop-poll", "loop-submit", "loop-split", "loop-report")
RULES = ("execution-failed", "execution-timed-out", "execution-aborted")


def load(name: str) -> dict[str, Any]:
    """Read an event."""
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return event


def upload_here(name: str, belt: Belt) -> dict[str, Any]:
    """Put the object of an upload event in our bucket, and return the event with its bucket and version."""
    event = load(name)
    stored = event["detail"]["object"]
    event["detail"]["bucket"]["name"] = belt.bucket
    put = belt.drop(drop_of(2) if stored["size"] else b"", stored["key"])["detail"]["object"]
    if "version-id" in stored:
        stored["version-id"] = put["version-id"]
    return event


def test_every_event_is_used_by_a_test() -> None:
    """An unused sample would become outdated unnoticed."""
    assert {path.stem for path in EVENTS.glob("*.json")} == {*UPLOADS, *IGNORED, *LOOP, *RULES}


@pytest.mark.parametrize(("name", "status"), UPLOADS.items())
def test_an_upload_however_it_was_made_becomes_a_run(belt: Belt, name: str, status: str) -> None:
    """The key is used unchanged, since EventBridge does not encode it."""
    event = upload_here(name, belt)
    run = belt.submit(event)["run"]
    assert belt.finish(run)["status"] == status
    assert belt.receipt()["drop"]["key"] == event["detail"]["object"]["key"]


@pytest.mark.parametrize("name", IGNORED)
def test_folders_are_ignored(belt: Belt, name: str) -> None:
    """The console creates them as empty objects."""
    event = upload_here(name, belt)
    assert belt.submit(event) == {"ignored": event["detail"]["object"]["key"]}
    assert belt.stored("runs/") == []


def test_the_events_of_the_loop_complete_a_run(belt: Belt) -> None:
    """They are passed on as by the state machine."""
    run = belt.upload(drop_of(1))
    submitted, polled, split, reported = (
        function(load(f"loop-{name}") | {"run": run})
        for name, function in (
            ("submit", belt.submit),
            ("poll", lambda event: poll(event, belt.clients, belt.invocation())),
            ("split", lambda event: split_batch(event, belt.clients, belt.invocation())),
            ("report", lambda event: report(event, belt.clients, belt.invocation())),
        )
    )
    assert (submitted["next"], polled["next"], polled["batches"]) == ("wait", "split", [1])
    assert (split["status"], reported["status"]) == ("split", "completed")


def test_a_version_is_read_from_the_event_if_it_has_one() -> None:
    """Later versions of the same key are other drops."""
    assert Upload.from_event(load("upload-put")).version == "IYV3p45BT0ac8hjHg1houSdS1a.Mro8e"
    assert Upload.from_event(load("upload-without-version")).version is None


def matches(aws: Aws, pattern: dict[str, Any], event: dict[str, Any]) -> bool:
    """Whether EventBridge matches an event; references in the pattern are replaced by the event's values."""
    detail = pattern["detail"]
    for name in ("bucket", "stateMachineArn"):
        if name in detail:
            detail = detail | {
                name: {"name": [event["detail"][name]["name"]]} if name == "bucket" else [event["detail"][name]]
            }
    with closing(aws.client("events")) as events:
        call = {"EventPattern": json.dumps(pattern | {"detail": detail}), "Event": json.dumps(event)}
        result: bool = events.test_event_pattern(**call)["Result"]
    return result


def test_the_upload_rule_matches_every_upload_under_inbox(aws: Aws) -> None:
    """The function decides what to ignore, since uploads that the rule does not match are never reported."""
    pattern = template.resources("AWS::Events::Rule")["SubmitUpload"]["EventPattern"]
    for name in (*UPLOADS, *IGNORED):
        assert matches(aws, pattern, load(name)), name
    ours = load("upload-put")
    ours["detail"]["object"]["key"] = "results/articles/results.jsonl"
    assert not matches(aws, pattern, ours)


def test_the_rule_for_failed_runs_matches_every_failure(aws: Aws) -> None:
    """It does not match a success, which has its own message."""
    pattern = template.resources("AWS::Events::Rule")["RedRunRule"]["EventPattern"]
    for name in RULES:
        assert matches(aws, pattern, load(name)), name
    good = load("execution-failed")
    good["detail"]["status"] = "SUCCEEDED"
    assert not matches(aws, pattern, good)
