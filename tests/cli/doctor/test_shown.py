"""How findings look, what the exit code is, and what a check means that could not be made."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest
from botocore.exceptions import ClientError, NoCredentialsError

from conveyor_cli.doctor import show
from conveyor_cli.doctor.checks import bucket, functions, messages, policies, provider, runs, stack, uploads
from conveyor_cli.doctor.checkup import Check, Wish, checks, found_by
from conveyor_cli.doctor.finding import Finding, State, failed, ok, unasked
from conveyor_cli.exits import Exit
from conveyor_cli.screen.screen import Screen
from conveyor_cli.screen.terminal import Look
from conveyor_cli.trouble import Trouble
from tests.cli.doctor.judged import REGION, TOPIC
from tests.cli.doctor.test_checks import PROFILE, as_deployed, healthy, rule
from tests.support.examples import SETTINGS

PROJECT = Path(__file__).parents[3]
DESK: Any = None
"""None of the looks here reads anything."""


def raising(error: Exception) -> Callable[[Any], NoReturn]:
    """Return a look at which an error is raised."""

    def look(_: Any) -> NoReturn:
        raise error

    return look


def refused(code: str, message: str = "", status: int = 400) -> ClientError:
    """Return an error response of AWS."""
    of = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(of, "GetBucketPolicy")  # type: ignore[arg-type] # what matters of a response


def test_a_check_that_is_not_allowed_names_the_permission() -> None:
    """It says nothing of the stack."""
    denied = refused("AccessDenied", "User: x is not authorized to perform: s3:GetBucketPolicy on resource: arn:y")
    finding = found_by(Check("bucket", raising(denied)), DESK)
    assert finding.state is State.UNSEEN
    assert finding.message == "not looked at: you may not s3:GetBucketPolicy on arn:y"


def test_any_other_error_of_aws_is_a_fault_of_the_stack() -> None:
    """The next check is made all the same."""
    finding = found_by(Check("bucket", raising(refused("NoSuchBucket"))), DESK)
    assert finding.state is State.FAILED
    assert "does not exist any more" in finding.message
    assert found_by(Check("x", raising(Trouble("any", "It is broken", "See."))), DESK).more == ("See.",)


@pytest.mark.parametrize("error", [NoCredentialsError(), refused("ExpiredToken"), refused("Busy", status=503)])
def test_what_is_wrong_at_the_desk_ends_the_command(error: Exception) -> None:
    """Each check would say the same."""
    with pytest.raises(Trouble):
        found_by(Check("bucket", raising(error)), DESK)


@pytest.mark.parametrize(
    ("findings", "code", "words"),
    [
        ([ok("a"), unasked("b")], Exit.DONE, "✓ conveyor: all is well"),
        ([ok("a"), failed("b")], Exit.SURROUNDINGS, "✗ conveyor: 1 of 2 checks failed: check-1"),
        (
            [ok("a"), Finding(State.UNSEEN, "b")],
            Exit.SURROUNDINGS,
            "! conveyor: nothing is wrong that was looked at; 1 check could not be made with your permissions",
        ),
        (
            [failed("a"), Finding(State.UNSEEN, "b")],
            Exit.SURROUNDINGS,
            "✗ conveyor: 1 of 2 checks failed: check-0; 1 check could not be made with your permissions",
        ),
    ],
)
def test_the_exit_code_is_0_only_if_all_is_well(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    findings: list[Finding],
    code: Exit,
    words: str,
) -> None:
    """A program must not take for well what nobody has looked at."""
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    named = [(f"check-{number}", finding) for number, finding in enumerate(findings)]
    assert show.end(Screen(Look()), "conveyor", named) is code
    assert capsys.readouterr().out.strip() == words
    assert show.end(Screen(Look(json=True)), "conveyor", named) is code
    written = json.loads(capsys.readouterr().out)
    assert (written["v"], written["stack"]) == (1, "conveyor")
    assert [each["state"] for each in written["checks"]] == [finding.state for finding in findings]


def test_a_finding_is_a_line_then_what_it_means_then_what_to_type(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command of ours is about the stack of the screen."""
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    screen = Screen(Look())
    screen.chosen = ("--local",)
    show.show(screen, "alarms", failed("one is on", "See the runbook.", commands=["conveyor runs", "aws x"]))
    assert capsys.readouterr().out.splitlines() == [
        "✗ alarms           one is on",
        "    See the runbook.",
        "    conveyor runs --local",
        "    aws x",
    ]


def test_the_page_shows_every_check_as_it_looks_when_all_is_well(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Word for word, in the order in which they are made."""
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    page = (PROJECT / "docs" / "command.md").read_text()
    (shown,) = re.findall(r"^```text doctor\n\$ conveyor doctor\n((?:.*\n)+?)```$", page, re.MULTILINE)
    rules = json.loads(re.findall(r"'(.*)'", bucket.lifecycle("b", REGION, as_deployed(), {}).commands[0])[0])
    arn = "arn:aws:sts::111122223333:assumed-role/operator/anna"
    subscribed = [{"SubscriptionArn": f"{TOPIC}:1", "Protocol": kind, "Endpoint": ""} for kind in ("email", "sqs")]
    names = [f"alarm-{number}" for number in range(14)]
    alarm = {"StateValue": "OK", "AlarmActions": [TOPIC]}
    accepted = {"provider": "accepted", "status": 200, "cause": None}
    pair = (policies.Expected({}), policies.Role("r", {}))
    four = {name: functions.Function(name, {"State": "Active"}, frozenset("1")) for name in "abcd"}
    found = {
        "credentials": stack.credentials("us-east-1", {"Account": "111122223333", "Arn": arn}),
        "stack": stack.stack(PROFILE, "CREATE_COMPLETE"),
        "parameters": ok("messages at https://api.anthropic.com"),
        "bucket": healthy(),
        "lifecycle": bucket.lifecycle("b", REGION, as_deployed(), rules),
        "bucket events": bucket.notifications("b", REGION, {"EventBridgeConfiguration": {}}),
        "upload rule": rule(),
        "functions": functions.functions(REGION, four, dict.fromkeys("abcd", "1")),
        "state machines": functions.machines({"Machine": {"status": "ACTIVE"}, "RedMachine": {"status": "ACTIVE"}}),
        "roles": policies.roles(REGION, dict.fromkeys("abcdefg", pair)),
        "log groups": functions.log_groups(REGION, dict.fromkeys("abcd", 30), dict.fromkeys("abcd", 30)),
        "quotas": functions.quotas(REGION, {"ConcurrentExecutions": 1000}),
        "delivery": uploads.delivery(REGION, "log", 120, 1.2),
        "limits, prices": stack.limits("b", (), 0),
        "secret": provider.secret(REGION, "conveyor/api-key", {"Name": "s"}),
        "provider": provider.provider(REGION, "conveyor/api-key", "submit", accepted),
        "messages": messages.subscriptions(REGION, TOPIC, subscribed),
        "alarms": messages.alarms(
            REGION, TOPIC, {name: messages.Alarm(name, {}) for name in names}, dict.fromkeys(names, alarm)
        ),
        "queues": messages.queues(REGION, dict.fromkeys("abc", ("url", 0))),
        "failed runs": runs.executions(REGION, [], 14),
        "runs in trouble": runs.troubles({}, 0, 0, 0),
        "alarm drill": messages.drill_unasked(),
    }
    assert [check.name for check in checks(Wish(1))] == list(found)
    assert stack.parameters(SETTINGS).message == f"messages at {SETTINGS.api_url}"
    screen = Screen(Look())
    for name, finding in found.items():
        show.show(screen, name, finding)
    show.show(screen, "end-to-end drop", unasked("not tried; add --drop (3 lines, less than $0.01)"))
    show.end(screen, "conveyor", list(found.items()))
    assert capsys.readouterr().out == shown


def test_make_passes_its_variables_on() -> None:
    """`make doctor` is the command, with the sources of the checkout."""
    typed = ["make", "-n", "doctor", "STACK=mine", "REGION=eu-central-1", "OPTIONS=--wait 10"]
    done = subprocess.run(typed, cwd=PROJECT, capture_output=True, text=True, check=True)  # noqa: S603 - a fixed command
    assert "-m conveyor_cli doctor --stack mine --region eu-central-1 --wait 10" in done.stdout
