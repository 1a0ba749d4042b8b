"""What a person wants of a run that goes on, said by an object whose name is all that counts."""

from typing import NamedTuple

from conveyor.s3.bucket import Bucket
from conveyor.wording.numbers import number
from conveyor_cli.commands.decisions.asking import ask, show
from conveyor_cli.runs.desk import Going, Requests, going
from conveyor_cli.screen.screen import Screen


class Wish(NamedTuple):
    """A pause or a stop, and what becomes of the requests."""

    word: str
    """What a person types."""
    to: str
    """Completes "Type <word> to …"."""
    key: str
    """The name of the object."""
    under_way: str
    unsent: str


def say(screen: Screen, bucket: Bucket, found: Going, wish: Wish, *, is_said: bool) -> None:
    """Show what becomes of the requests, ask, and write the object. Raises Trouble unless the person agrees.

    `is_said`: whether `--yes` was given.
    """
    if not screen.look.json:
        counts = found.requests
        screen.verdict(found.state.mark, f"{found.run.name}: {found.state.words}")
        show(
            screen,
            [
                ("with the provider", number(counts.under_way), f"requests: {wish.under_way}"),
                *unknown_row(counts),
                ("not sent", number(counts.unsent), f"requests: {wish.unsent}"),
                ("done", number(counts.done), "requests: are kept"),
            ],
        )
    ask(screen, wish.word, wish.to, is_said=is_said)
    if not is_said:
        going(bucket, found.run.run)  # it may have ended since it was shown
    bucket.put(found.control(wish.key), f"{wish.word}\n".encode())


def unknown_row(counts: Requests) -> list[tuple[str, str, str]]:
    """Return the row of requests of which it is not known whether they were sent, if there are any."""
    said = "requests: may be with the provider, and charged; it is not known yet"
    return [("unknown", number(counts.unknown), said)] if counts.unknown else []
