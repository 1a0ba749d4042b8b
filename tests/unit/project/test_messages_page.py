"""`docs/messages.md` shows messages as the code words them now."""

from conveyor.wording.message import Event
from tests.support.example_mails import PAGE, mails, titles, written


def test_the_examples_are_what_the_code_says_now() -> None:
    """`python -m tests.support.example_mails` writes them."""
    page = PAGE.read_text()
    assert written(page) == page
    assert set(titles(page)) == set(mails())


def test_every_event_has_an_example() -> None:
    """A reader sees each before it comes."""
    assert {notice.data.event for notice in mails().values()} == set(Event)
