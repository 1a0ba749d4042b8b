"""`conveyor use`: choose the stack of all later commands."""

import shlex

import click

from conveyor.wording.marks import Mark
from conveyor_cli.commands.options import known_stacks, with_look
from conveyor_cli.screen.screen import Screen
from conveyor_cli.stacks import profiles
from conveyor_cli.stacks.chosen import Choice, find


@click.command(short_help="Choose the stack to use from now on.")
@click.argument("stack", shell_complete=known_stacks)
@click.option("--region", metavar="REGION", help="The Region of the stack; by default that of your AWS profile.")
@with_look
@click.pass_obj
def use(screen: Screen, stack: str, region: str | None) -> None:
    """Choose the stack to use from now on, by its name in CloudFormation.

    What it needs to know of the stack is kept on this machine. No secret is among it.
    """
    profile = find(Choice(stack, region), is_fresh=True).profile
    file = profiles.use(profile)
    bucket = profile.outputs["BucketName"]
    if screen.look.json:
        of = {"stack": profile.stack, "region": profile.region, "account": profile.account}
        screen.json(**of, bucket=bucket, file=str(file))
        return
    screen.verdict(
        Mark.OK,
        f"{profile.stack} in {profile.region}, account {profile.account}, is used from now on",
        "Another stack for once: --stack NAME. The local one: --local.",
    )
    screen.line()
    screen.line(f"  bucket   {bucket}")
    screen.line(f"  kept in  {shlex.quote(str(file))}")
