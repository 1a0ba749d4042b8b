"""Which stack a command is about: the local one, a named one, or the one in use."""

import os
from pathlib import Path
from typing import NamedTuple

from conveyor.s3.bucket import Bucket
from conveyor_cli.aws.account import Account, StackFound
from conveyor_cli.aws.versions import Versions
from conveyor_cli.exits import Exit
from conveyor_cli.stacks import profiles
from conveyor_cli.stacks.local import NAME, local_environment, local_file
from conveyor_cli.stacks.profiles import Profile
from conveyor_cli.trouble import Trouble


class Choice(NamedTuple):
    """What a person chose by options."""

    stack: str | None = None
    region: str | None = None
    is_local: bool = False


class ChosenStack(NamedTuple):
    """A stack, and the way to it."""

    profile: Profile
    bucket: Bucket


def find(choice: Choice, *, is_fresh: bool = False) -> ChosenStack:
    """Return the stack of a command. Raises Trouble.

    What was found by `conveyor use` is not asked for again. `is_fresh`: but for that command itself.
    """
    if choice.is_local:
        return _local(choice)
    known = profiles.read()
    kept = known.stacks.get(choice.stack) if choice.stack else known.current
    if kept and not is_fresh and choice.region in {None, kept.region}:
        account = Account(kept.region, kept.aws_profile)
        return ChosenStack(kept, account.bucket(kept.outputs["BucketName"]))
    if not choice.stack:
        raise Trouble(
            "no-stack-chosen",
            "No stack was chosen" if not kept else f"{kept.stack} is in {kept.region}, not in {choice.region}",
            *(["A local stack is up here: to use it, add --local."] if local_file(Path.cwd()) else []),
            "Choose the stack to use from now on. Its name stands in the console of CloudFormation.",
            commands=("conveyor use STACK --region REGION",),
            exit_code=Exit.USAGE,
        )
    account = Account(choice.region)
    return _opened(account, account.stack(choice.stack))


def find_deployed(choice: Choice) -> ChosenStack:
    """Return the stack of a command as it is deployed now: it may have been updated since it was chosen."""
    profile = find(choice).profile
    account = Account(profile.region, profile.aws_profile)
    stack = account.stack(profile.stack)
    if stack.account != profile.account:
        raise Trouble(
            "other-account",
            f"{profile.stack} was chosen in account {profile.account}, and your credentials are of {stack.account}",
            f"A stack of this name is there, too, and nothing was sent to it. Use credentials of {profile.account}, "
            "or choose the other stack:",
            commands=(f"conveyor use {profile.stack} --region {profile.region}",),
        )
    if stack.status.startswith("DELETE_"):
        message = f"{profile.stack} is being deleted, or was in part: its status is {stack.status}"
        raise Trouble("stack-deleted", message, "Nothing runs there any more. Nothing was uploaded.")
    return _opened(account, stack)


def versions_of(chosen: ChosenStack) -> Versions:
    """Return all versions of a stack's objects."""
    return Account(chosen.profile.region, chosen.profile.aws_profile).versions(chosen.bucket.bucket)


def _local(choice: Choice) -> ChosenStack:
    """Find the local stack. Its environment becomes that of this process, as if its file had been sourced."""
    if choice.stack or choice.region:
        raise Trouble("usage", "--local takes neither --stack nor --region", exit_code=Exit.USAGE)
    os.environ.pop("AWS_PROFILE", None)
    os.environ.update(local_environment(Path.cwd()))
    account = Account(None)
    return _opened(account, account.stack(NAME))


def _opened(account: Account, found: StackFound) -> ChosenStack:
    profile = Profile(
        found.name,
        account.region,
        found.account,
        dict(found.outputs),
        dict(found.parameters),
        found.id,
        os.environ.get("AWS_PROFILE"),
    )
    return ChosenStack(profile, account.bucket(found.bucket))
