"""`conveyor drop --retry` and `--again`: what is in the bucket already is dropped once more."""

from conveyor.domain.drop import AGAIN, RETRY_OF
from tests.support.belt import Belt, drop_of
from tests.support.command import Command
from tests.support.desk_drops import Reaction


def test_the_lines_of_a_run_that_are_worth_it_are_dropped_again(
    conveyor: Command, reaction: Reaction, belt: Belt
) -> None:
    """Beside the drop, with its settings; options come first, and the new run knows whose lines it has."""
    run, data = ended(conveyor, reaction, belt, {"1": "expired", "3": "expired"}, "--on-invalid", "skip", "--hold")
    dry, ran = (conveyor.call("drop", "--retry", "tickets", "--max-usd", "9", *more) for more in (["--dry-run"], []))
    assert (dry.exit, len(reaction.runs)) == (0, 2)
    words = "2 lines that are worth sending again of tickets"
    assert dry.out == f"✓ Dry run: {words} would be dropped\n  Nothing was copied.\n"
    assert (ran.exit, ran.error, ran.out.splitlines()[0]) == (0, "", f"✓ Copied      {words}")
    assert ran.out.splitlines()[1] == "  It waits for an approval, by its settings: metadata hold=always."
    assert belt.read("inbox/tickets-retry.jsonl").splitlines() == [data.splitlines()[0], data.splitlines()[2]]
    told = belt.fact(reaction.runs[1], "run.json")["drop"]["metadata"]
    assert (told["on-invalid"], told["hold"], told["max-usd"], told[RETRY_OF]) == ("skip", "always", "9", run)
    again = conveyor.call("drop", "--retry", "tickets")
    assert again.exit == 3, "the same lines are paid for once"
    assert "✗ Refused: the same bytes under this key are run" in again.out


def test_a_run_without_such_lines_and_one_that_has_not_ended(conveyor: Command, reaction: Reaction, belt: Belt) -> None:
    """Nothing is copied, and the reason is said."""
    ended(conveyor, reaction, belt, {})
    ran = conveyor.call("drop", "--retry", "tickets")
    assert (ran.exit, ran.out) == (2, "")
    assert ran.error.startswith("✗ tickets has no lines that are worth sending again\n")
    (conveyor.home / "more.jsonl").write_bytes(drop_of(1))
    assert conveyor.call("drop", "more.jsonl").exit == 0
    ran = conveyor.call("drop", "--retry", "more")
    assert (ran.exit, ran.error.splitlines()[0]) == (2, "✗ more has not ended")
    assert conveyor.call("drop", "--retry", "tickts").error.startswith('✗ No run "tickts"; did you mean "tickets"?')


def test_the_drop_of_a_run_is_dropped_again_with_its_settings(
    conveyor: Command, reaction: Reaction, belt: Belt
) -> None:
    """The very version, without the file; each time with another word that permits it."""
    first, data = ended(conveyor, reaction, belt, {}, "--default-max-tokens", "7")
    (conveyor.home / "tickets.jsonl").unlink()
    (conveyor.home / first).mkdir()  # its files were fetched
    belt.s3.put_object(Bucket=belt.bucket, Key="inbox/tickets.jsonl", Body=b"another")
    runs = [conveyor.call("drop", "--again", called, "--hold").exit for called in (first, first)]
    assert runs == [0, 3], "the same word for the same content counts once"
    given = [belt.fact(run, "run.json")["drop"]["metadata"] for run in reaction.runs]
    assert next(each for each in given if AGAIN in each) == {"default-max-tokens": "7", "hold": "always", AGAIN: first}
    assert belt.read("inbox/tickets.jsonl") == data


def ended(
    conveyor: Command, reaction: Reaction, belt: Belt, outcomes: dict[str, str], *options: str
) -> tuple[str, bytes]:
    """Drop a file of three lines whose run ends with some outcomes; return its id and the file."""
    belt.provider.configure(outcomes=outcomes)
    data = drop_of(3)
    (conveyor.home / "tickets.jsonl").write_bytes(data)
    assert conveyor.call("drop", "tickets.jsonl", *options).exit == 0
    run = reaction.runs[-1]
    if "--hold" in options:
        belt.s3.put_object(Bucket=belt.bucket, Key=f"control/{run}/approve-1", Body=b"no-limit")
    belt.finish(run)
    return run, data
