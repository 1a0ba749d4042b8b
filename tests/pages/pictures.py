"""Take the pictures of the docs: `python -m tests.pages.pictures PAGES FOLDER`, of the pages in the first folder."""

from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pypdfium2 as pdfium
from PIL import Image

from tests.pages.browser import DARK, LIGHT, PHONE, PRINT, Opened, browser, window
from tests.support.page_samples.marked import PICTURED

if TYPE_CHECKING:
    from collections.abc import Iterator

README = "failures"
"""The run of which the README shows the first screen."""
_TOP = {"width": 1200, "height": 1000}
_STEP = 255 / 31
"""Between two values of red, green or blue."""
_HIGHEST = 5200
"""Pixels of a picture: what is below is left out."""
_SHEETS = 3
"""Sheets of paper in one picture, at most."""
_PER_POINT = 1.25
"""Pixels for a point of paper."""
_GAP = 16


def take(pages: Path, folder: Path) -> Iterator[Path]:
    """Take all pictures, and yield their files."""
    folder.mkdir(parents=True, exist_ok=True)
    with browser() as started:
        for look in (LIGHT, DARK, PHONE):
            with window(started, look) as opened:
                for name in PICTURED:
                    picture = whole(_show(opened, pages, name))
                    yield write(picture, folder / f"report-{name}-{look.name}.png")
                if look is LIGHT:
                    top = _show(opened, pages, README).page
                    top.set_viewport_size(_TOP)
                    yield write(_opened(top.screenshot()), folder / "report.png")
        with window(started, PRINT) as opened:
            for name in PICTURED:
                _show(opened, pages, name)
                data = opened.page.pdf(format="A4", prefer_css_page_size=True, print_background=False)
                yield write(_sheets(data), folder / f"report-{name}-print.png")


def _show(opened: Opened, pages: Path, name: str) -> Opened:
    return opened.show((pages / f"{name}.html").resolve(), is_changed=True)


def whole(opened: Opened) -> Image.Image:
    """Return the page from its top to its end, or to the most that a picture shows."""
    picture = _opened(opened.page.screenshot(full_page=True, animations="disabled"))
    return picture.crop((0, 0, picture.width, min(picture.height, _HIGHEST)))


def _sheets(data: bytes) -> Image.Image:
    """Return the first sheets of paper, side by side."""
    document = pdfium.PdfDocument(data)
    sheets = [page.render(scale=_PER_POINT).to_pil() for page, _ in zip(document, range(_SHEETS), strict=False)]
    width = sum(sheet.width for sheet in sheets) + _GAP * (len(sheets) + 1)
    together = Image.new("RGB", (width, sheets[0].height + 2 * _GAP), "#d8dbe0")
    for at, sheet in enumerate(sheets):
        together.paste(sheet, (_GAP + at * (sheet.width + _GAP), _GAP))
    return together


def _opened(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data)).convert("RGB")


def write(picture: Image.Image, path: Path) -> Path:
    """Write a picture small, with the colours that it has in a palette."""
    fewer = picture.point([round(round(value / _STEP) * _STEP) for value in range(256)] * 3)
    colours = fewer.getcolors(256)
    palette = Image.new("P", (1, 1))
    palette.putpalette([value for _, colour in colours or () for value in colour])
    few = fewer.quantize(palette=palette, dither=Image.Dither.NONE) if colours else fewer.quantize(256)
    few.save(path, optimize=True)
    return path


if __name__ == "__main__":
    written = list(take(Path(sys.argv[1]), Path(sys.argv[2])))
    size = sum(path.stat().st_size for path in written)
    print(f"{len(written)} pictures in {sys.argv[2]}, {size / 1000:,.0f} kB")
