"""`conveyor drop`: what is checked here, what is uploaded, and which run that becomes."""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from conveyor import __version__
from conveyor.ledger.run_facts import Run
from tests.support.belt import Belt, drop_of, request
from tests.support.command import Command
from tests.support.desk_drops import Reaction, deploy
from tests.support.memory_aws.served import Served

BAD = request("r-1") + b"\n" + request("r-1") + b"\n" + request("r-3", max_tokens=0) + b"\n" + request("r-4") + b"\n"


def write(conveyor: Command, data: bytes, name: str = "tickets.jsonl") -> Path:
    """Write a file in the user's folder."""
    path = conveyor.home / name
    path.write_bytes(data)
    return path


def test_a_good_file_becomes_a_run(conveyor: Command, reaction: Reaction, belt: Belt) -> None:
    """Each step is a line, and the last lines say how to follow the run."""
    write(conveyor, drop_of(3))
    ran = conveyor.call("drop", "tickets.jsonl")
    assert (ran.exit, ran.error) == (0, "")
    (run,) = reaction.runs
    lines = ran.out.splitlines()
    assert lines[0].startswith("✓ Checked     3 requests, 0 faults, 1 model  ")
    assert lines[1] == "✓ Estimated   at most $0.01"
    assert lines[2].startswith("✓ Uploaded    375 B")
    assert lines[3].startswith(f"✓ Started     {run}")
    assert lines[4:] == ["  Follow it with", f"    conveyor watch {run}"]
    assert belt.read("inbox/tickets.jsonl") == drop_of(3)
    assert Run.key(run) in belt.stored("runs/")


def test_a_file_with_faults_is_not_uploaded(conveyor: Command, reaction: Reaction, belt: Belt) -> None:
    """Its faults are shown, and the command that drops the other lines."""
    write(conveyor, BAD)
    ran = conveyor.call("drop", "tickets.jsonl", "--project", "support")
    assert (ran.exit, ran.error, belt.stored("inbox/")) == (3, "", [])
    assert "".join(f"{line.rstrip()}\n" for line in ran.out.splitlines()) == (
        "✗ Not dropped: 2 of 4 lines are invalid\n"
        "  Nothing was sent or charged.\n"
        "\n"
        "  Line  Fault\n"
        '     2  "custom_id" is already used on line 1\n'
        '     3  "params.max_tokens" is the number 0; it must be an integer of at least 1\n'
        "\n"
        "  Drop the other 2 lines only\n"
        "    conveyor drop tickets.jsonl --project support --on-invalid skip\n"
    )
    assert conveyor.call("drop", "tickets.jsonl", "--project", "support", "--on-invalid", "skip").exit == 0
    assert len(reaction.runs) == 1


def test_all_faults_go_into_a_file_or_json(conveyor: Command, reaction: Reaction) -> None:
    """As in invalid.jsonl; a screen shows ten."""
    write(conveyor, b"".join(request(f"r-{number}", max_tokens=0) + b"\n" for number in range(30)) + drop_of(30))
    ran = conveyor.call("drop", "tickets.jsonl", "--json", "--faults", "faults.jsonl")
    told = json.loads(ran.out)
    written = [json.loads(line) for line in (conveyor.home / "faults.jsonl").read_text().splitlines()]
    assert (ran.exit, len(told["faults"]), len(written)) == (3, 30, 30)
    assert told["refused"]["code"] == "invalid-lines"
    assert {"line", "byte", "custom_id", "code", "message"} == written[0].keys()
    assert [each["message"] for each in written] == [each["message"] for each in told["faults"]]
    assert conveyor.call("drop", "tickets.jsonl").out.count("max_tokens") == 10
    assert reaction.runs == []


def test_a_dry_run_uploads_nothing(conveyor: Command, aws: Served, reaction: Reaction, belt: Belt) -> None:
    """It ends after the estimate. Nothing is written."""
    write(conveyor, drop_of(3))
    aws.asked.clear()
    ran = conveyor.call("drop", "tickets.jsonl", "--dry-run")
    assert (ran.exit, ran.error) == (0, "")
    assert ran.out.splitlines()[-1] == "✓ Dry run: nothing was uploaded, nothing was charged"
    assert aws.asked.keys() == {"DescribeStacks", "LIST"}
    assert (belt.stored("inbox/"), reaction.runs) == ([], [])


def test_a_drop_as_json(conveyor: Command, reaction: Reaction) -> None:
    """One object, with what was found and the run; what is uncertain is a note."""
    write(conveyor, gzip.compress(drop_of(3)), "tickets.jsonl.gz")
    ran = conveyor.call("drop", "tickets.jsonl.gz", "--project", "support", "--json")
    told = json.loads(ran.out)
    (run,) = reaction.runs
    assert (ran.exit, ran.error) == (0, "")
    assert {name: told[name] for name in ("v", "run", "name", "project", "key", "requests", "notes")} == {
        "v": 1, "run": run, "name": "support/tickets", "project": "support",
        "key": "inbox/support/tickets.jsonl.gz", "requests": 3, "notes": [],
    }  # fmt: skip
    assert float(told["at_most_usd"]) > 0


@pytest.mark.parametrize(("release", "theirs"), [("0.0.9", "release 0.0.9"), (None, "an older release")])
def test_another_release_is_named_before_the_file_is_judged(
    conveyor: Command, aws: Served, reaction: Reaction, release: str | None, theirs: str
) -> None:
    """It may judge otherwise; the drop goes on."""
    deploy(aws, release)
    write(conveyor, drop_of(1))
    ran = conveyor.call("drop", "tickets.jsonl")
    assert (ran.exit, len(reaction.runs)) == (0, 1)
    assert ran.error.splitlines()[0] == f"! conveyor is {theirs}, this command is {__version__}"
    (note,) = json.loads(conveyor.call("drop", "tickets.jsonl", "--dry-run", "--json").out)["notes"]
    assert note["code"] == "other-release"


def test_who_may_not_read_the_limits_is_told_and_goes_on(conveyor: Command, aws: Served, reaction: Reaction) -> None:
    """What is not known is no reason for the run to wait."""
    write(conveyor, drop_of(1))
    aws.refuse("LIST", 403, "AccessDenied")
    ran = conveyor.call("drop", "tickets.jsonl", "--dry-run")
    assert (ran.exit, reaction.runs) == (0, [])
    first = "! You may not read limits and prices: config/ cannot be listed (HTTP 403 AccessDenied)"
    assert ran.error.splitlines()[0] == first
    assert "approval" not in ran.out


def test_the_same_content_is_refused_at_once_and_runs_again_if_that_is_said(
    conveyor: Command, reaction: Reaction
) -> None:
    """It cannot be known before the upload. The word that permits it counts once, so each time another is used."""
    write(conveyor, drop_of(2))
    assert conveyor.call("drop", "tickets.jsonl").exit == 0
    ran = conveyor.call("drop", "tickets.jsonl")
    assert ran.exit == 3
    assert f"✗ Refused: the same bytes under this key are run {reaction.runs[0]} already\n" in ran.out
    assert ran.out.endswith("    conveyor drop tickets.jsonl --again\n")
    told = json.loads(conveyor.call("drop", "tickets.jsonl", "--json").out)
    assert (told["refused"]["code"], told["refused"]["run"]) == ("seen-before", reaction.runs[0])
    assert "conveyor approve" not in ran.out
    assert [conveyor.call("drop", "tickets.jsonl", "--again").exit for _ in range(2)] == [0, 0]


def test_the_same_content_as_that_of_a_run_that_waits_names_its_approval_first(
    conveyor: Command, reaction: Reaction
) -> None:
    """To pay again is not the only way on."""
    write(conveyor, drop_of(2))
    assert conveyor.call("drop", "tickets.jsonl", "--hold").exit == 0
    lines = conveyor.call("drop", "tickets.jsonl").out.splitlines()
    approve = lines.index(f"    conveyor approve {reaction.runs[0]} --yes")
    assert lines[approve - 1] == "  To let that run go on"
    assert approve < lines.index("    conveyor drop tickets.jsonl --again")
    assert conveyor.call("approve", reaction.runs[0], "--yes", "--no-limit").exit == 0


def test_drops_of_one_second_have_words_of_their_own(
    conveyor: Command, aws: Served, reaction: Reaction, belt: Belt
) -> None:
    """Their ids have no order, and each may permit one more only."""
    moment = datetime.now(UTC)
    aws.memory.s3.buckets[belt.bucket].now = lambda: moment
    write(conveyor, drop_of(2))
    assert [conveyor.call("drop", "tickets.jsonl", "--again").exit for _ in range(6)] == [0] * 6
    assert len({run.partition("-")[0] for run in reaction.runs}) == 1


def test_a_drop_is_followed_to_its_end(conveyor: Command, aws: Served, reaction: Reaction, belt: Belt) -> None:
    """The exit code is that of the run, also of what is dropped again."""
    belt.provider.configure(outcomes={"2": "expired"})
    write(conveyor, drop_of(3))
    ended = set[str]()

    def end() -> None:
        for run in set(reaction.runs) - ended:
            ended.add(run)
            belt.finish(run)

    aws.reactions["LIST"] = end
    ran = conveyor.call("drop", "tickets.jsonl", "--watch")
    assert ran.exit == 1
    assert "Follow it with" not in ran.out
    assert ran.out.splitlines()[4].startswith("◆ ")


LIMITS = {"projects": {"support": {"usd_per_drop": "0.001", "models": ["other"]}}}


def test_limits_of_a_project_are_said_before_the_upload(conveyor: Command, reaction: Reaction, belt: Belt) -> None:
    """Why it would wait for an approval, in the words of the gate."""
    belt.s3.put_object(Bucket=belt.bucket, Key="config/budgets.json", Body=json.dumps(LIMITS))
    write(conveyor, drop_of(9))
    shown = conveyor.call("drop", "tickets.jsonl", "--project", "support", "--dry-run").out
    assert "  It waits for an approval: it may cost up to $0.01, and a drop of the project" in shown
    assert '  It waits for an approval: the project "support" may not use claude-haiku-4-5 (models).' in shown
    assert (conveyor.call("drop", "tickets.jsonl", "--dry-run").out.count("approval"), reaction.runs) == (0, [])


def test_a_sample_that_goes_first_is_said(conveyor: Command, aws: Served, reaction: Reaction) -> None:
    """And the amount above which its forecast waits."""
    deploy(aws, ProbeAbove="5", HoldAboveUsd="100")
    write(conveyor, drop_of(9))
    shown = conveyor.call("drop", "tickets.jsonl", "--dry-run").out
    assert "  A sample of 9 requests is answered before the rest is sent.\n" in shown
    assert "  A forecast above $100.00 waits for an approval.\n" in shown
    assert "sample" not in conveyor.call("drop", "tickets.jsonl", "--dry-run", "--no-probe").out
    assert reaction.runs == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["-"], "✗ A drop is read more than once, so it cannot come from a pipe"),
        (["none.jsonl"], "✗ No file none.jsonl"),
        (["."], "✗ . is a folder"),
        (["tickets.jsonl", "--max-usd", "0"], '✗ the object\'s metadata "max-usd" is "0"; expected US dollars'),
        (["tickets.jsonl", "--max-usd", "5,00"], '✗ --max-usd: "5,00" has a comma: write US dollars as 1234.50\n'),
        (["tickets.jsonl", "--max-usd", "twenty"], "✗ --max-usd: the value is no amount: write US dollars as 1234.50"),
        (["tickets.jsonl", "--project", "a b"], '✗ the object\'s metadata "project" is "a b"; expected letters'),
        (["tickets.jsonl", "--betas", "X Y"], '✗ the object\'s metadata "betas" is "X Y"; expected names'),
        (["tickets.jsonl", "--name", "._x.jsonl"], "✗ The stack ignores files named ._x.jsonl"),
        (["tickets.jsonl", "--name", "../x"], '✗ "../x.jsonl" cannot be the name of a drop'),
        (["tickets.jsonl", "--name", "ä" * 512], "✗ The name is too long"),
        (["x" * 1000, "--again"], '✗ No run "xxx'),
        (["tickets.jsonl", "--faults", "tickets.jsonl"], "✗ --faults would overwrite the file itself\n"),
        (["tickets.jsonl", "--faults", "./tickets.jsonl"], "✗ --faults would overwrite the file itself\n"),
    ],
)
def test_wrong_usage_uploads_nothing(conveyor: Command, reaction: Reaction, arguments: list[str], told: str) -> None:
    """Exit code 2, in one sentence."""
    write(conveyor, drop_of(1))
    ran = conveyor.call("drop", *arguments)
    assert (ran.exit, ran.out, reaction.runs) == (2, "", [])
    assert ran.error.startswith(told)
    assert (conveyor.home / "tickets.jsonl").read_bytes() == drop_of(1)


def test_an_upload_that_is_denied(conveyor: Command, aws: Served, reaction: Reaction, belt: Belt) -> None:
    """It says where a dropper may write, and that nothing runs."""
    write(conveyor, drop_of(1))
    aws.refuse("PUT", 403, "AccessDenied")
    ran = conveyor.call("drop", "tickets.jsonl")
    assert (ran.exit, belt.stored("inbox/"), reaction.runs) == (8, [], [])
    assert ran.error.startswith("✗ tickets.jsonl was not uploaded: Not allowed: s3:PutObject\n")
    assert "Name yours with --project PROJECT." in ran.error
    assert "No run begins, and nothing is charged." in ran.error


def test_a_stack_that_does_not_react(
    conveyor: Command, aws: Served, reaction: Reaction, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is there, so it must not be dropped again."""
    monkeypatch.setattr("conveyor_cli.drops.started.LONGEST_WAIT", 0.1)
    aws.reactions.clear()
    write(conveyor, drop_of(1))
    ran = conveyor.call("drop", "tickets.jsonl")
    assert ran.exit == 8
    assert ran.error.startswith("✗ The file is uploaded, and the stack has not reacted within 0 s\n")
    assert "Do not drop the file again." in ran.error
    assert reaction.runs == []
