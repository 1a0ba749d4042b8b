"""Every rule that a drop must keep, and the plan of one that keeps them. Memory grows by some bytes a request."""

from collections.abc import Callable, Iterable

from conveyor.glance import Glance, Glancer
from conveyor.line import Fault, Request, read_request
from conveyor.lines import Line, Stretch, lines_in, read_stretches, split_stretch
from conveyor.plan import Planner, Sent, Skipped
from conveyor.repeats import Hashes, Ids, Recall, Suspects
from conveyor.settings import Settings
from conveyor.wire import Envelope

MOST_FAULTS = 10_000
RECALL = Recall()


class Check:
    """What one pass over a drop finds."""

    def __init__(self, run: str, settings: Settings, ids: Ids, most_faults: int = MOST_FAULTS) -> None:
        """Take the settings in force, and what tells an id that was used before."""
        self._settings = settings
        self._envelope = Envelope(run, settings.default_max_tokens)
        self._ids = ids
        self._glancer = Glancer()
        self._most_faults = most_faults
        most = min(settings.max_requests_per_batch, settings.max_queued_requests)
        self._planner = Planner(most, settings.max_bytes_per_batch, settings.max_tokens_per_batch)
        self.batches = self._planner.batches
        self.faults: list[Fault] = []
        self.lines = 0
        """Lines that are not blank."""
        self.requests = 0

    @property
    def gave_up(self) -> bool:
        """True when there are more faults than are worth telling; the rest of the drop is then not read."""
        return len(self.faults) > self._most_faults

    def read(self, chunks: Iterable[bytes]) -> None:
        """Check all lines: many at a glance where that suffices, one by one elsewhere."""
        number = 1
        for stretch in read_stretches(chunks):
            passed = self._pass_over(stretch, number)
            if not passed:
                for line in split_stretch(stretch, number):
                    passed += 1
                    if line.raw != b"":
                        self._add(line)
                    if self.gave_up:
                        return
            number += passed

    def _pass_over(self, stretch: Stretch, number: int) -> int:
        """Plan the lines of a stretch if all are beyond doubt, fit, and repeat no id; return how many it took."""
        if stretch.data is not None and not stretch.data[stretch.begin : stretch.end].strip(b" \t\r\n"):
            return lines_in(stretch)
        seen = self._glancer.glance(stretch)
        if seen is None or (seen.without_max_tokens and not self._settings.default_max_tokens):
            return 0
        count = len(seen.custom_ids)
        sent = self._sent_together(stretch, number, seen)
        is_counted_only = self.requests >= self._settings.max_requests_per_drop
        is_admitted = self.requests + count <= self._settings.max_requests_per_drop and self._planner.has_room(sent)
        if not ((is_counted_only or is_admitted) and self._ids.pass_over(seen.custom_ids)):
            return 0
        if is_admitted:
            self._planner.add(sent)
        self.lines += count
        self.requests += count
        return count

    def _add(self, line: Line) -> None:
        self.lines += 1
        request = read_request(line, self._settings.default_max_tokens)
        faults = self._admit(line, request) if isinstance(request, Request) else request
        if faults:
            self.faults += faults
            first = faults[0]
            skipped = Skipped(line.number, first.custom_id, first.code, first.message)
            self._planner.skip(skipped, line.start, line.end)

    def _admit(self, line: Line, request: Request) -> list[Fault]:
        """Plan a good line, unless it repeats an id or cannot be sent at all."""
        first = self._ids.first_line(request.custom_id, line.number)
        self.requests += 1
        if self.requests > self._settings.max_requests_per_drop:
            return []  # refused as a whole: only count on
        sent = self._sent(line, request)
        if first is not None:
            code, message = "custom-id-duplicate", f'"custom_id" is already used on line {first}'
        elif not self._planner.fits_alone(sent.size):
            limit = self._settings.max_bytes_per_batch
            code, message = "request-too-large", f"the request has {sent.size:,} bytes; a batch takes {limit:,}"
        else:
            self._planner.add(sent)
            return []
        self.requests -= 1
        return [Fault(line.number, line.start, request.custom_id, code, message)]

    def _sent(self, line: Line, request: Request) -> Sent:
        defaulted = int(request.max_tokens is None)
        tokens = self._settings.default_max_tokens if request.max_tokens is None else request.max_tokens
        size = self._envelope.size(line.number, line.number, len(request.params), defaulted)
        return Sent(line.number, line.number, line.start, line.end, 1, size, tokens, defaulted)

    def _sent_together(self, stretch: Stretch, number: int, seen: Glance) -> Sent:
        count, defaulted = len(seen.custom_ids), seen.without_max_tokens
        last = number + count - 1
        end = stretch.start + stretch.end - stretch.begin - 1
        size = self._envelope.size(number, last, seen.params_bytes, defaulted)
        tokens = seen.max_tokens + defaulted * self._settings.default_max_tokens
        return Sent(number, last, stretch.start, end, count, size, tokens, defaulted)


def check_drop(
    run: str,
    settings: Settings,
    read: Callable[[], Iterable[bytes]],
    recall: Recall = RECALL,
    most_faults: int = MOST_FAULTS,
) -> Check:
    """Check a whole drop, which `read` reads once, and once more only if ids seem to repeat.

    What is found is what one pass would find that remembered every id.
    """
    # Ids are looked at until there are too many requests, each of them after at most so many faults.
    hashes = Hashes(settings.max_requests_per_drop + most_faults + 1, recall)
    check = Check(run, settings, hashes, most_faults)
    check.read(read())
    for most in (most_faults + 1, None):
        suspects = Suspects(hashes.repeated(most), recall)
        if not suspects.are_any:
            return check
        check = Check(run, settings, suspects, most_faults)
        check.read(read())
        if not suspects.misled:  # so the faults end the pass before the first id that was not suspected
            break
    return check
