"""How long answers are: counts of their output tokens, in a bounded number of classes."""

from collections.abc import Mapping

import msgspec

from conveyor.answers.stop_reasons import model_name

CLASS_TOKENS = 32
"""Width of a class, up to `LINEAR_UP_TO` tokens. Beyond that each class is twice as wide as the one before."""
LINEAR_UP_TO = 2048


class Lengths(msgspec.Struct):
    """The answers of one model by their output tokens. Keys are the least tokens of a class, such as 32 or 4096."""

    answers: dict[int, int] = {}
    """All answers."""
    cut_off: dict[int, int] = {}
    """Those of them that were cut off at `max_tokens`."""
    tokens: int = 0
    """The output tokens of all of them."""


def class_of(tokens: int) -> int:
    """Return the class of an answer, by its least tokens."""
    if tokens < LINEAR_UP_TO:
        return max(tokens, 0) // CLASS_TOKENS * CLASS_TOKENS
    return 1 << (tokens.bit_length() - 1)


def count_length(lengths: Lengths, tokens: int, *, is_cut_off: bool) -> None:
    """Add one answer."""
    least = class_of(tokens)
    lengths.answers[least] = lengths.answers.get(least, 0) + 1
    if is_cut_off:
        lengths.cut_off[least] = lengths.cut_off.get(least, 0) + 1
    lengths.tokens += tokens


def add_lengths(total: dict[str, Lengths], part: Mapping[str, Lengths]) -> None:
    """Add the counts of another batch, by model: no more models than for stop reasons."""
    for model, lengths in part.items():
        of_model = total.setdefault(model_name(model, total), Lengths())
        of_model.tokens += lengths.tokens
        for into, more in ((of_model.answers, lengths.answers), (of_model.cut_off, lengths.cut_off)):
            for least, number in more.items():
                into[least] = into.get(least, 0) + number
