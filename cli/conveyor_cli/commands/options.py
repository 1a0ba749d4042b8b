"""The options of all commands."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from conveyor_cli.amounts import read_amount
from conveyor_cli.screen.screen import Screen
from conveyor_cli.screen.terminal import Colour
from conveyor_cli.stacks import profiles
from conveyor_cli.stacks.local import shell_file
from conveyor_cli.trouble import Trouble

type Decorated = Callable[..., Any]


class Amount(click.ParamType[str]):
    """An amount of US dollars, as `61.40` or `$61.40`."""

    name = "usd"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ARG002 - click's
        """Return the amount as the stack takes it. Raises Trouble."""
        return read_amount(param.opts[0] if param else self.name, str(value))


def known_stacks(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the name of a stack that was chosen before."""
    try:
        names = sorted(profiles.read().stacks)
    except Trouble:
        return []
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


_LOOK = (
    click.option("--json", "json_", is_flag=True, expose_value=False, help="Write JSON: one object, or one a line."),
    click.option(
        "--color",
        type=click.Choice([each.value for each in Colour]),
        expose_value=False,
        help="Use colours. By default where a terminal shows them, and NO_COLOR is not set.",
    ),
    click.option("--ascii", "ascii_", is_flag=True, expose_value=False, help="Write ASCII only."),
    click.option("--debug", is_flag=True, expose_value=False, help="Write the traceback of a defect to a file."),
)
"""Read before all others, by `Look.of`: they hold for errors in the arguments, too."""
_STACK = (
    click.option(
        "--stack",
        metavar="NAME",
        envvar="CONVEYOR_STACK",
        shell_complete=known_stacks,
        help="Use this stack for once, instead of the one in use.",
    ),
    click.option("--region", metavar="REGION", help="The Region of the stack."),
    click.option("--local", is_flag=True, help="Use the local stack that `make local` has left up."),
)


def with_look(command: Decorated) -> Decorated:
    """Give a command the options of how it looks."""
    return _with(_LOOK, command)


def with_stack(command: Decorated) -> Decorated:
    """Give a command the options that choose its stack: `stack`, `region` and `local`."""

    @wraps(command)
    def of_chosen(*arguments: Any, **given: Any) -> Any:  # noqa: ANN401 - the command's
        context = click.get_current_context()
        screen = context.ensure_object(Screen)  # main has made it
        screen.chosen = _typed_stack(context)
        screen.shell_file = shell_file(Path.cwd()) if given["local"] else ""
        return command(*arguments, **given)

    return _with(_STACK, of_chosen)


def _typed_stack(context: click.Context) -> tuple[str, ...]:
    """Return the options that choose the stack, as they were typed; none for what the environment says."""
    typed = {
        name: context.params[name]
        for name in ("stack", "region", "local")
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    }
    words = [(f"--{name}",) if value is True else (f"--{name}", str(value)) for name, value in typed.items() if value]
    return tuple(word for each in words for word in each)


def _with(options: tuple[Decorated, ...], command: Decorated) -> Decorated:
    for option in reversed(options):
        command = option(command)
    return command
