"""Choices of folding that users may make."""

from __future__ import annotations

from dataclasses import dataclass

TOTALS = ("auto", "sum")


@dataclass(frozen=True)
class FoldOptions:
    """How counts cubes are folded.

    Parameters
    ----------
    containment : float
        A point spread function ends softly where it contains this fraction of the events of
        its table; the rest is given to what is left.
    totals : {"auto", "sum"}
        Whether the expected total of a source is found from what is missing outside of the
        mask where that is little, or summed over the pixels of the mask in any case.

    Raises
    ------
    ValueError
        If a choice is none of these.
    """

    containment: float = 0.9999
    totals: str = "auto"

    def __post_init__(self) -> None:
        if not 0.5 < self.containment < 1:
            raise ValueError(
                f"FoldOptions: containment is {self.containment}, expected 0.5 to 1"
            )
        if self.totals not in TOTALS:
            raise ValueError(
                f"FoldOptions: totals is {self.totals!r}, expected {' or '.join(TOTALS)}"
            )
