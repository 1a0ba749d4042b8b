"""One browser for all tests of a process, and a window for each look."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.pages.browser import Look, Opened, browser, window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PAGES = Path(os.environ.get("PAGES", ".pages"))
"""Where the page of every sample was written: `python -m tests.support.page_samples FOLDER`."""
SAMPLES = sorted(file.stem for file in PAGES.glob("*.html"))

type Looking = Callable[[str, Look], Opened]


@pytest.fixture(scope="session")
def looking() -> Iterator[Looking]:
    """Return what opens the page of a sample, in the window of a look."""
    windows: dict[Look, Opened] = {}
    with ExitStack() as stack:
        started = stack.enter_context(browser())

        def look_at(sample: str, look: Look) -> Opened:
            if look not in windows:
                windows[look] = stack.enter_context(window(started, look))
            return windows[look].show((PAGES / f"{sample}.html").resolve())

        yield look_at


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let a test that names a sample run for each."""
    if "sample" in metafunc.fixturenames:
        metafunc.parametrize("sample", SAMPLES or [pytest.param("", marks=pytest.mark.usefixtures("no_samples"))])


@pytest.fixture
def no_samples() -> None:
    """Fail, since there is nothing to look at."""
    pytest.fail(f"there is no page in {PAGES}: type make pages")
