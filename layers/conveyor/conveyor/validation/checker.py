"""Check a whole drop against all rules, and plan its batches. Memory grows by a few bytes per request."""

from collections.abc import Callable, Iterable
from itertools import repeat

from conveyor.domain.dialect import Dialect
from conveyor.domain.findings import Fault
from conveyor.domain.plan import Skipped
from conveyor.jsonl.lines import Line, LineBlock, is_blank, lines_in, read_blocks, split_block
from conveyor.money.bounds import OTHER_API, Bound, Caching
from conveyor.money.estimate import Estimate, Meter, TokenSum
from conveyor.money.prices import PRICES, Prices
from conveyor.settings.settings import Settings
from conveyor.validation.duplicate_ids import HashOptions, IdHashes, PossibleDuplicates, SeenIds
from conveyor.validation.fast_path import FastPath, FastPathResult, has_longer_line
from conveyor.validation.params import Rules
from conveyor.validation.planner import Groups, Limits, PricedPlanner
from conveyor.validation.rules import Request, read_request
from conveyor.validation.sample import Place, Sample

MOST_FAULTS = 10_000
MOST_MODEL_CHANGES = 100
"""How many batches may end because the model changes, if a batch holds one model only. Each batch costs time."""
HASH_OPTIONS = HashOptions()


class Checker:
    """One pass over a drop, and its result: the faults, or the plan."""

    def __init__(  # noqa: PLR0913, PLR0917
        self,
        run: str,
        settings: Settings,
        dialect: Dialect,
        prices: Prices,
        ids: SeenIds,
        most_faults: int = MOST_FAULTS,
    ) -> None:
        """`prices`: those of the run. `ids` recognises ids that were used before."""
        self._settings = settings
        self._dialect = dialect
        self._rules = Rules(dialect, settings.default_max_tokens)
        self._groups = Groups(run, settings, dialect)
        self._ids = ids
        self._fast_path = FastPath(one_model=dialect.one_model)
        self._most_faults = most_faults
        self._limits = Limits.of(settings, dialect)
        self._meter = Meter(prices)
        self._planner = PricedPlanner(self._limits, dialect.form.around, self._meter)
        self._sample = Sample(run)
        self.batches = self._planner.batches
        self.faults: list[Fault] = []
        self.lines = 0
        """Lines that are not blank."""
        self.requests = 0
        self.has_kept_keys = False
        """Whether any request has keys that come back with its outcome."""

    @property
    def gave_up(self) -> bool:
        """True if there are more faults than are worth reporting. The rest of the drop is then not read."""
        return len(self.faults) > self._most_faults

    @property
    def alternates(self) -> bool:
        """True if the model changes too often for batches of one model each. The rest is then only counted."""
        return self._planner.changes > MOST_MODEL_CHANGES

    @property
    def models(self) -> list[str]:
        """The models that were named, the first of them."""
        return self._meter.models

    def sample(self) -> list[Place]:
        """Return the places of requests that are spread over the drop, and stand for it."""
        return self._sample.choose()

    def estimate(self) -> Estimate:
        """Return what the planned requests can cost at most."""
        return self._meter.estimate()

    def read(self, chunks: Iterable[bytes]) -> None:
        """Check all lines: a block at a time on the fast path, else line by line."""
        number = 1
        for block in read_blocks(chunks):
            count = self._add_block(block, number)
            if not count:
                for line in split_block(block, number):
                    self._add(line)
                    if self.gave_up:
                        return
            number += count or lines_in(block)
        self._planner.finish()

    def _add_block(self, block: LineBlock, number: int) -> int:
        """Plan all lines of a block if they are surely valid, fit, and repeat no id. Returns their number, or 0."""
        if is_blank(block):
            return lines_in(block)
        result = self._fast_path.read(block)
        if result is None or not self._keeps_rules(result):
            return 0
        count = len(result.custom_ids)
        group = self._groups.of_block(block, number, result)
        limit = self._settings.max_requests_per_drop
        is_counted_only = self.requests >= limit or self.alternates
        is_planned = not is_counted_only and self.requests + count <= limit and self._planner.has_room(group)
        if not ((is_counted_only or is_planned) and self._ids.add_new(result.custom_ids)):
            return 0
        if is_planned:
            models = result.models()
            self._planner.add(group)
            self._measure(block, result, models)
            self._sample.add(count, models, lambda line: _place(block, number, result, line))
        self.lines += count
        self.requests += count
        return count

    def _keeps_rules(self, result: FastPathResult) -> bool:
        """Return whether requests from the fast path surely keep the rules of this dialect, too."""
        lacks_tokens = self._dialect.is_message and result.without_max_tokens and not self._settings.default_max_tokens
        return not lacks_tokens and not any(map(result.may_give, self._dialect.refused_fields))

    def _add(self, line: Line) -> None:
        self.lines += 1
        request = read_request(line, self._rules)
        faults = self._plan(line, request) if isinstance(request, Request) else request
        self.has_kept_keys |= isinstance(request, Request) and request.has_kept_keys
        if faults:
            self.faults += faults
            first = faults[0]
            skipped = Skipped(line.number, first.custom_id, first.code, first.message)
            self._planner.skip(skipped, line.start, line.end)

    def _plan(self, line: Line, request: Request) -> list[Fault]:
        """Plan a valid line, unless it repeats an id or is too large for any batch."""
        first = self._ids.first_line(str(request.custom_id), line.number)
        self.requests += 1
        if self.requests > self._settings.max_requests_per_drop or self.alternates:
            return []  # the drop is refused as a whole: only count
        group = self._groups.of_line(line, request)
        if first is not None:
            code, message = "custom-id-duplicate", f'"custom_id" is already used on line {first}'
        elif not self._planner.fits_alone(group.size):
            limit = self._limits.bytes
            code, message = (
                "request-too-large",
                f"the request has {group.size:,} bytes; the limit for a batch is {limit:,}",
            )
        else:
            self._planner.add(group)
            self._meter.add(request.model, request.bound, group.max_tokens)
            place = Place(line.number, line.start, line.end, request.model)
            self._sample.add(1, (request.model,), lambda _: place)
            return []
        self.requests -= 1
        return [Fault(line.number, line.start, request.custom_id, code, message)]

    def _measure(self, block: LineBlock, result: FastPathResult, models: set[str]) -> None:
        """Add what the requests of a block, for these models, can use at most, as `_plan` does line by line."""
        default, meter, rows = self._settings.default_max_tokens, self._meter, result.rows
        if not self._dialect.is_message or result.bounds is not None:
            for row, bound in zip(rows, result.bounds or repeat(OTHER_API), strict=False):
                given = bound if self._dialect.is_message else OTHER_API
                meter.add(row.params.model, given, row.params.max_tokens or default)
            return
        caching = set(result.caching or (Caching.NONE,))
        if len(models) == len(caching) == 1:
            (model,) = models
            if not has_longer_line(block, meter.longest_alike(model)):
                tokens = block.end - block.begin - len(rows)
                output = result.max_tokens + result.without_max_tokens * default
                meter.add_alike(model, caching.pop(), TokenSum(len(rows), tokens, output))
                return
        self._measure_text(result)

    def _measure_text(self, result: FastPathResult) -> None:
        """Add requests of plain text: those of one model that are cached for the same time together."""
        default, meter, lengths = self._settings.default_max_tokens, self._meter, result.places.lengths()
        sums: dict[tuple[str, Caching], TokenSum] = {}
        each = list(zip(result.rows, lengths, result.caching or repeat(Caching.NONE), strict=False))
        for row, length, caching in each:
            sort = (row.params.model, caching)
            found = sums.get(sort)
            if found is None:
                found = sums[sort] = TokenSum()
            found.requests += 1
            found.tokens += length
            found.max_tokens += row.params.max_tokens or default
        longest = max(lengths)
        limits = [meter.longest_alike(model) for model, _ in sums]
        if all(limit is None or longest <= limit for limit in limits):
            for (model, caching), found in sums.items():
                meter.add_alike(model, caching, found)
            return
        for row, length, caching in each:
            meter.add(row.params.model, Bound(length, caching), row.params.max_tokens or default)


def _place(block: LineBlock, number: int, result: FastPathResult, line: int) -> Place:
    """Return the place of a line of a block. `number`: of the block's first line; `line`: counted from 0 there."""
    begin, end = result.places.bounds_of(line)
    shift = block.start - block.begin
    return Place(number + line, begin + shift, end + shift, result.rows[line].params.model)


def check_drop(  # noqa: PLR0913, PLR0917  # the last two are for tests
    run: str,
    settings: Settings,
    dialect: Dialect,
    read: Callable[[], Iterable[bytes]],
    hash_options: HashOptions = HASH_OPTIONS,
    most_faults: int = MOST_FAULTS,
    prices: Prices = PRICES,
) -> Checker:
    """Check a whole drop. `read` is called once, and again only if ids seem to repeat. `prices`: those of the run.

    The result is the same as of one pass that remembers every id.
    """
    # The ids that matter: one for each request up to the limit, and one for each fault that may come before it.
    hashes = IdHashes(settings.max_requests_per_drop + most_faults + 1, hash_options)
    checker = Checker(run, settings, dialect, prices, hashes, most_faults)
    checker.read(read())
    for limit in (most_faults + 1, None):
        possible = PossibleDuplicates(hashes.duplicates(limit), hash_options)
        if not possible.has_any:
            return checker
        checker = Checker(run, settings, dialect, prices, possible, most_faults)
        checker.read(read())
        if not possible.has_collision:  # each hash was a fault, so the limit of faults ended the pass first
            break
    return checker
