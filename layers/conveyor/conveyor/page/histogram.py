"""How long answers are, as bars on one axis for all models."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from conveyor.answers.lengths import CLASS_TOKENS, LINEAR_UP_TO
from conveyor.page.answers import LengthRow, class_end
from conveyor.page.charts import percent
from conveyor.wording.text import counted

HEIGHT = 86
_MOST_BARS = 36
_GAP = 0.3
"""Per cent, between bars."""
_MOST_LABELS = 5
_ROOM, _ROOM_ON_A_PHONE = 0.8, 0.6
"""Of the axis: beyond it there is only the last label, which is the longest."""


class LengthBar(NamedTuple):
    """A bar, and the part of it that was cut off."""

    x: str
    width: str
    y: str
    height: str
    cut_y: str
    cut_height: str
    has_cut: bool
    title: str


class Label(NamedTuple):
    """A number at the axis."""

    x: str
    text: str
    anchor: str
    is_wide: bool = False
    """Whether there is no room for it on a phone."""


class Axis(NamedTuple):
    """Slots of equal width; each is one or several classes."""

    starts: list[int]
    """The least tokens of each slot."""
    end: int
    """The tokens at which the last slot ends."""
    is_even: bool
    """Whether all slots have as many tokens; if not, those beyond 2,048 tokens double."""


def axis_of(lengths: Sequence[LengthRow]) -> Axis:
    """Return the axis on which all models fit."""
    largest = max((max(row.classes) for row in lengths), default=0)
    up_to = min(largest + CLASS_TOKENS, LINEAR_UP_TO)
    width = CLASS_TOKENS
    while up_to / width > _MOST_BARS or (largest >= LINEAR_UP_TO and width < LINEAR_UP_TO // 16):
        width *= 2
    starts = list(range(0, up_to, width))
    end = starts[-1] + width
    if largest < LINEAR_UP_TO:
        return Axis(starts, end, is_even=True)
    while end <= largest:
        starts.append(end)
        end *= 2
    return Axis(starts, end, is_even=False)


def bars_of(row: LengthRow, axis: Axis) -> list[LengthBar]:
    """Return the bars of a model. The highest has the full height."""
    counts, cut = _by_slot(row.classes, axis), _by_slot(row.cut_off_classes, axis)
    highest, slot = max(counts, default=0), 100 / len(axis.starts)
    ends = [*axis.starts[1:], axis.end]
    bars = []
    for at, (count, cut_off) in enumerate(zip(counts, cut, strict=True)):
        if not count:
            continue
        tall = max(HEIGHT * count / highest, 1.0)
        cut_tall = min(tall * cut_off / count, tall)
        title = f"{axis.starts[at]:,} to {ends[at] - 1:,} tokens: {counted(count, 'answer')}"
        title += f", {cut_off:,} of them cut off" if cut_off else ""
        bars.append(
            LengthBar(
                percent(at * slot),
                percent(slot - _GAP),
                f"{HEIGHT - tall:.1f}",
                f"{tall - cut_tall:.1f}",
                f"{HEIGHT - cut_tall:.1f}",
                f"{cut_tall:.1f}",
                cut_off > 0,
                title,
            )
        )
    return bars


def labels_of(axis: Axis) -> list[Label]:
    """Return the numbers at the axis."""
    slots = len(axis.starts)
    step = 1
    while slots / step > _MOST_LABELS:
        step *= 2
    labels = [
        Label(
            percent(100 * at / slots),
            f"{axis.starts[at]:,}",
            "middle" if at else "start",
            at > _ROOM_ON_A_PHONE * slots,
        )
        for at in range(0, slots, step)
        if at <= _ROOM * slots
    ]
    return [*labels, Label("100%", f"{axis.end:,} tokens", "end")]


def _by_slot(classes: Mapping[int, int], axis: Axis) -> list[int]:
    counts = [0] * len(axis.starts)
    for least, count in classes.items():
        at = max((slot for slot, start in enumerate(axis.starts) if start <= least), default=0)
        counts[at] += count
    return counts


def slot_tokens(axis: Axis) -> int:
    """Return how many tokens the first slot has."""
    return (axis.starts[1] if len(axis.starts) > 1 else axis.end) - axis.starts[0]


def described(row: LengthRow) -> str:
    """Return what the chart of a model says, in numbers."""
    text = f"{counted(row.answers, 'answer')}: half of them up to {row.median:,} output tokens, 95% up to "
    cut = f", {row.cut_off:,} cut off" if row.cut_off else ""
    return f"{text}{row.most_of_them:,}, longest up to {class_end(max(row.classes)):,}{cut}"
