"""Amounts are read alike by all options, and in Python."""

import pytest

from conveyor_cli.amounts import read_amount
from conveyor_cli.notebook import Stack
from conveyor_cli.trouble import Trouble
from tests.support.belt import Belt, drop_of
from tests.support.command import Command
from tests.support.desk_drops import Reaction
from tests.support.gates import DEAR, HELD


@pytest.mark.parametrize(
    ("text", "amount"), [("61.40", "61.40"), ("$0.42", "0.42"), (" $20 ", "20"), ("0.000001", "0.000001")]
)
def test_an_amount_may_have_a_dollar_sign(text: str, amount: str) -> None:
    """As all screens show amounts."""
    assert read_amount("--up-to", text) == amount


@pytest.mark.parametrize("text", ["", "$", "20 USD", "$$5", "1,000.00", "sk-ant-1"])
def test_what_is_no_amount_is_refused_by_the_name_of_its_option(text: str) -> None:
    """A key that was pasted by mistake is not quoted."""
    with pytest.raises(Trouble, match=r"^--up-to: ") as raised:
        read_amount("--up-to", text)
    assert "sk-ant" not in str(raised.value)


def test_a_drop_takes_the_amount_that_a_screen_shows(conveyor: Command, reaction: Reaction, belt: Belt) -> None:
    """In Python, too."""
    (conveyor.home / "labels.jsonl").write_bytes(drop_of(3))
    assert conveyor.call("drop", "labels.jsonl", "--max-usd", "$20").exit == 0
    with conveyor.environment():
        Stack().drop("labels.jsonl", name="again", max_usd="$20")
    settings = [belt.fact(run, "run.json")["drop"]["metadata"] for run in reaction.runs]
    assert [each["max-usd"] for each in settings] == ["20", "20"]


def test_an_approval_takes_the_amount_that_a_screen_shows(conveyor: Command, belt: Belt) -> None:
    """In Python, too."""
    conveyor.call("use", "conveyor")
    first, second = (belt.upload(DEAR, f"inbox/{name}.jsonl", HELD) for name in ("first", "second"))
    assert conveyor.call("approve", first, "--yes", "--up-to", "$5").exit == 0
    with conveyor.environment():
        Stack().run(second).approve("$5")
    assert [belt.read(key) for key in belt.stored("control/")] == [b"up-to 5\n"] * 2
