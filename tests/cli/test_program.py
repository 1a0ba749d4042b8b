"""The command as a program: exit codes, streams, and what a terminal shows."""

import json

import pytest

from conveyor import __version__
from conveyor_cli.exits import EXITS
from tests.support.command import Command
from tests.support.memory_aws.served import Served

RED, GREEN, BOLD = "\x1b[31m", "\x1b[32m", "\x1b[1m"
NO_STACK = ("use", "conveyer")
NOBODY = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}


@pytest.mark.slow
def test_it_says_its_version(conveyor: Command) -> None:
    """That is what a bug report needs first."""
    assert conveyor.run("--version") == (0, f"conveyor {__version__}\n", "")


def test_the_help_lists_every_exit_code(conveyor: Command) -> None:
    """A script that uses the command finds them there."""
    ran = conveyor.call("--help")
    assert ran.exit == 0
    assert [line for code, means in EXITS.items() if (line := f"{code:>3}  {means}") not in ran.out] == []


def test_without_a_command_the_help_is_shown(conveyor: Command) -> None:
    """It is no result, so it goes to stderr."""
    ran = conveyor.call()
    assert (ran.exit, ran.out) == (2, "")
    assert ran.error.startswith("Usage: conveyor")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["runz"], "✗ No such command 'runz'"),
        (["use"], "✗ Missing argument 'STACK'"),
        (["use", "conveyor", "--frob"], "✗ No such option '--frob'"),
        (["use", "conveyor", "--color", "blue"], "✗ Invalid value for '--color': 'blue' is not one of"),
    ],
)
def test_wrong_usage(conveyor: Command, arguments: list[str], told: str) -> None:
    """Nothing is asked of AWS, and the help is named."""
    ran = conveyor.call(*arguments)
    assert (ran.exit, ran.out) == (2, "")
    assert ran.error.startswith(told)
    assert ran.error.endswith(" --help\n")


def test_an_error_as_json(conveyor: Command) -> None:
    """Programs read its code; also of wrong arguments."""
    ran = conveyor.call("use", "conveyor", "--frob", "--json")
    text = "No such option '--frob'. Nothing was changed."
    assert json.loads(ran.error) == {
        "v": 1, "error": {"code": "usage", "message": text, "type": "conveyor use --help"},
    }  # fmt: skip


def test_without_credentials(conveyor: Command) -> None:
    """It says where it looked, and what to type."""
    ran = conveyor.call("use", "conveyor", **NOBODY)
    assert (ran.exit, ran.out) == (8, "")
    assert ran.error == (
        "✗ No AWS credentials found\n"
        "  Looked in the environment, ~/.aws and the instance. Nothing was changed; runs go on without you.\n"
        "    aws sso login --profile <profile>\n"
    )


def test_without_a_network(conveyor: Command) -> None:
    """It says whom it asked."""
    ran = conveyor.call("use", "conveyor", AWS_ENDPOINT_URL="http://127.0.0.1:9")
    assert (ran.exit, ran.out) == (8, "")
    assert ran.error == (
        "✗ AWS does not answer\n"
        "  Asked http://127.0.0.1:9/: check the network, the proxy, and the name of the Region. "
        "Nothing was changed; runs go on without you.\n"
    )


def test_an_aws_profile_that_does_not_exist(conveyor: Command) -> None:
    """It is named."""
    ran = conveyor.call("use", "conveyor", AWS_PROFILE="wrok", **NOBODY)
    assert ran.exit == 8
    assert ran.error.startswith('✗ No AWS profile "wrok"\n')


def test_without_a_region(conveyor: Command) -> None:
    """It says how to name one."""
    ran = conveyor.call("use", "conveyor", AWS_DEFAULT_REGION="")
    assert (ran.exit, ran.error.splitlines()[0]) == (8, "✗ No Region is known")


@pytest.mark.slow
def test_ctrl_c(conveyor: Command, aws: Served) -> None:
    """It ends at once, without a traceback."""
    aws.stall("DescribeStacks")
    try:
        ran = conveyor.interrupted(aws.stalled, "use", "conveyor")
    finally:
        aws.goes_on.set()
    assert (ran.exit, ran.out, ran.error.strip()) == (130, "", "")


@pytest.mark.slow
def test_a_terminal_has_colours_and_its_width(conveyor: Command) -> None:
    """The mark's colour repeats its shape; no line is wider than the terminal, but commands can be copied whole."""
    ran = conveyor.in_terminal("use", "conveyor", columns=80, **NOBODY)
    assert ran.exit == 8
    assert ran.out.startswith(f"{RED}✗\x1b[0m {BOLD}No AWS credentials found\x1b[0m\n")
    assert ran.plain.splitlines() == [
        "✗ No AWS credentials found",
        "  Looked in the environment, ~/.aws and the instance. Nothing was changed; runs",
        "  go on without you.",
        "    aws sso login --profile <profile>",
    ]


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_terminal_without_colours(conveyor: Command, env: dict[str, str]) -> None:
    """No code of a colour or a style is written."""
    ran = conveyor.call_in_terminal(*NO_STACK, columns=120, **env)
    assert ran.exit == 8
    assert ran.out.startswith('✗ No stack "conveyer" in us-east-1')
    assert "\x1b" not in ran.out


def test_colours_can_be_asked_for_and_refused(conveyor: Command) -> None:
    """An option comes before the environment."""
    assert conveyor.call("use", "conveyor", "--color", "always", NO_COLOR="1").out.startswith(f"{GREEN}✓")
    assert "\x1b" not in conveyor.call_in_terminal("use", "conveyor", "--color=never").out


@pytest.mark.slow
@pytest.mark.parametrize("locale", [{"LANG": "C"}, {"LANG": ""}, {"LC_ALL": "de_DE.ISO-8859-1"}])
def test_a_locale_without_utf8_gets_ascii(conveyor: Command, locale: dict[str, str]) -> None:
    """What cannot be shown is an escape."""
    ran = conveyor.run("use", "größe", **locale)
    assert ran.error.startswith('x No stack "gr\\xf6\\xdfe" in us-east-1')
    assert ran.error.isascii()


def test_ascii_can_be_asked_for(conveyor: Command) -> None:
    """For terminals that promise more than they can show."""
    ran = conveyor.call("use", "conveyor", "--ascii")
    assert ran.out.startswith("+ conveyor in us-east-1")
    assert ran.out.isascii()


def test_what_was_typed_cannot_move_the_cursor(conveyor: Command) -> None:
    """Control and bidi characters are shown as escapes, on both streams."""
    ran = conveyor.call("use", "a\x1b[2Jb\u202ec")
    assert ran.error.startswith('✗ No stack "a\\x1b[2Jb\\u202ec" in')


def test_a_defect_has_no_traceback_but_in_a_file(conveyor: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is written only if that is asked for, and named."""
    monkeypatch.setattr("conveyor_cli.stacks.profiles.place", lambda: 1 // 0)
    plain, debug = (conveyor.call("use", "conveyor", *more) for more in ((), ("--debug",)))
    assert (plain.exit, debug.exit) == (8, 8)
    assert plain.error.startswith("✗ The command has a defect (ZeroDivisionError)\n")
    (file,) = [word.rstrip(".") for word in debug.error.split() if word.startswith("/")]
    with open(file) as written:  # noqa: PTH123 - the name as it was shown
        assert "ZeroDivisionError: integer division or modulo by zero" in written.read()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(conveyor: Command, shell: str) -> None:
    """A script asks the command for completions."""
    ran = conveyor.call("completion", shell)
    assert ran.exit == 0
    assert f"_CONVEYOR_COMPLETE={shell}_complete" in ran.out


@pytest.mark.slow
def test_stacks_that_were_chosen_are_completed(conveyor: Command) -> None:
    """AWS is not asked."""
    conveyor.call("use", "conveyor")
    asks = {"_CONVEYOR_COMPLETE": "bash_complete", "COMP_WORDS": "conveyor use co", "COMP_CWORD": "2"}
    assert conveyor.run(**asks).out == "plain,conveyor\n"
