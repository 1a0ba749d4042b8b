"""`conveyor decide`: say what became of a paid call whose response was lost, if you know better than the run."""

from datetime import UTC, datetime
from shlex import quote
from typing import NamedTuple

import click

from conveyor.domain import keys
from conveyor.domain.schedule import BatchName
from conveyor.gates.release import IF_ANY, IF_NONE, IF_THIS, Adopt, SubmitAgain, Unclear, in_doubt, read_release
from conveyor.s3.bucket import Bucket
from conveyor.wording.marks import Mark
from conveyor.wording.numbers import age, money, number, rounded_up
from conveyor.wording.text import counted
from conveyor_cli.aws.errors import explained
from conveyor_cli.commands.decisions.asking import ask, show
from conveyor_cli.commands.named import warn_of_others
from conveyor_cli.commands.options import with_look, with_stack
from conveyor_cli.deciding.undecided import Candidate, Undecided, obstacle, undecided
from conveyor_cli.exits import Exit
from conveyor_cli.runs.desk import Going, going
from conveyor_cli.screen.screen import Screen
from conveyor_cli.stacks.chosen import Choice, find
from conveyor_cli.trouble import Trouble

_MOMENT = "%d %b %H:%M UTC"


class Given(NamedTuple):
    """What a person said by options."""

    run: str
    """As they called it."""
    release: Adopt | SubmitAgain | None
    yes: bool


@click.command(short_help="Decide for an undecided run: adopt a batch, or submit again.")
@click.argument("run")
@click.option("--adopt", metavar="ID", help="This batch at the provider belongs to the run.")
@click.option("--submit-again", is_flag=True, help="No batch exists: pay once more.")
@click.option("--batch", metavar="N", help="Only this batch, as 3 or probe/1.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_stack
@with_look
@click.pass_obj
def decide(  # noqa: PLR0913 - one for each option
    screen: Screen,
    *,
    run: str,
    adopt: str | None,
    submit_again: bool,
    batch: str | None,
    yes: bool,
    stack: str | None,
    region: str | None,
    local: bool,
) -> None:
    """Decide for an undecided run, named by its id, or the newest run of a name.

    The response to a paid call was lost, and the run does not know whether that call created a batch.
    """
    if adopt and submit_again:
        raise _wrong("usage", "--adopt and --submit-again exclude each other")
    given = Given(run, Adopt(adopt) if adopt else SubmitAgain() if submit_again else None, yes)
    bucket = find(Choice(stack, region, is_local=local)).bucket
    with explained():
        found = going(bucket, run)
        warn_of_others(screen, run, found.run, found.others)
        attempts = _meant(found, undecided(bucket, found, datetime.now(UTC)), batch)
        if given.release and len(attempts) > 1:
            names = ", ".join(str(each.name.to_event()) for each in attempts)
            raise _wrong("several", f"Several batches are undecided: say which with --batch ({names})")
        for attempt in attempts:
            _decide(screen, bucket, found, attempt, given)


def _meant(found: Going, attempts: list[Undecided], batch: str | None) -> list[Undecided]:
    """Return the attempts that are meant. Raises Trouble if there are none."""
    if not attempts:
        raise _wrong("not-undecided", f"{found.run.name} is not undecided; it is {found.state.words}")
    meant = [each for each in attempts if batch in {None, str(each.name.to_event())}]
    if not meant:
        names = ", ".join(str(each.name.to_event()) for each in attempts)
        raise _wrong("no-batch", f"Batch {batch} is not undecided; undecided: {names}")
    return meant


def _decide(screen: Screen, bucket: Bucket, found: Going, attempt: Undecided, given: Given) -> None:
    """Show an attempt, ask what became of it, and write that."""
    if not screen.look.json:
        _show(screen, found, attempt, given)
    release = given.release or _asked(screen)
    if release is None:
        screen.verdict(Mark.UNKNOWN, f"Left open: {attempt.name}", "The run keeps searching.")
        return
    _check(bucket, found, attempt, release)
    if given.release:
        ask(screen, "decide", f"write {release.words}", is_said=given.yes)
    for key in _places(bucket, found, attempt):
        bucket.put(key, f"{release.words}\n".encode())
    if screen.look.json:
        name = str(attempt.name.to_event())
        screen.json(run=found.run.run, done="decide", batch=name, attempt=attempt.number, words=release.words)
    else:
        screen.verdict(Mark.OK, f"Decided for {attempt.name}: {release.words}", _follows(release))


def _asked(screen: Screen) -> Adopt | SubmitAgain | None:
    """Ask for a decision; None if the person makes none. Raises Trouble for other words, and without a terminal."""
    if not screen.asks:
        raise _wrong("no-choice", "Without a question, --adopt ID or --submit-again must say what became of the call")
    said = click.prompt("Type adopt <batch id>, or submit again", default="", show_default=False, err=True).strip()
    release = read_release("your answer", said)
    if said and isinstance(release, Unclear):
        raise _wrong("not-confirmed", release.reason[:1].upper() + release.reason[1:])
    return None if isinstance(release, Unclear) else release


def _check(bucket: Bucket, found: Going, attempt: Undecided, release: Adopt | SubmitAgain) -> None:
    """Raise Trouble for a decision that the run would not follow, as far as that is known here."""
    if isinstance(release, Adopt):
        if isinstance(read_release("", release.words), Unclear):
            raise _wrong("no-batch-id", "--adopt needs the id of a batch, such as msgbatch_01HkcT")
        if problem := obstacle(bucket, found, attempt, release.batch_id):
            raise _wrong("not-adopted", problem)


def _places(bucket: Bucket, found: Going, attempt: Undecided) -> list[str]:
    """Return the keys to write: if two places say different things, the run follows neither."""
    of_run, of_project = keys.controls(found.run.run, found.run.project)
    other, own = of_run + attempt.release, of_project + attempt.release
    return [own] if bucket.find(other) is None else [own, other]


def _follows(release: Adopt | SubmitAgain) -> str:
    if isinstance(release, Adopt):
        return "The run takes it over at the next look, unless the provider or its results contradict."
    return "The run sends the batch once more at the next look, within a few minutes."


def _show(screen: Screen, found: Going, attempt: Undecided, given: Given) -> None:
    """Show an attempt, and what can be decided, with the words of the message about it."""
    name, now = attempt.name, datetime.now(UTC)
    in_words = in_doubt(name)
    screen.verdict(Mark.UNKNOWN, f"{found.run.name}: {found.state.words}", in_words[0].upper() + in_words[1:])
    cost = attempt.batch.at_most_usd
    twice = "at most, if you submit again and the batch exists" if cost else "no bound is known"
    show(
        screen,
        [
            (str(name), number(attempt.batch.requests), "requests"),
            ("since", f"{attempt.since:%d %b}", f"{attempt.since:%H:%M} UTC, {age(attempt.since, now)} ago"),
            ("paid twice", rounded_up(cost) if cost else money(cost), twice),
        ],
    )
    for candidate in attempt.candidates:
        screen.line(f"  {_of_candidate(candidate)}")
    if given.release is None:
        _show_choice(screen, attempt, given)


def _show_choice(screen: Screen, attempt: Undecided, given: Given) -> None:
    name = attempt.name
    of_leg = f" --batch {name.to_event()}" if name != BatchName("", 1) else ""
    typed = f"conveyor decide {quote(given.run)}{of_leg}"
    ids = [each.id for each in attempt.candidates] or ["ID"]
    screen.line(f"  {IF_THIS if attempt.candidates else IF_ANY}")
    for each in ids:
        screen.command(f"{typed} --adopt {quote(each)}")
    screen.line(f"  {IF_NONE}")
    screen.command(f"{typed} --submit-again")
    screen.line()


def _of_candidate(candidate: Candidate) -> str:
    size = counted(candidate.requests, "request") if candidate.requests else "not known how many requests"
    return f"{candidate.id}, created {candidate.created_at:{_MOMENT}}, {size}"


def _wrong(code: str, message: str) -> Trouble:
    return Trouble(code, message, "Nothing was changed.", exit_code=Exit.USAGE)
