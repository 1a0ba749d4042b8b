"""The batches a drop is cut into, and what validation found: `plan.jsonl`."""

from collections.abc import Iterator
from decimal import Decimal

import msgspec

from conveyor.domain import keys
from conveyor.domain.findings import Findings
from conveyor.domain.output_file import OutputFile
from conveyor.money.estimate import Estimate
from conveyor.money.prices import Prices

_encode = msgspec.json.Encoder(decimal_format="number").encode


class Skipped(msgspec.Struct, frozen=True):
    """An invalid line left out under `on-invalid=skip`: its id if it could be read, and its first fault."""

    line: int
    custom_id: str | int | None
    code: str
    message: str


class Batch(msgspec.Struct):
    """A contiguous range of a drop's lines; a line of `plan.jsonl` after the first."""

    number: int
    """Counted from 1."""
    first_line: int
    first_byte: int
    last_line: int = 0
    end_byte: int = 0
    """The offset after the last byte of the last line."""
    requests: int = 0
    defaulted: int = 0
    """Requests that got the default `max_tokens`."""
    body_bytes: int = 0
    skipped: list[Skipped] = []
    max_tokens: int = 0
    """The sum over its requests, which bounds the size of its results."""
    model: str = ""
    """The model, if all requests have the same."""
    unpacked: bool | None = None
    """Whether its byte range is of the unpacked drop. None in older plans: it follows from the drop's name there."""
    at_most_usd: Decimal | None = None
    """What it can cost at most; null if there is no bound."""
    nulled: int = 0
    """Requests with fields that are null. These fields are not sent."""
    probed: list[int] = []
    """Lines that are sent in the probe. They are not among its requests, and nothing of them is in its counts."""

    @property
    def unsent_lines(self) -> frozenset[int]:
        """Numbers of the lines that are not sent in this batch: invalid ones, and those of the probe."""
        return frozenset([*(line.line for line in self.skipped), *self.probed])


class ProbeLine(msgspec.Struct, frozen=True):
    """A line of the drop that is sent in the probe."""

    line: int
    """Its number in the drop."""
    model: str
    """Empty for a model that the estimate does not keep apart."""
    max_tokens: int
    tokens: int | None = None
    """The most tokens that its prompt can be; null if there is no bound."""


class Probe(msgspec.Struct, frozen=True):
    """The lines of a drop that are answered before the rest is sent, in a file of their own."""

    lines: list[ProbeLine]
    """In the order of the drop: line *i* of the file is the *i*-th of these."""
    batches: list[Batch]
    """Their lines and bytes are those of the file."""
    sha256: str
    """Of the file."""
    at_most_usd: Decimal | None = None
    """What the probe can cost at most; null if there is no bound."""

    @property
    def requests(self) -> int:
        """How many requests it has."""
        return len(self.lines)


class ValidatedDrop(msgspec.Struct, frozen=True):
    """What validation found in a drop that may be sent; the first line of `plan.jsonl`."""

    lines: int
    """Lines that are not blank."""
    sha256: str
    """Of all bytes of the drop."""
    faults: int = 0
    """Faults of the lines left out."""
    faults_file: OutputFile | None = None
    """`invalid.jsonl`, if lines are left out."""
    findings: Findings | None = None
    """A summary of these faults."""
    prices: Prices | None = None
    """The prices of the drop's models when it was validated: they apply to the whole run. None in older plans."""
    estimate: Estimate | None = None
    """What the drop can cost at most. None in older plans."""
    is_gated: bool = False
    """Whether the run stands at gates. Runs of earlier versions do not."""
    usd_per_drop: Decimal | None = None
    """What the run may cost without an approval, by the limits of its project when it was validated; null: any."""
    models: list[str] | None = None
    """The models that its project could use then; null: all."""
    probe: Probe | None = None
    """The lines that are answered before the rest is sent; null if all lines are sent without that."""
    config_faults: tuple[str, ...] = ()
    """What was wrong under `config/` then: these limits may lack some."""
    has_kept_keys: bool = False
    """Whether lines have keys beside `custom_id` and `params`, which come back with their outcomes."""


class Plan(msgspec.Struct, frozen=True):
    """A validated drop and the batches it is cut into."""

    drop: ValidatedDrop
    batches: list[Batch]
    rounds: dict[str, list[Batch]] = {}
    """The batches of each round that is planned, by its leg."""

    def batch(self, number: int) -> Batch:
        """Return a batch by its number."""
        return self.batches[number - 1]

    @property
    def is_whole(self) -> bool:
        """Whether its only batch is all of the drop: then nothing is joined from parts."""
        return len(self.batches) == 1 and self.drop.probe is None

    @property
    def legs(self) -> list[str]:
        """The legs of the run, in the order in which they are sent. The drop itself has no name."""
        return [*([keys.PROBE] if self.drop.probe else []), "", *sorted(self.rounds, key=keys.round_number)]

    @property
    def is_all_probed(self) -> bool:
        """Whether all lines of the drop are in its probe."""
        return self.drop.probe is not None and not any(batch.requests for batch in self.batches)

    def of_leg(self, leg: str) -> "Plan":
        """Return the plan with the batches of a leg."""
        if leg in self.rounds:
            return Plan(self.drop, self.rounds[leg])
        return Plan(self.drop, self.drop.probe.batches) if leg and self.drop.probe else self

    def all_batches(self) -> Iterator[tuple[str, Batch]]:
        """Yield the batches of all legs, each with its leg."""
        for leg in self.legs:
            yield from ((leg, batch) for batch in self.of_leg(leg).batches)


def encode_plan(plan: Plan) -> bytes:
    """Return a plan as it is stored."""
    return b"".join(_encode(line) + b"\n" for line in (plan.drop, *plan.batches))


def decode_plan(data: bytes) -> Plan:
    """Return a plan that was stored."""
    drop, *batches = data.splitlines()
    decoded = [msgspec.json.decode(batch, type=Batch) for batch in batches]
    return Plan(msgspec.json.decode(drop, type=ValidatedDrop), decoded)
