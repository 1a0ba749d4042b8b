"""Messages of a topic, as the local stack returns them."""

from __future__ import annotations

from conveyor.domain.status import STATUSES
from local.paths import EXPORTS
from local.stack.messages import NON_FINAL_STATUSES, Message


def test_a_message_about_a_run_that_continues_is_not_final() -> None:
    """The core's statuses that are not final are those after which the demo keeps waiting."""
    assert sorted(NON_FINAL_STATUSES) == sorted(status for status, fields in STATUSES.items() if not fields.is_final)
    assert not Message("", "", {"status": "troubled"}).is_final
    assert Message("", "", {"status": "completed"}).is_final


def test_commands_in_a_mail_are_about_the_stack_beside_which_they_are_typed() -> None:
    """Without `--local` they would be about a stack that somebody has chosen, or none; AWS CLI, about an account."""
    of_aws = (
        "Approve it:\n    conveyor approve r-1\n\n    aws s3 ls\nconveyor is a command:\n    conveyor stop 'a b'\n"
        "    echo 'adopt aws 1' | aws s3 cp - s3://b/k\naws is a command"
    )
    here = of_aws.replace("approve r-1", "approve r-1 --local").replace("'a b'", "'a b' --local")
    for command in ("aws s3 ls", "echo 'adopt"):
        here = here.replace(f"    {command}", f"    . {EXPORTS} && {command}")
    assert Message("", of_aws, {}).text_here == here
