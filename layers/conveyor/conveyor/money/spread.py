"""Between which amounts a sum lies that is forecast from a sample: about 95 times in 100.

Costs of requests are skewed to the right: few lines cost much more than the others, and a small sample has too few of
them. So the interval of Student's t alone is too low. Its lower end is taken as it is (97.5 %). The upper end, with
which limits are compared, has the quantile of 99 % on a scale of ratios: a sum of 100 with a margin of 20 ends at
100 x exp(0.2). `docs/money.md` says how often that holds.
"""

import math
from typing import NamedTuple

_LOWER, _UPPER = 0.975, 0.99
_NORMAL = {_LOWER: 1.959963985, _UPPER: 2.326347874}
"""Quantiles of the normal distribution."""


class Spread(NamedTuple):
    """How far lines lie from what is expected of them."""

    error: float
    """The standard deviation of one line, in the unit of the sum."""
    freedom: int
    """Degrees of freedom: how many lines it was measured on, less those that the expectation takes."""


class Interval(NamedTuple):
    """Two ends of a sum."""

    low: float
    high: float


def interval_of(total: float, lines: int, answered: int, spread: Spread) -> Interval:
    """Return the ends of a sum over `lines` others, which is forecast from `answered` lines.

    The others are all there are (finite population): a sum over few of them is known better.
    """
    if not total or not lines:
        return Interval(total, total)
    margin = spread.error * math.sqrt(lines * (lines + answered) / answered)
    low = max(total - student(_LOWER, spread.freedom) * margin, 0.0)
    return Interval(low, total * _factor(student(_UPPER, spread.freedom) * margin / total))


def student(probability: float, freedom: int) -> float:
    """Return a quantile of Student's t, for 97.5 % or 99 %. It is right to three digits.

    One and two degrees of freedom have formulas; others an expansion (Abramowitz and Stegun, 26.7.5).
    """
    if freedom == 1:
        return math.tan(math.pi * (probability - 0.5))
    if freedom == 2:  # noqa: PLR2004
        return (2 * probability - 1) / math.sqrt(2 * probability * (1 - probability))
    z = _NORMAL[probability]
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92_160,
    )
    return z + sum(term / math.pow(freedom, power) for power, term in enumerate(terms, 1))


def _factor(margin: float) -> float:
    """Return the exponential of a relative margin; above 1 its tangent there, which does not become absurd."""
    return math.exp(margin) if margin <= 1 else math.e * margin
