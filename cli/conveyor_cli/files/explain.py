"""Errors on the way of a run's files, for a person who wants to have them."""

from collections.abc import Iterator
from contextlib import contextmanager

from conveyor.ledger.run_facts import Run
from conveyor.s3.bucket import ObjectReplaced
from conveyor_cli.aws.errors import PASSES, explained
from conveyor_cli.trouble import Trouble

GOES_ON = "What has arrived is kept: the same command goes on where it stopped."
ON_THE_WAY = PASSES | {"aws-refused", "credentials-expired"}
"""Codes of errors after which the same command can go on."""


@contextmanager
def explained_for(run: Run) -> Iterator[None]:
    """Raise a Trouble for each error of AWS in the block. `run`: whose files are read."""
    try:
        with explained():
            yield
    except ObjectReplaced as error:
        name = str(error).rpartition("/")[2]
        message = f"{name} was replaced while it was fetched"
        raise Trouble("replaced", message, "The same command fetches the new one.") from error
    except Trouble as trouble:
        if trouble.code == "not-allowed":
            raise _denied(trouble, run) from trouble
        raise


def _denied(trouble: Trouble, run: Run) -> Trouble:
    return Trouble(
        trouble.code,
        trouble.message,
        f'The run is of project "{run.project}", and its files are under results/{run.name}/.',
        'The policy "dropper" lets people read what is in the folder of the project that their tag "project" names: '
        "ask the administrator of the stack.",
    )
