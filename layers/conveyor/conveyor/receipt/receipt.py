"""The final account of a run. It follows from the ledger alone, so writing it again changes nothing."""

from datetime import datetime
from decimal import Decimal

import msgspec

from conveyor.answers.lengths import Lengths
from conveyor.answers.stop_reasons import Stops
from conveyor.domain import keys
from conveyor.domain.findings import Findings
from conveyor.domain.output_file import OutputFile
from conveyor.domain.status import Status
from conveyor.file_types.conversion import Conversion
from conveyor.ledger.failure_counts import ErrorKind
from conveyor.ledger.part import Tokens
from conveyor.ledger.run_facts import WaitingRun
from conveyor.money.estimate import Estimate
from conveyor.money.forecast import Forecast
from conveyor.receipt.batch_account import (
    BatchAccount,
    ProbeAccount,
    RoundAccount,
)
from conveyor.receipt.gate_account import GateAccount
from conveyor.receipt.money import Money
from conveyor.receipt.settings_account import SettingAccount


class Receipt(msgspec.Struct):
    """`receipt.json`. Each field means the same in every status.

    `requests` = `results` + `failures` + `not_run`, and every result and failure has one outcome; else `unbalanced`.
    """

    run: str
    name: str
    status: Status
    reason: str | None
    """Why nothing, or nothing more, of the drop was sent."""
    code: str | None
    words: str | None
    """The provider's error text, if it refused."""
    drop: dict[str, str | int]
    drop_settings: dict[str, str]
    """What the drop's own metadata sets; names and values are corrected if the drop was refused for them."""
    requests: int
    """Lines of the drop that are not blank; 0 if it was not read to its end."""
    results: int
    """Lines of `results.jsonl`."""
    failures: int
    """Lines of `failures.jsonl`."""
    not_run: int
    """Lines of a drop that was refused or stopped as a whole: none was sent, and they are in no file."""
    never_sent: int
    """Failures of batches that were not sent; `reason` says why."""
    outcomes: dict[str, int]
    causes: dict[str, int]
    """Failures that no line is to blame for, by what must be fixed before sending again can help."""
    retryable: int
    """Failures whose lines are in `retry.jsonl`."""
    default_max_tokens: dict[str, int]
    """How many requests got the default `max_tokens`, and its value."""
    faults: int
    """Faults of invalid lines; all of them, or the first 10,000, are in `invalid.jsonl`."""
    tokens: dict[str, Tokens]
    cost_usd: Decimal | None
    """The price of these tokens, as far as prices are known (`money.unpriced`); null if none is known."""
    batches: list[BatchAccount]
    files: list[OutputFile]
    unaccounted: list[int]
    """Lines that have a result and are in no output; empty unless the account is unbalanced."""
    repaired: int
    """Results in which invalid characters were replaced by U+FFFD; `aside.jsonl` has them unchanged."""
    unreadable: int
    """Failures whose result line could not be read; it is in `aside.jsonl`."""
    unanswered: int
    """Create requests without a response, for which no batch is listed: they are assumed to have created none."""
    ordered: bool
    """True: outputs are in the order of the drop."""
    received_at: datetime
    given_up: list[str] = []
    """Why batches were given up without their results."""
    stop_reasons: Stops = {}
    """Answers by model and stop reason, under the names of the Messages API; answers without one are left out."""
    betas: list[str] = []
    """Names of the beta features sent with each request that creates a batch."""
    conversion: Conversion | None = None
    """The command that converts a wrong file to a file of requests, and the new file's name."""
    drop_unreadable: str | None = None
    """Why the drop could not be read when results were written; outcomes without an id have a line number."""
    nulls_removed: int = 0
    """Requests that were sent without their fields whose value is null."""
    errors: dict[str, ErrorKind] = {}
    """Failures by error type, the most frequent first, with some error texts."""
    findings: Findings | None = None
    """A summary of the faults of invalid lines."""
    money: Money = msgspec.field(default_factory=Money)
    """The details of the cost."""
    project: str = keys.DEFAULT_PROJECT
    """Who the run was for."""
    released: int = 0
    """Those of `unanswered` of which a person said that they created no batch: if that is wrong, it was charged."""
    waiting_run: WaitingRun | None = None
    """The run with the same bytes, if it waits for an approval."""
    gates: list[GateAccount] = []
    """The gates that were closed: when, why, and how each ended."""
    at_most_usd: Decimal | None = None
    """What the valid requests could cost at most; null if that has no bound (`estimate.no_bound`), or is not known."""
    estimate: Estimate | None = None
    """What the valid requests could cost at most, as estimated before anything was sent."""
    forecast_usd: Decimal | None = None
    """What the whole run was to cost, from what its probe had cost; null without a probe, or if that did not say."""
    forecast: Forecast | None = None
    """The same with its lower and upper end, and by model."""
    probe: ProbeAccount | None = None
    """The requests that were answered before the rest was sent; null if there was no probe."""

    rounds: list[RoundAccount] = []
    """The rounds in which requests were sent again that had failed for a reason that passes."""
    sent_again: int = 0
    """How many requests these were. Each counts once in `outcomes`, with its last outcome."""
    parts: str | None = None
    """Where parts of results and failures can be read before the run ends; null if its only batch wrote the files."""
    retry_of: str | None = None
    """The run whose `retry.jsonl` the drop is a copy of, by its metadata."""
    ended_at: datetime | None = None
    """When the results of the last batch were written, or the drop was refused."""
    planned_batches: int = 0
    """Batches of the drop itself, without those of its probe and of rounds; `batches` has those that were sent."""
    lengths: dict[str, Lengths] = {}
    """Answers by model and output tokens."""
    settings: list[SettingAccount] = []
    """The settings of the run, by name."""
    key_secret: str = ""
    """The name of the secret with the API key; empty if requests are signed, or if it is not known."""

    @property
    def all_batches(self) -> list[BatchAccount]:
        """The batches at the provider: those of the probe, of the drop itself, and of rounds."""
        of_rounds = [batch for each in self.rounds for batch in each.batches]
        return [*(self.probe.batches if self.probe else []), *self.batches, *of_rounds]
