"""The page of a run: complete HTML without any script. It loads Jinja2, so only what writes a page may import it.

No text of somebody else stands in an attribute, an address, a class or the title: in the content of elements every
string goes through `seen.visible`. What could still slip through can do nothing, by the policy in the page's head.
Sources: https://www.w3.org/TR/CSP3/ and https://jinja.palletsprojects.com/en/stable/api/.
"""

import re
from base64 import b64encode
from functools import cache
from hashlib import sha256
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from conveyor.domain import keys
from conveyor.ledger.failure_counts import LONGEST_ID, LONGEST_WORDS
from conveyor.page import charts, histogram, words
from conveyor.page.data import Report, report_of
from conveyor.page.seen import command, label, unbroken, visible, whole
from conveyor.receipt.receipt import Receipt
from conveyor.wording import numbers
from conveyor.wording.console import Console
from conveyor.wording.text import counted, sentence

FOLDER = Path(__file__).parent
"""With the templates and the style sheet."""
_NOT_OF_A_NAME = re.compile(r"[^A-Za-z0-9._/-]")
"""Of a run: such characters are in no name that this version gives."""


def page_of(receipt: Receipt, console: Console = Console("")) -> str:  # noqa: B008  # a constant
    """Return the page of a run, to be stored as UTF-8. `console`: for links into it; by default there are none."""
    report = report_of(receipt)
    style = (FOLDER / "style.css").read_text()
    hashed = b64encode(sha256(style.encode()).digest()).decode()
    return _environment(FOLDER).get_template("page.html.j2").render(
        report=report,
        style=Markup(style),  # noqa: S704 - a file of ours
        style_hash=hashed,
        title=f"{words.title_of(report)}: {_NOT_OF_A_NAME.sub('_', report.name)}",
        links=_links(report, console),
        axis=histogram.axis_of(report.answers.lengths) if report.answers else None,
    )  # fmt: skip


def _links(report: Report, console: Console) -> list[tuple[str, str]]:
    results, failures = keys.outputs(report.name, report.run)
    pages = [
        ("Results in the S3 console", console.prefix(report.bucket, results)),
        ("Failures in the S3 console", console.prefix(report.bucket, failures)),
        ("Execution in the Step Functions console", console.run()),
    ]
    return [(text, address) for text, address in pages if address]


@cache
def _environment(folder: Path) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(folder / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters |= {
        "command": command,
        "label": label,
        "whole": whole,
        "unbroken": unbroken,
        "id": lambda text: visible(text, kept=LONGEST_ID),
        "words": lambda text: visible(text, kept=LONGEST_WORDS),
        "n": numbers.number,
        "usd": numbers.money,
        "usd_up": numbers.rounded_up,
        "usd_about": numbers.forecast,
        "size": numbers.size,
        "span": numbers.span,
        "sentence": sentence,
    }
    environment.globals |= {"charts": charts, "histogram": histogram, "words": words, "share": numbers.share}
    environment.globals |= {"counted": counted}
    for name in environment.list_templates(filter_func=_is_template):
        environment.get_template(name)  # which keeps it
    return environment


def _is_template(name: str) -> bool:
    """Tell a template from what an editor or a file manager leaves beside it."""
    return name.endswith(".html.j2") and not name.startswith(".")


def _shown(value: object) -> object:
    """Make strings safe wherever a template writes one."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


_environment(FOLDER)  # now, since a copy of a process that has loaded this module need not do so again
