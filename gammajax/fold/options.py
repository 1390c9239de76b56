"""Choices of folding that users may make."""

from __future__ import annotations

from dataclasses import dataclass

TOTALS = ("auto", "sum")

ORDERS = ("exposure-first", "psf-first")


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

    order : {"exposure-first", "psf-first"}
        Photons are detected before their directions are spread: the exposure is that of the
        place that they come from. ``psf-first`` takes the exposure of the pixel that they are
        found in, as gammapy does; totals are then summed.

    Raises
    ------
    ValueError
        If a choice is none of these.
    """

    containment: float = 0.9999
    totals: str = "auto"
    order: str = "exposure-first"

    def __post_init__(self) -> None:
        if not 0.5 < self.containment < 1:
            raise ValueError(
                f"FoldOptions: containment is {self.containment}, expected 0.5 to 1"
            )
        if self.totals not in TOTALS:
            raise ValueError(
                f"FoldOptions: totals is {self.totals!r}, expected {' or '.join(TOTALS)}"
            )
        if self.order not in ORDERS:
            raise ValueError(
                f"FoldOptions: order is {self.order!r}, expected {' or '.join(ORDERS)}"
            )

    @property
    def psf_first(self) -> bool:
        """Whether the exposure is taken after the spread."""
        return self.order == "psf-first"
