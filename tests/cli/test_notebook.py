"""The call from Python: what it returns, what it raises, and that docs/python.md is right."""

import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

import conveyor_cli
from conveyor_cli import Held, Refused, Run, Stack, Trouble
from tests.support.background import going_on
from tests.support.belt import Belt, drop_of, request
from tests.support.command import SOURCES, Command
from tests.support.desk_drops import Reaction
from tests.support.memory_aws.served import Served

PAGE = (Path(__file__).parents[2] / "docs" / "python.md").read_text()
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def stack(reaction: Reaction, conveyor: Command, monkeypatch: pytest.MonkeyPatch, aws: Served) -> Stack:
    """Return the stack in use, whose submit function reacts to uploads; this process is in the user's folder."""
    assert reaction.runs == []
    for name, value in conveyor.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
    monkeypatch.chdir(conveyor.home)
    return Stack()


@pytest.fixture
def going(stack: Stack, belt: Belt, reaction: Reaction) -> Iterator[Stack]:
    """Return the same stack, whose runs go on by themselves."""
    with going_on(belt, reaction):
        yield stack


def dropped(stack: Stack, data: bytes = drop_of(3), project: str | None = None, *, hold: bool = False) -> Run:
    """Drop a file."""
    Path("labels.jsonl").write_bytes(data)
    return stack.drop("labels.jsonl", project=project, hold=hold)


def ended(run: Run) -> Run:
    """Wait for the end of a run."""
    return run.wait(60, every=0.05)


def test_a_file_is_dropped_waited_for_and_read(going: Stack) -> None:
    """The results are dicts in the order of the drop, and the verdict is the command's."""
    run = ended(dropped(going, project="team-a"))
    assert (run.name, run.project, run.state) == ("team-a/labels", "team-a", "completed")
    assert [each["custom_id"] for each in run.results()] == ["r-1", "r-2", "r-3"]
    assert list(run.failures()) == []
    assert run.verdict is not None
    assert (run.verdict.status, run.verdict.exit, run.verdict.as_json["results"]) == ("completed", 0, 3)
    assert run.receipt["run"] == run.run
    fetched = {path.name for path in run.fetch("here").iterdir()}
    assert fetched == {"failures.jsonl", "receipt.json", "report.html", "results.jsonl"}
    (listed,) = going.runs(since=timedelta(days=1))
    assert (listed.run, listed.state.words) == (run.run, "done")
    assert going.run("labels").run == run.run
    assert repr(run) == f"Run('team-a/labels', '{run.run}')"


def test_a_file_that_would_be_refused_raises_all_its_faults(stack: Stack, belt: Belt) -> None:
    """Nothing is uploaded. The text is that of the command."""
    bad = [request(f"r-{number}", max_tokens=0) + b"\n" for number in range(30)]
    with pytest.raises(Refused, match=r"^Not dropped: .*\. Nothing was sent or charged\.") as refused:
        dropped(stack, b"".join(bad))
    assert [fault.line for fault in refused.value.faults] == list(range(1, 31))
    assert belt.stored("inbox/") == []


def test_a_run_that_failed_raises_nothing(going: Stack, belt: Belt) -> None:
    """Its verdict tells. Content that ran before is refused by the stack."""
    ended(dropped(going))
    run = ended(dropped(going))
    assert run.verdict is not None
    assert (run.verdict.status, run.verdict.exit) == ("refused", 3)
    assert list(run.results()) == []
    assert belt.creates() == (1, 1)


def test_a_run_that_waits_raises_its_price_until_it_is_approved(going: Stack) -> None:
    """An amount must be named, and one that opens nothing is not written."""
    run = dropped(going, hold=True)
    with pytest.raises(Held, match="Held") as held:
        ended(run)
    assert held.value.exit_code == 4
    with pytest.raises(Trouble, match="would open nothing"):
        run.approve("0.000001")
    run.approve(Decimal(5))
    assert ended(run).state == "completed"
    with pytest.raises(Trouble, match="has ended"):
        run.approve(5)


def test_an_approved_run_is_waited_for_before_it_has_seen_the_approval(stack: Stack) -> None:
    """It looks once in a few minutes."""
    run = dropped(stack, hold=True)
    with pytest.raises(Held):
        ended(run)
    run.approve(5)
    with pytest.raises(TimeoutError):
        run.wait(0.2, every=0.05)


def test_a_run_that_is_not_over_in_time_goes_on(stack: Stack, belt: Belt) -> None:
    """Nothing is read of it before its end, and it can be stopped."""
    run = dropped(stack)
    with pytest.raises(TimeoutError, match=r"labels has not ended within 0\.2 s; it goes on"):
        run.wait(0.2, every=0.05)
    assert (run.state, run.verdict) == ("with the provider", None)
    with pytest.raises(Trouble, match="has not ended"):
        next(run.results())
    run.stop()
    belt.finish(run.run)
    assert ended(run).verdict is not None
    assert run.state == "stopped"


def test_while_aws_does_not_answer_it_waits_until_time_is_up(stack: Stack, aws: Served) -> None:
    """The reason is in the text."""
    run = dropped(stack)
    aws.refuse("LIST", 503, "SlowDown")
    with pytest.raises(TimeoutError, match="SlowDown"):
        run.wait(0.2, every=0.05)


def test_without_a_stack_it_says_what_to_type(conveyor: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """The text has it, as nobody prints the parts."""
    monkeypatch.setenv("HOME", str(conveyor.home))
    with pytest.raises(Trouble, match=r"No stack was chosen.*conveyor use STACK"):
        Stack()


@pytest.mark.slow
@pytest.mark.usefixtures("going")
def test_the_examples_of_the_page_run(capsys: pytest.CaptureFixture[str]) -> None:
    """One after the other, in one notebook."""
    Path("requests.jsonl").write_bytes(drop_of(3))
    Path("more.jsonl").write_bytes(drop_of(4))
    Path("broken.jsonl").write_bytes(drop_of(2) + b"{}\n")
    notebook = {"__name__": "notebook"}
    for example in EXAMPLES:
        exec(example, notebook)  # noqa: S102 - our own page
    said = capsys.readouterr().out
    assert said.startswith("r-1 [{")
    assert "\ncompleted 0\n" in said
    assert re.search(r"^3 ", said, re.MULTILINE)


def test_the_package_is_imported_quickly() -> None:
    """What takes long is imported when it is used; its names are known before."""
    code = "import sys, conveyor_cli; print(sorted({'boto3', 'rich', 'click', 'conveyor'} & set(sys.modules)))"
    asked = [sys.executable, "-c", code]
    said = subprocess.run(asked, env={"PYTHONPATH": SOURCES}, capture_output=True, text=True, check=True).stdout  # noqa: S603
    assert said == "[]\n"
    assert not hasattr(conveyor_cli, "nothing")
