"""The command line of a deployment; `make deploy` types it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NoReturn

import click

from deployment.deploy import deploy
from deployment.screen import Screen
from deployment.trouble import FAILED, Trouble
from deployment.wish import Wish


def _pairs(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    """Read `Name=value`; several may be in one text, separated by blanks, as in the variable PARAMETERS of make."""
    words = [word for text in given for word in text.split()]
    wrong = [word for word in words if not word.partition("=")[1]]
    if wrong:
        raise click.BadParameter(f'"{wrong[0]}" is not Name=value')
    return dict(word.split("=", 1) for word in words)


@click.command(context_settings={"auto_envvar_prefix": "CONVEYOR_DEPLOY", "show_default": False})
@click.option("--stack", metavar="NAME", help="The name of the stack.")
@click.option("--region", help="Its Region.")
@click.option("--email", metavar="ADDRESS", help="Who gets messages; empty for nobody.")
@click.option("--secret", metavar="NAME", help="The secret that holds the provider's key.")
@click.option("--workspace", metavar="ID", help="Without a key: the workspace of Claude Platform on AWS.")
@click.option(
    "--parameter", "parameters", metavar="NAME=VALUE", multiple=True, callback=_pairs, help="Of the template."
)
@click.option("--settings", type=click.Path(dir_okay=False, path_type=Path), help="In place of deployments/NAME.toml.")
@click.option("--built", type=click.Path(exists=True, file_okay=False, path_type=Path), help="A build that exists.")
@click.option("--yes", is_flag=True, help="Deploy without asking.")
@click.option("--accept-loss", is_flag=True, help="With --yes: also if something in the stack is lost.")
@click.option("--doctor/--no-doctor", default=True, help="Whether to check what is deployed, at the end.")
def _command(**given: object) -> None:
    """Deploy a stack of Conveyor. What is not given is read from deployments/NAME.toml, or asked."""
    sys.exit(_run(Wish(**given)))  # type: ignore[arg-type]  # the options are the fields


def _run(wish: Wish) -> int:
    """Deploy, and say a trouble in plain lines."""
    screen = Screen()
    try:
        return deploy(wish, screen)
    except Trouble as trouble:
        for line in trouble.lines:
            click.echo(line, err=True)
        for command in ("", *trouble.commands) if trouble.commands else ():
            click.echo(f"    {command}" if command else "", err=True)
        return trouble.code
    except click.Abort:  # Ctrl-C or Ctrl-D at a question, all of which come before CloudFormation begins
        click.echo("\nStopped. Nothing was deployed.", err=True)
        return FAILED
    except KeyboardInterrupt:
        click.echo("\nStopped. What CloudFormation has begun goes on.", err=True)
        return FAILED


def main() -> NoReturn:
    """Run the command as it was typed, and exit."""
    _command(prog_name="make deploy")
    raise AssertionError("the command exits")


if __name__ == "__main__":
    main()
