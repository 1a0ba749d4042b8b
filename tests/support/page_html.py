"""A page of HTML, read by a strict parser."""

import re
from collections.abc import Iterator
from functools import cache
from xml.etree.ElementTree import Element

import html5lib

from conveyor.page.page import page_of
from conveyor.receipt.receipt import Receipt
from conveyor.wording.console import Console
from tests.support.page_samples.samples import SAMPLES, sample
from tests.support.receipts import EVERY

PAGES = list(EVERY | SAMPLES)
"""Names of receipts: every way to end, and every block of a page."""
CONSOLE = "https://eu-central-1.console.aws.amazon.com/"
EXECUTION = "arn:aws:states:eu-central-1:111122223333:execution:conveyor-run:run-1"


def receipt_of(name: str) -> Receipt:
    """Return the receipt of a name."""
    return sample(name) if name in SAMPLES else EVERY[name]


@cache
def written(name: str) -> str:
    """Return the page of a receipt, by its name."""
    return page_of(receipt_of(name), Console(EXECUTION))


@cache
def parsed(name: str) -> Element:
    """Return the page of a receipt; any error of HTML is raised."""
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    root = parser.parse(written(name))
    assert isinstance(root, Element)
    return root


def tag(element: Element) -> str:
    """Return the name of an element, without its namespace."""
    return re.sub(r"\{.*\}", "", str(element.tag))


def elements(name: str, *tags: str) -> Iterator[Element]:
    """Yield the elements of a page, in order; of some names only, if there are any."""
    return (each for each in parsed(name).iter() if not tags or tag(each) in tags)


def text_of(element: Element) -> str:
    """Return the text of an element."""
    return " ".join("".join(element.itertext()).split())


def section(name: str, key: str) -> str:
    """Return the text of a section; empty if the page has none."""
    return next((text_of(each) for each in elements(name, "section") if each.get("id") == key), "")
