"""Why answers ended: counted by model, and reported if an answer is incomplete.

Names are those of the Messages API; `finish_reason` of other APIs is counted under them.
Facts: https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons
"""

import re
from collections.abc import Collection, Iterable, Mapping

from msgspec import UNSET

type Stops = dict[str, dict[str, int]]
"""How many answers ended for each reason, by model."""

CUT_OFF = "max_tokens"
"""For an answer that was cut off at the limit of its request."""
NULL, OTHER = "null", "other"
"""For an answer whose reason is null, and for one whose reason is no name or one of too many names."""
LONGEST_MODEL = 200
_MOST_MODELS, _MOST_REASONS = 100, 20
"""Counted separately in one account, so that a provider cannot make it grow without limit."""
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,40}")
_COMPLETE = frozenset({"end_turn", "stop_sequence", "tool_use"})
_KNOWN = _COMPLETE | {"max_tokens", "refusal", "pause_turn", "model_context_window_exceeded"}
_FINISHES = {
    "stop": "end_turn",
    "length": "max_tokens",
    "max_output_tokens": "max_tokens",
    "content_filter": "refusal",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
}
_PHRASES = {
    "max_tokens": ("was cut off at max_tokens", "were cut off at max_tokens"),
    "model_context_window_exceeded": ("was cut off by the model's context window",) * 2,
    "refusal": ("was refused by the model (refusal)", "were refused by the model (refusal)"),
    "pause_turn": ("is unfinished (pause_turn)", "are unfinished (pause_turn)"),
}
_ADVICE = {
    "max_tokens": "Cut off: raise max_tokens in these lines (or the metadata default-max-tokens), and send them again. "
    "Thinking counts toward max_tokens, too.",
    "model_context_window_exceeded": "Context window: shorten these prompts, and send them again.",
    "refusal": "Refused: change these requests, or send them to another model.",
    "pause_turn": "Unfinished: send the conversation again with the answer as its last message.",
}
_MOST_NAMED = 3
"""Unknown reasons that one message names."""


def stop_of(value: object) -> str:
    """Return the name under which a stop reason is counted; empty if an answer has none."""
    if isinstance(value, str):
        return value if value in _KNOWN or _NAME.fullmatch(value) else OTHER
    if value is None:
        return NULL
    return "" if value is UNSET else OTHER


def finish_of(values: Iterable[object]) -> str:
    """Return the same for all choices of one answer: the first reason that is not the usual one."""
    names = [_FINISHES.get(name, name) for value in values if (name := stop_of(value))]
    return next((name for name in names if name != "end_turn"), names[0] if names else "")


def model_name(model: str, known: Collection[str]) -> str:
    """Return the name under which a model is counted, beside those that are counted already."""
    if model in known or (len(model) <= LONGEST_MODEL and len(known) < _MOST_MODELS):
        return model
    return OTHER


def count_stop(stops: Stops, model: str, reason: str, number: int = 1) -> None:
    """Add answers of a model that ended for a reason."""
    counted = stops.setdefault(model_name(model, stops), {})
    name = reason if reason in counted or len(counted) < _MOST_REASONS else OTHER
    counted[name] = counted.get(name, 0) + number


def add_stops(stops: Stops, more: Mapping[str, Mapping[str, int]]) -> None:
    """Add the counts of another account."""
    for model, counted in more.items():
        for reason, number in counted.items():
            count_stop(stops, model, reason, number)


def unfinished(stops: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Say how many answers are incomplete, and what to do about them; nothing if all are complete."""
    total: dict[str, int] = {}
    for counted in stops.values():
        for reason, number in counted.items():
            total[reason] = total.get(reason, 0) + number
    sentences = [_count(total[reason], *words) for reason, words in _PHRASES.items() if total.get(reason)]
    others = [reason for reason in total if reason not in _COMPLETE and reason not in _PHRASES]
    if others:
        names = ", ".join(sorted(others)[:_MOST_NAMED]) + (", …" if len(others) > _MOST_NAMED else "")
        number = sum(total[reason] for reason in others)
        sentences.append(_count(number, f"ended for another reason ({names})", f"ended for other reasons ({names})"))
    if not sentences:
        return []
    advice = [words for reason, words in _ADVICE.items() if total.get(reason)]
    where = "They are billed as usual and are in results.jsonl; each says why in stop_reason (or finish_reason)."
    return [f"{'; '.join(sentences)}.", where, *advice]


def _count(number: int, one: str, many: str) -> str:
    return f"1 answer {one}" if number == 1 else f"{number:,} answers {many}"
