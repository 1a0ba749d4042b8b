"""One browser for all tests of a process, and a window for each look."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

from tests.pages.browser import Look, NoChromium, Opened, browser, chromium, window

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGES = Path(os.environ.get("PAGES", ".pages"))
"""Where the page of every sample was written: `python -m tests.support.page_samples FOLDER`."""
SAMPLES = sorted(file.stem for file in PAGES.glob("*.html"))


class Looking(Protocol):
    """Opens the page of a sample in the window of a look. `is_changed`: whether a test changes what is there."""

    def __call__(self, sample: str, look: Look, *, is_changed: bool = False) -> Opened:
        """Return the window."""


@pytest.fixture(scope="session")
def looking() -> Iterator[Looking]:
    """Return what opens the page of a sample, in the window of a look."""
    windows: dict[Look, Opened] = {}
    with ExitStack() as stack:
        started = stack.enter_context(browser())

        def look_at(sample: str, look: Look, *, is_changed: bool = False) -> Opened:
            if look not in windows:
                windows[look] = stack.enter_context(window(started, look))
            return windows[look].show((PAGES / f"{sample}.html").resolve(), is_changed=is_changed)

        yield look_at


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let a test that names a sample run for each."""
    if "sample" in metafunc.fixturenames:
        metafunc.parametrize("sample", SAMPLES, scope="session")  # all tests of a sample follow each other


def pytest_sessionstart() -> None:
    """End at once where there is nothing to look at, or nothing to look with."""
    try:
        chromium()
    except NoChromium as error:
        pytest.exit(str(error), pytest.ExitCode.USAGE_ERROR)
    if not SAMPLES:
        pytest.exit(f"There is no page in {PAGES}: type make pages", pytest.ExitCode.USAGE_ERROR)
