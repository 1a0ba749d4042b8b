"""Runs that go on by themselves while a test waits for them."""

from __future__ import annotations

import time
from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.belt import Belt
    from tests.support.desk_drops import Reaction


@contextmanager
def going_on(belt: Belt, reaction: Reaction) -> Iterator[None]:
    """Take one step of each run that was dropped, again and again, for the length of the block."""
    is_over, failed = Event(), list[BaseException]()

    def work() -> None:
        ended = set[str]()
        try:
            while not is_over.is_set():
                for run in sorted(set(reaction.runs) - ended):
                    if belt.advance(run):
                        ended.add(run)
                time.sleep(0.02)
        except BaseException as error:  # noqa: BLE001 - raised in the test
            failed.append(error)

    thread = Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
    if failed:
        raise failed[0]
