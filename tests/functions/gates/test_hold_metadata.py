"""What a drop asks for, in the commands and files that repeat it."""

import pytest

from conveyor.domain import keys
from tests.support.belt import Belt, drop_of, request
from tests.support.faults.scenes import commands
from tests.support.gates import HOLD
from tests.support.promises import plain
from tests.support.settings import STACK_SETTINGS

DATA = drop_of(3)


@pytest.fixture
def stack_settings() -> dict[str, str]:
    """Return the template's settings with fewer polls, since runs wait for days."""
    return STACK_SETTINGS | {"POLL_MIN_SECONDS": "600", "POLL_MAX_SECONDS": "900"}


def metadata_of(belt: Belt, key: str) -> dict[str, str]:
    """Return the metadata of an object."""
    found: dict[str, str] = belt.s3.head_object(Bucket=belt.bucket, Key=key)["Metadata"]
    return found


def test_what_is_sent_again_waits_for_an_approval_like_the_drop(belt: Belt) -> None:
    """Its owner wants to be asked before anything is paid."""
    belt.provider.configure(every={"1": "expired"})
    run = belt.upload(DATA, metadata={"hold": "always"})
    belt.s3.put_object(Bucket=belt.bucket, Key=f"control/{run}/approve-1", Body=b"approve")
    belt.finish(run)
    receipt = belt.receipt(run)
    assert receipt["retryable"] == 3, receipt["outcomes"]
    assert metadata_of(belt, keys.retry(receipt["name"], run))["hold"] == "always"


def test_what_is_sent_again_has_a_probe_or_none_as_its_drop_asked(belt: Belt) -> None:
    """A person who wanted no probe for a drop does not want one for what is left of it."""
    belt.provider.configure(every={"1": "expired"})
    run = belt.upload(DATA, metadata={"probe": "no"})
    belt.finish(run)
    assert metadata_of(belt, keys.retry(belt.receipt(run)["name"], run))["probe"] == "no"


def test_a_declined_drop_is_dropped_again_as_it_was(belt: Belt) -> None:
    """It waits again, and the message says so."""
    run = belt.upload(DATA, metadata={"hold": "always"})
    belt.pass_time(HOLD)
    end = belt.finish(run)
    (again,) = commands(end)
    assert "hold=always" in again
    assert "It waits for an approval again." in plain(end["message"])


@pytest.mark.parametrize(
    ("data", "metadata"),
    [
        (DATA + b"nonsense\n", {"dry-run": "yes"}),
        (DATA + b"nonsense\n", {"dry-run": "true"}),
        (b"", {"dry-run": "yes"}),
    ],
)
def test_a_command_for_a_dry_run_that_was_refused_says_that_it_only_estimates(
    belt: Belt, data: bytes, metadata: dict[str, str]
) -> None:
    """A person who types it expects what its sentence says; to pay instead is the worse surprise."""
    end = belt.finish(belt.upload(data, metadata=metadata))
    assert end["status"] == "refused"
    drops = [command for command in commands(end) if command.startswith("aws ")]
    assert drops
    assert all("dry-run=yes" in command for command in drops)
    assert "estimate it again" in plain(end["message"])
    assert "drop it again" not in plain(end["message"])
    assert "To send" not in plain(end["message"])


@pytest.mark.parametrize("metadata", [{"dry-run": "no"}, {"dry-run": "False"}, {"hold": "never"}, {"hold": "no"}])
def test_a_value_that_says_no_is_left_out_of_the_command(belt: Belt, metadata: dict[str, str]) -> None:
    """The contrary of what a person wrote must not be carried."""
    end = belt.finish(belt.upload(DATA, metadata=metadata))
    assert end["status"] == "refused"
    (again,) = commands(end)
    assert "dry-run" not in again
    assert "hold" not in again


@pytest.mark.parametrize(
    ("name", "right"),
    [("hold-always", "hold"), ("on-hold", "hold"), ("dryrun", "dry-run"), ("dry_run", "dry-run")],
)
def test_a_drop_that_was_probably_meant_to_wait_or_to_be_estimated_is_refused(
    belt: Belt, name: str, right: str
) -> None:
    """To send it would be to pay without having been asked."""
    end = belt.finish(belt.upload(request("r-1"), metadata={name: "always"}))
    assert f'did you mean "{right}"?' in plain(end["message"])
    assert belt.creates() == (0, 0)
