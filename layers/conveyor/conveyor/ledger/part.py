"""The account of a batch whose results are split: outcomes, usage, and output files."""

from datetime import datetime
from decimal import Decimal

import msgspec

from conveyor.answers.lengths import Lengths
from conveyor.answers.stop_reasons import Stops
from conveyor.domain.outcome import Outcome
from conveyor.domain.output_file import OutputFile
from conveyor.ledger.fact import BatchFact
from conveyor.ledger.failure_counts import ErrorKind
from conveyor.money.usage import Usage


class Tokens(msgspec.Struct):
    """What the results of one model used, and its price in US dollars; null if the price of the model is unknown."""

    usage: Usage
    cost_usd: Decimal | None
    costs: dict[str, Decimal] = {}
    """By kind of token or tool (`money.price.Kind`). Empty in parts written by earlier versions."""


class Answer(msgspec.Struct, frozen=True):
    """What became of one line of the probe: facts from which the rest of the drop is judged."""

    line: int
    """Of the drop."""
    outcome: Outcome
    error: str = ""
    """The type of the error, of a failure."""
    will_recur: bool = False
    """Whether the same request would fail again for the same reason."""
    stop: str = ""
    """Why the answer ended (`answers.stop_reasons`)."""
    input_usd: Decimal | None = None
    """What its prompt cost; null if the price of the model is unknown."""
    output_usd: Decimal | None = None
    """What else it cost."""


class Part(BatchFact, frozen=True):
    """`part.json`: the account of one batch."""

    KIND = "part"
    STATE_FIELD = "parted"

    writer: str
    at: datetime
    outcomes: dict[str, int]
    retryable: int
    foreign: int
    """Result lines that belong to no request of this batch, or do not name their request."""
    repeated: int
    """Duplicate result lines; the first one for a request counts."""
    tokens: dict[str, Tokens]
    files: list[OutputFile]
    ended_at: datetime | None
    unaccounted: list[int] = msgspec.field(default_factory=list)
    """Lines that have a result and are in no output; the first thousand."""
    ordered: bool = True
    """False if the results were too large for the disk, and are in the order in which they came."""
    repaired: int = 0
    """Results with invalid characters that were replaced; the original lines are in `aside.jsonl`."""
    unreadable: int = 0
    """Failures whose result line holds no response that could be delivered; it is in `aside.jsonl`, too."""
    causes: dict[str, int] = msgspec.field(default_factory=dict)
    """Failures that are not due to their request, by what a person must fix first (`domain.refusal.Cause`)."""
    gone: str | None = None
    """Why the drop could no longer be read when this was written: outcomes are under line numbers then."""
    stop_reasons: Stops = msgspec.field(default_factory=dict)
    """Responses by model and stop reason. Empty in parts written by earlier versions."""
    answers: list[Answer] = msgspec.field(default_factory=list)
    """The outcome of each line, for a batch of the probe."""
    lengths: dict[str, Lengths] = msgspec.field(default_factory=dict)
    """Answers by model and output tokens. Empty in parts written by earlier versions."""
    errors: dict[str, ErrorKind] = msgspec.field(default_factory=dict)
    """Failures by the type of their error. Their texts are kept apart; parts of earlier versions have them here."""
