"""A statistic of each bin with what a second-order fit needs of it."""

from __future__ import annotations

from typing import Any, NamedTuple


class PerBin(NamedTuple):
    """The statistic of each bin and its derivatives by the prediction, as arrays.

    Attributes
    ----------
    stat : array
        -2 ln L.
    slope, bend : array
        Its first and second derivative.
    expected : array
        The expectation of the second derivative; never negative.
    """

    stat: Any
    slope: Any
    bend: Any
    expected: Any
