"""The faults of one line with given params."""

from pathlib import Path
from typing import Any

from conveyor.domain.dialect import Dialect
from conveyor.domain.findings import Fault
from conveyor.jsonl.lines import Line, read_lines
from conveyor.validation.params import Rules
from conveyor.validation.rules import Request, read_request
from tests.support.drops import MESSAGES, line

REPORTS = Path(__file__).parents[1] / "data" / "reports"


def problems(dialect: Dialect = MESSAGES, /, **changes: Any) -> list[tuple[str, str]]:
    """Return code and message of each fault of a line with these params."""
    raw = line("a", **changes)
    result = read_request(Line(1, 0, len(raw), raw), Rules(dialect, 16))
    return [] if isinstance(result, Request) else [(fault.code, fault.message) for fault in result]


def codes(**changes: Any) -> list[str]:
    """Return only the codes."""
    return [code for code, _ in problems(**changes)]


def faults_of(data: bytes, rules: Rules | None = None) -> list[Fault]:
    """Return all faults of a drop."""
    results = [read_request(one, rules or Rules(MESSAGES, 16)) for one in read_lines([data])]
    return [fault for result in results if not isinstance(result, Request) for fault in result]
