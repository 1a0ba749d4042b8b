"""What a person decides about a paid call whose response was lost: `adopt <batch id>`, or `submit again`.

The message about an undecided run, the desk and the run itself use the same words.
"""

from typing import NamedTuple

from conveyor.domain.dialect import is_batch_id
from conveyor.domain.schedule import BatchName
from conveyor.wording import commands

IF_THIS = "If this batch belongs to the run, and its results are yours:"
IF_ANY = "If a batch belongs to the run:"
IF_NONE = "If no batch belongs to the run; this pays again if you are mistaken:"
OTHER_REQUESTS = "its results answer other requests"
OTHER_RUN = "it belongs to another run"
UNKNOWN_BATCH = "the batch that the decision names"
"""In place of an id that the provider does not know."""


class Adopt(NamedTuple):
    """The attempt created this batch."""

    batch_id: str

    @property
    def words(self) -> str:
        """What a person writes."""
        return f"{commands.ADOPT} {self.batch_id}"


class SubmitAgain(NamedTuple):
    """The attempt created no batch: pay for another."""

    words: str = commands.SUBMIT_AGAIN


class Unclear(NamedTuple):
    """Text that is neither."""

    reason: str


type Release = Adopt | SubmitAgain | Unclear


def read_release(key: str, text: str) -> Release:
    """Read `adopt <batch id>` or `submit again`. `key`: where it is written, for the reason if it is neither."""
    match text.split():
        case [commands.ADOPT, batch_id] if is_batch_id(batch_id):
            return Adopt(batch_id)
        case words if words == commands.SUBMIT_AGAIN.split():
            return SubmitAgain()
        case _:
            return Unclear(f'{key} says neither "adopt <batch id>" nor "submit again"')


def in_doubt(name: BatchName) -> str:
    """Return what is not known of a batch, and what follows from that."""
    return (
        f"the response to the create request for {name} was lost, so it is unknown whether the batch exists. "
        "Until that is known, nothing more is paid."
    )


def not_adopted(batch_id: str, problem: str) -> str:
    """Return why a batch that a person names cannot be the run's. `problem`: as `OTHER_RUN`."""
    return f"{batch_id} cannot be adopted: {problem}"
