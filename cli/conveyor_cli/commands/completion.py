"""`conveyor completion`: what a shell needs to complete commands, options and stacks."""

import click
from click.shell_completion import get_completion_class

from conveyor_cli.commands.options import with_look
from conveyor_cli.screen.screen import Screen
from conveyor_cli.trouble import Trouble

_SHELLS = ("bash", "zsh", "fish")
_VARIABLE = "_CONVEYOR_COMPLETE"


@click.command(short_help="Print the completion script of a shell.")
@click.argument("shell", type=click.Choice(_SHELLS))
@with_look
@click.pass_obj
def completion(screen: Screen, shell: str) -> None:
    """Print the completion script of a shell, to be sourced: eval "$(conveyor completion bash)"."""
    maker = get_completion_class(shell)
    if maker is None:
        raise Trouble("no-completion", f"There is no completion for {shell}")
    script = maker(click.get_current_context().find_root().command, {}, "conveyor", _VARIABLE).source()
    if screen.look.json:
        screen.json(shell=shell, script=script)
    else:
        click.echo(script)
