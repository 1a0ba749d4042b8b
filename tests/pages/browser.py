"""The system's Chromium, and pages as people have them before them."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self

from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Dialog, Page

_SCRIPTS = Path(__file__).parent / "scripts"
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
MISSING = """No Chromium was found (looked for {names}).
Install it, on Debian: apt-get install chromium
Or name one: make pages CHROMIUM=/path/to/chrome
"""


class Look(NamedTuple):
    """How somebody looks at a page."""

    name: str
    width: int = 1200
    height: int = 900
    scheme: Literal["light", "dark"] = "light"
    media: Literal["screen", "print"] = "screen"
    is_forced: bool = False
    """Whether the system replaces all colours, for contrast."""


LIGHT, DARK = Look("light"), Look("dark", scheme="dark")
PHONE, NARROW = Look("phone", 390, 844), Look("narrow", 320, 640, "dark")
TABLET = Look("tablet", 801, 1100)
"""The narrowest window with the columns of a wide one."""
PRINT, FORCED = Look("print", 794, 1123, media="print"), Look("forced", is_forced=True)
LOOKS = (LIGHT, DARK, PHONE, NARROW, PRINT)


class NoChromium(Exception):
    """There is no Chromium on this machine; the text says what to do."""


class Opened:
    """A window, and what the page in it has said and asked for."""

    def __init__(self, page: Page) -> None:
        """Listen from now on."""
        self.page = page
        self.said: list[str] = []
        """Messages of the console, errors, and dialogs."""
        self.requests: list[str] = []
        self._unchanged: Path | None = None
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("dialog", self._dismiss)
        page.on("request", lambda request: self.requests.append(request.url))

    def show(self, file: Path, *, is_changed: bool) -> Self:
        """Load a file unless it is there, and forget what was before. `is_changed`: whether the caller changes it."""
        if file == self._unchanged and not is_changed:
            return self
        self._unchanged = None if is_changed else file
        self.page.goto("about:blank")
        self.said.clear()
        self.requests.clear()
        self.page.goto(file.as_uri(), wait_until="load")
        return self

    def ask(self, script: str) -> Any:
        """Return what a script of `scripts/` finds."""
        return self.page.evaluate((_SCRIPTS / script).read_text(encoding="utf-8"))

    def _dismiss(self, dialog: Dialog) -> None:
        self.said.append(f"dialog: {dialog.message}")
        dialog.dismiss()


def chromium() -> str:
    """Return the path of the browser: that of the variable CHROMIUM, or one on the PATH. Raises NoChromium."""
    named = os.environ.get("CHROMIUM")
    found = shutil.which(named) if named else next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        raise NoChromium(MISSING.format(names=named or ", ".join(_NAMES)))
    return found


@contextmanager
def browser() -> Iterator[Browser]:
    """Start a browser with an empty profile, and end it."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=chromium(), args=_FLAGS, chromium_sandbox=os.geteuid() != 0
        )
        try:
            yield started
        finally:
            started.close()


@contextmanager
def window(started: Browser, look: Look, sharpness: float = 1) -> Iterator[Opened]:
    """Open a window, and close it when the block ends. `sharpness`: pixels of a picture for one of the page."""
    context = started.new_context(
        viewport={"width": look.width, "height": look.height},
        color_scheme=look.scheme,
        forced_colors="active" if look.is_forced else "none",
        device_scale_factor=sharpness,
        locale="en-US",
        timezone_id="UTC",
    )
    try:
        page = context.new_page()
        page.emulate_media(media=look.media)
        yield Opened(page)
    finally:
        context.close()
