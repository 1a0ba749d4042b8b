"""What is no fact of a run, read for its receipt: the provider's words. And how all of that expires."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

from msgspec.structs import replace

from conveyor.domain import keys
from conveyor.domain.plan import Plan
from conveyor.ledger.batch_facts import Discarded, Stuck, Submitted
from conveyor.ledger.failure_counts import NO_TEXTS, Texts, decode_words
from conveyor.ledger.ledger import Ledger
from conveyor.ledger.part import Part
from conveyor.ledger.round_facts import Merged
from conveyor.ledger.run_facts import Refusal, Run
from conveyor.ledger.state import RunState
from conveyor.receipt.batch_account import SplitBatch
from conveyor.s3.bucket import MOST_READS, Bucket

ENDED: Mapping[str, str] = {"run": "ended"}
"""The tag of objects that the bucket's lifecycle may remove: without it they are kept as long as the ledger."""


class SplitReader(NamedTuple):
    """Reads the facts of batches that are split, with the error texts that are kept apart from them."""

    run: Run
    ledger: Ledger
    """Of the leg."""
    bucket: Bucket
    leg: str = ""

    def read(self, plan: Plan, run_state: RunState, number: int) -> SplitBatch:
        """Return a batch with its facts. `plan` and `run_state`: those of the leg."""
        batch_state, ledger = run_state.batches[number], self.ledger
        return SplitBatch(
            plan.batch(number),
            ledger.read(Submitted, number, batch_state.generation) if batch_state.submitted else None,
            part := ledger.read(Part, number),
            batch_state.duplicates,
            ledger.read(Stuck, number) if batch_state.stuck else None,
            ledger.read(Discarded, number) if batch_state.discarded else None,
            ledger.read(Merged, number) if batch_state.merged else None,
            self._texts(number, part),
            self._read(keys.merged_content(self.run.content_prefix), number) if batch_state.merged else NO_TEXTS,
        )

    def _texts(self, number: int, part: Part) -> Texts:
        if any(kind.words for kind in part.errors.values()):  # written by an earlier version
            return Texts(part.errors, {})
        content = keys.leg_content(self.run.content_prefix, self.leg)
        return self._read(content, number) if part.errors else NO_TEXTS

    def _read(self, content: str, number: int) -> Texts:
        words = self.bucket.find(keys.error_words(content, number))
        return decode_words(words) if words else NO_TEXTS


def with_error_text(refusal: Refusal, bucket: Bucket) -> Refusal:
    """Return a refusal with the provider's error text, where there is one."""
    text = bucket.find(refusal.words_key) if refusal.words_key else None
    return replace(refusal, words=text.decode(errors="replace")) if text is not None else refusal


def let_content_expire(run: Run, bucket: Bucket, early_parts: Iterable[str]) -> None:
    """Tag what is no fact of a run, since nothing needs it any more. Earlier versions kept it in the ledger.

    `early_parts`: the parts that people could read before the run ended.
    """
    content = bucket.list(run.content) if run.content else []
    with ThreadPoolExecutor(MOST_READS) as taggers:
        list(taggers.map(partial(bucket.tag, tags=ENDED), [*content, *early_parts]))
