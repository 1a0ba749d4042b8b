"""What stands in the way of a run, as far as its ledger tells. Pure."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from conveyor.domain.observed import TroubleWith
from conveyor.domain.schedule import BatchName
from conveyor.ledger.batch_facts import AttemptUnknown, Submitted, Unread
from conveyor.ledger.run_facts import GONE, LastingTrouble, RetryAfterAnswer
from conveyor.wording.advice import access_step, unknown_batch_step
from conveyor.wording.mail import Step
from conveyor.wording.numbers import span
from conveyor.wording.text import counted
from conveyor.wording.trouble import describe_refusal, in_words
from conveyor_cli.runs.facts import Facts, words_of
from conveyor_cli.state import is_trouble

AT_RISK = timedelta(hours=6)
"""Before a batch expires."""


class Hindrance(NamedTuple):
    """What is wrong, since when, what follows by itself, and what a person can do."""

    code: str
    words: str
    """One line without a full stop."""
    since: datetime | None
    more: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    of: str = ""
    """The trouble in the ledger that says when it is over; empty: nothing does."""
    is_past: bool = False
    """Whether it happened at that moment, and does not last."""

    def told(self, now: datetime) -> str:
        """Return the words, with the time that it has lasted, or that has passed."""
        if self.since is None:
            return self.words
        time = span(now - self.since)
        return f"{self.words}, {time} ago" if self.is_past else f"{self.words}, for {time}"


def hindrance_of(facts: Facts) -> Hindrance | None:
    """Return the first trouble of a run, or None. What a person can act on comes first."""
    return next(filter(None, (find(facts) for find in _FINDERS)), None)


def under_way(facts: Facts) -> dict[BatchName, Submitted]:
    """Return the batches at the provider whose results are not in the bucket yet."""
    state = facts.run_state

    def is_out(name: BatchName) -> bool:
        batch = state.of_leg(name.leg).batch(name.number)
        return not (batch.parted or batch.stuck)

    return {name: fact for name, fact in facts.sent.items() if is_out(name)}


def _denied(facts: Facts) -> Hindrance | None:
    """Return that the provider refuses the credentials: a person must put them in order."""
    trouble = facts.trouble
    if trouble is None or trouble.kind != TroubleWith.CREDENTIALS:
        return None
    return _of(trouble, (_asked_again(facts),), access_step(facts.run.settings.auth, facts.run.key_secret))


def _unknown_batch(facts: Facts) -> Hindrance | None:
    """Return that the provider does not know a batch: a person may have replaced the key."""
    trouble = facts.trouble
    if trouble is None or trouble.kind != GONE:
        return None
    more = [f"It is asked for the batch again {_next(facts)}, and the run goes on by itself once it knows the batch."]
    if trouble.ends and trouble.ends > facts.at:  # later it is about a batch that was given up before another one
        lost = "its results are lost, and may have been charged"
        more.append(f"Else the batch is given up {_in(trouble.ends, facts.at)} at the latest: {lost}.")
    return _of(trouble, tuple(more), _unknown_step(facts))


def _unknown_results(facts: Facts) -> Hindrance | None:
    return next(
        (_unread_of(name, fact, _unknown_step(facts)) for name, fact in facts.unread.items() if fact.gone), None
    )


def _unknown_step(facts: Facts) -> Step:
    settings = facts.run.settings
    return unknown_batch_step(settings.auth, settings.workspace_id, facts.run.key_secret)


def _unanswered(facts: Facts) -> Hindrance | None:
    return _of(facts.trouble, (_asked_again(facts),)) if facts.trouble else None


def _unanswered_in_pause(facts: Facts) -> Hindrance | None:
    """Return trouble that lasts in place of the pause that its last answer asks for: it says since when, too."""
    return _unanswered(facts) if _open_pause(facts) else None


def _asked_again(facts: Facts) -> str:
    return f"The provider is asked again {_next(facts)}, and the run goes on by itself."


def _next(facts: Facts) -> str:
    pause = _open_pause(facts)
    return f"{_in(pause.until, facts.at)}, since it asks not to be called before" if pause else "at each look"


def _of(trouble: LastingTrouble, more: tuple[str, ...], *steps: Step) -> Hindrance:
    words = words_of(trouble)
    return Hindrance(trouble.kind, words[0].upper() + words[1:], trouble.since, more, steps, trouble.place)


def _lost(facts: Facts) -> Hindrance | None:
    if facts.lost is None:
        return None
    name, fact = facts.lost
    words = f"The answer to the paid call for {name} was lost"
    looks = "It is not sent again until it is known whether it exists at the provider, which is looked for."
    fails = f"Calls to the provider fail meanwhile: {words_of(facts.trouble)}." if facts.trouble else ""
    more = tuple(filter(None, (looks, fails, _search_ends(facts, fact))))
    decide = Step("If you know what became of it, you need not wait", f"conveyor decide {facts.typed_name}")
    return Hindrance("lost", words, fact.at, more, (decide,), is_past=True)


def _search_ends(facts: Facts, lost: AttemptUnknown) -> str:
    """Say when it is known at the latest that a lost call created no batch."""
    settled = lost.at + timedelta(seconds=facts.run.settings.settle_seconds)
    if settled <= facts.at and not facts.trouble:  # a batch is listed, and nobody can tell yet whether it is this one
        return "The search goes on until the provider's answers show whether it exists."
    when = "once they are answered" if facts.trouble else _in(settled, facts.at)
    return f"The search ends by itself {when}: a batch that is not listed by then is sent again."


def _refused(facts: Facts) -> Hindrance | None:
    refused = facts.refused
    if refused is None or not is_trouble(refused.last):  # without room the run waits, and all is well
        return None
    words = describe_refusal(refused.last.status, refused.last.type)
    more = (f"What was sent goes on. The next batch is tried again {_in(refused.last.retry_at, facts.at)}.",)
    return Hindrance("refused", words[0].upper() + words[1:], refused.since, more)


def _paused(facts: Facts) -> Hindrance | None:
    pause = _open_pause(facts)
    if pause is None:
        return None
    words = f"The provider asked not to be called: {in_words(pause.reason)}"
    more = (f"It is called again {_in(pause.until, facts.at)}.",)
    return Hindrance("retry-after", words, pause.at, more, is_past=True)


def _open_pause(facts: Facts) -> RetryAfterAnswer | None:
    return facts.pause if facts.pause and facts.pause.until > facts.at else None


def _unread(facts: Facts) -> Hindrance | None:
    return next((_unread_of(name, fact) for name, fact in facts.unread.items()), None)


def _unread_of(name: BatchName, fact: Unread, *steps: Step) -> Hindrance:
    words = f"The results of {name} could not be read: {in_words(fact.reason)}"
    more = ("They are read again. The provider keeps them for 29 days.",)
    return Hindrance("unread", words, fact.at, more, steps, is_past=True)


def _at_risk(facts: Facts) -> Hindrance | None:
    out = under_way(facts)
    late = [name for name, fact in out.items() if timedelta() < fact.expires_at - facts.at < AT_RISK]
    if not late or facts.plan is None:
        return None
    plan = facts.plan
    requests = sum(plan.of_leg(name.leg).batch(name.number).requests for name in late)
    expires = "batch expires" if len(late) == 1 else "batches expire"
    words = f"{len(late):,} {expires} in less than 6 h"
    more = f"{counted(requests, 'request is', 'requests are')} at risk. What expires is not charged."
    return Hindrance("at-risk", words, None, (more,))


_FINDERS: tuple[Callable[[Facts], Hindrance | None], ...] = (
    _denied,
    _unknown_batch,
    _unknown_results,
    _lost,
    _refused,
    _unanswered_in_pause,
    _paused,
    _unread,
    _unanswered,
    _at_risk,
)


def _in(moment: datetime, now: datetime) -> str:
    return f"in {span(moment - now)}" if moment > now else "now"
