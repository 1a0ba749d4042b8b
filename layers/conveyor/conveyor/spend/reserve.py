"""Reserve what a batch may cost, in the log of its project's day, right before it is paid for.

    day = open_day(context, run_state, plan, batch)      # None: it waits, for a person, for room, or for the next day
    day.reserve(attempt)                                 # right before the intent of this attempt
    day.covers(moment)                                   # the intent must be written on the same day

Nothing is given back: where the log leaves no room, the claims of the day are counted again (`spend/recount.py`). So a
crash between two writes can make a day look fuller than it is for some minutes, and never emptier.
"""

import random
from datetime import datetime
from decimal import Decimal

from msgspec.structs import replace

from conveyor.config import read_config
from conveyor.context import RunContext
from conveyor.domain.plan import Batch, Plan
from conveyor.gates.gate import is_approved_without_limits, latest_gate, write_next
from conveyor.gates.spending import Spending
from conveyor.ledger.budget_facts import DayFull, DayReached
from conveyor.ledger.gate_facts import Reason
from conveyor.ledger.state import RunState
from conveyor.spend.ceiling import Ceiling, Need, ceiling_of, faults_of, need_of
from conveyor.spend.claim import Claim, Day
from conveyor.spend.log import DayLog, Latest
from conveyor.spend.recount import recount

MOST_LOST = 10
"""Numbers of the log that others may take before the run waits for its next look."""
MOST_LOOKED_BACK = 256
"""Claims, of the newest, in which a batch looks for its own."""
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
"""Seconds between two tries, at most: doubled after each, and then any part of that, so that many spread out."""
_WARNED, _FULL = 80, 100
"""Percent of a ceiling."""


class NoCeiling:
    """The day of a project that has no ceiling: nothing is reserved, and no log is kept."""

    def reserve(self, attempt: int) -> bool:  # noqa: ARG002  # like that of a day with a ceiling
        """Return that there is room."""
        return True

    def covers(self, moment: datetime) -> bool:  # noqa: ARG002
        """Return that any moment will do."""
        return True


class DayBudget:
    """What one batch needs of a day with a ceiling, and how it gets it."""

    def __init__(self, context: RunContext, batch: Batch, ceiling: Ceiling, need: Need) -> None:
        """Read nothing yet."""
        self._context = context
        self._batch = batch
        self._ceiling = ceiling
        self._need = need
        day = Day.at(context.now(), context.run.settings.budget_day_seconds)
        self._log = DayLog(context.bucket, ceiling.log, day)
        self._seen: Latest | None = None
        """The end of the log, if it was read and no number was lost since."""
        self._is_reserved = False
        """Whether the next attempt has its claim already, of a function that ended before its intent."""

    def has_room(self, run_state: RunState) -> bool:
        """Return whether the batch fits into the day now. If not, write that the run waits for that."""
        self._seen = latest = self._log.latest()
        if self._fits(latest):
            return True
        if self._is_recount_due(latest) and self._log.begin_recount(self._context.now()):
            claims = self._log.claims(latest.number)
            latest = self._recounted(latest, claims)
        else:
            claims = self._newest_claims(latest, run_state)
        self._is_reserved = self._fits_with_its_claim(latest, claims, run_state)
        if self._is_reserved or self._fits(latest):
            return True
        if self._need.is_alone:
            self._take_next_day(run_state)
        self._note_full(latest, run_state)
        return False

    def reserve(self, attempt: int) -> bool:
        """Reserve what an attempt may cost; return whether there was room for it.

        Where many reserve at once, each tries some numbers of the log, with pauses, and then looks again like others
        that wait.
        """
        if self._is_reserved:
            return True
        for lost in range(MOST_LOST):
            latest, self._seen = self._seen or self._log.latest(), None
            if self._is_of(latest.claim, attempt):  # of a function that was started for the same batch just now
                return True
            if not self._fits(latest):
                return False
            claim = self._claim(latest, attempt)
            if self._log.append(latest.number + 1, claim):
                self._note_reached(latest, claim.total_usd)
                return True
            self._context.invocation.sleep(random.uniform(0, min(_LONGEST_PAUSE, _SHORTEST_PAUSE * 2**lost)))  # noqa: S311
        return False

    def covers(self, moment: datetime) -> bool:
        """Return whether a moment is in the day in which was reserved."""
        return self._log.day.start <= moment < self._log.day.end

    def _fits(self, latest: Latest) -> bool:
        return self._need.fits(latest.total_usd, self._ceiling.usd)

    def _claim(self, latest: Latest, attempt: int) -> Claim:
        context = self._context
        return Claim(
            context.writer,
            context.now(),
            context.run.run,
            self._ceiling.usd,
            latest.total_usd + self._need.usd,
            self._need.usd,
            context.leg,
            self._batch.number,
            attempt,
            latest.recounted_at,
        )

    def _take_next_day(self, run_state: RunState) -> None:
        """Reserve the whole of the next day, unless another batch has: else small ones might take it first, each day.

        The claim is found on that day like that of a function that died. If it is never needed, a recount frees it.
        """
        log = DayLog(self._context.bucket, self._log.log, self._log.day.next)
        latest = log.latest()
        if self._fits(latest):
            claim = replace(self._claim(latest, run_state.batch(self._batch.number).attempts + 1), is_ahead=True)
            log.append(latest.number + 1, claim)  # if that fails, another batch was faster

    def _fits_with_its_claim(self, latest: Latest, claims: list[Claim], run_state: RunState) -> bool:
        """Return whether the next attempt has a claim, and so fits: its function ended after that, before the intent.

        That claim is in what is taken of the day. Several may rely on it: one of them writes the intent, and pays.
        """
        attempt = run_state.batch(self._batch.number).attempts + 1
        is_reserved = any(self._is_of(each, attempt) for each in claims)
        return is_reserved and self._need.fits(latest.total_usd - self._need.usd, self._ceiling.usd)

    def _is_of(self, claim: Claim | None, attempt: int) -> bool:
        """Return whether a claim is that of an attempt at this batch, and is large enough."""
        if claim is None or claim.usd < self._need.usd:
            return False
        own = (self._context.run.run, self._context.leg, self._batch.number, attempt)
        return (claim.run, claim.leg, claim.batch, claim.attempt) == own

    def _newest_claims(self, latest: Latest, run_state: RunState) -> list[Claim]:
        """Read the newest claims, once in a day, if a function may have died after its claim: it did so lately.

        Else there is nothing to find: so most drops that come at once do not read them.
        """
        if not run_state.gate or self._log.day.name in run_state.full_days:
            return []
        return self._log.claims(latest.number, latest.number - MOST_LOOKED_BACK + 1)

    def _is_recount_due(self, latest: Latest) -> bool:
        at = latest.recounted_at
        return latest.number > 0 and (at is None or self._context.now() - at >= self._log.day.shortest_pause)

    def _recounted(self, latest: Latest, claims: list[Claim]) -> Latest:
        """Write what the claims of the day amount to by now; return how far the log goes then.

        What others take meanwhile is added. If another has counted meanwhile, its sum stands.
        """
        now, taken = self._context.now(), recount(self._context.bucket, claims, self._log.day.start)
        counted = latest
        for _ in range(MOST_LOST):
            usd = taken + latest.total_usd - counted.total_usd
            claim = Claim(self._context.writer, now, self._context.run.run, self._ceiling.usd, usd, recounted_at=now)
            if self._log.append(latest.number + 1, claim):
                self._seen = latest._replace(number=latest.number + 1, claim=claim)
                return self._seen
            self._seen = latest = self._log.latest()
            if latest.recounted_at != counted.recounted_at:
                break
        return latest

    def _note_full(self, latest: Latest, run_state: RunState) -> None:
        context, day, ceiling = self._context, self._log.day, self._ceiling
        taken = (self._seen or latest).total_usd
        if day.name not in run_state.full_days:
            full = DayFull(context.writer, context.now(), ceiling.log, ceiling.usd, taken, self._need.usd, day.end)
            context.ledger.write(full, day.name)
        if not self._need.is_alone:  # which says nothing of the day: it may be nearly empty
            self._note(_FULL, taken, latest)

    def _note_reached(self, latest: Latest, taken: Decimal) -> None:
        if taken * 100 >= self._ceiling.usd * _WARNED:
            self._note(_WARNED, taken, latest)

    def _note(self, percent: int, taken: Decimal, latest: Latest) -> None:
        """Write that people are to hear of it, unless a run of the project has told them."""
        if f"reached-{percent}" in latest.told:
            return
        context, day, ceiling = self._context, self._log.day, self._ceiling
        about = ceiling.log, day.name, percent, ceiling.usd, taken, day.end
        context.ledger.write(DayReached(context.writer, context.now(), *about), f"{day.name}-{percent}")


def open_day(context: RunContext, run_state: RunState, plan: Plan, batch: Batch) -> DayBudget | NoCeiling | None:
    """Return what a batch may reserve from; None if it waits: for room, for the next day, or for a person.

    The ceiling is read anew for each paid call. Where nobody can say what it is, or the batch may cost more than a
    whole day, the next gate is closed.
    """
    config = read_config(context.bucket, with_prices=False)
    reasons = faults_of(config)
    if reasons and not is_approved_without_limits(context, run_state):
        _close(context, run_state, plan, reasons)
        return None
    ceiling = ceiling_of(config, context.run.project)
    if ceiling is None:
        return NoCeiling()
    need = need_of(context, run_state, plan, batch, ceiling)
    if isinstance(need, Reason):
        _close(context, run_state, plan, [need])
        return None
    day = DayBudget(context, batch, ceiling, need)
    return day if day.has_room(run_state) else None


def _close(context: RunContext, run_state: RunState, plan: Plan, reasons: list[Reason]) -> None:
    """Close the next gate. One that was closed meanwhile ends first: a pause, say, must not be passed over."""
    listed = context.ledger.run_state()  # again: the first gate may have been written just now
    latest = latest_gate(context, listed)
    if listed.refused or (latest and latest.is_closed):
        return
    need = Spending(context, run_state, plan, latest.gate.forecast if latest else None).need()
    write_next(context, latest, reasons, need)
