"""Statistics of counts, through scipy: the interval of a rate, and the test of two counts."""

from __future__ import annotations

from typing import Tuple


def wilson_interval(successes: int, trials: int) -> Tuple[float, float]:
    """95 % interval of a proportion (Wilson, 1927); (0, 1) without trials.

    Example: 8 of 10 -> (0.4902, 0.9433).
    """
    from scipy.stats import binomtest  # takes a second to import

    if trials == 0:
        return 0.0, 1.0
    interval = binomtest(successes, trials).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)


def sign_test(first: int, second: int) -> float:
    """Two-sided p-value of an exact sign test: are two counts those of one fair coin?

    Example: 5 against 0 -> 2 / 2**5 = 0.0625.
    """
    from scipy.stats import binomtest

    return float(binomtest(first, first + second).pvalue) if first + second else 1.0
