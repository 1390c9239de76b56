"""Drawing times within good time intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gammajax.data import GTI
from gammajax.models import TemplatePhaseCurveTemporalModel
from gammajax.models.spectral.evaluation import call
from gammajax.models.temporal.times import MJD, gti_bounds
from gammajax.simulate.laws import along, pick, shares

DAY = 86400.0

CELLS = 4096
"""Into how many cells all intervals are divided, at least."""


@dataclass(frozen=True, eq=False)
class Times:
    """The times of a source, or of the background.

    The integral over each cell is the exact one of the temporal model. Within a cell the
    density is a line between its ends; that of a phase curve, which has many periods in a
    cell, is met by rejection.

    Parameters
    ----------
    model : `~gammajax.models.TemporalModel` or None
        None is the same flux at all times.
    starts, widths : array, shape (cell,)
        In s, since the reference of the intervals.
    weights : array, shape (cell,)
        The integral of the factor over each cell, in s.
    ends : array, shape (2, cell)
        The factor at the start and at the end of each.
    origin : `MJD`
        The start of the first cell in the scale of the model.
    """

    model: Any
    starts: np.ndarray
    widths: np.ndarray
    weights: np.ndarray
    ends: np.ndarray
    origin: Any = None

    @classmethod
    def of(cls, model: Any, gti: GTI, name: str) -> Times:
        """The times of a component, called ``name``, within intervals.

        Raises
        ------
        ValueError
            If its factor is below 0, or not finite, somewhere in the intervals.
        """
        lengths = gti.stop - gti.start
        if model is None:
            return cls(None, gti.start, lengths, lengths, np.ones((2, lengths.size)))
        number = np.maximum(np.ceil(CELLS * lengths / lengths.sum()), 1).astype(int)
        cells = np.concatenate([np.arange(n) for n in number])
        widths = np.repeat(lengths / number, number)
        starts = np.repeat(gti.start, number) + cells * widths
        origin = MJD(*(part[0] for part in gti_bounds(gti, model.scale)[0]))
        low, high = (
            MJD(origin.day, origin.fraction + (x - gti.start[0]) / DAY)
            for x in (starts, starts + widths)
        )
        weights = DAY * np.asarray(call(model, "integral", low, high))
        ends = np.stack([np.asarray(call(model, "evaluate", time)) for time in (low, high)])
        least = min(float(weights.min()), float(ends.min()))
        if not (np.isfinite(weights).all() and least >= -1e-12 * weights.max()):
            raise ValueError(
                f"component {name!r}: its temporal model has the value {least:.3g} during the "
                "run, expected a finite factor that is not below 0"
            )
        return cls(model, starts, widths, np.maximum(weights, 0.0), ends, origin)

    @property
    def total(self) -> float:
        """The integral of the factor over all intervals, in s."""
        return float(self.weights.sum())

    def draw(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """``n`` times in s."""
        cell = pick(rng, shares(self.weights), n)
        if isinstance(self.model, TemplatePhaseCurveTemporalModel):
            return self._by_rejection(rng, cell)
        low, high = (np.maximum(side[cell], 0.0) for side in self.ends)
        return self.starts[cell] + along(rng, low, high) * self.widths[cell]

    def _by_rejection(self, rng: np.random.Generator, cell: np.ndarray) -> np.ndarray:
        """Times in cells, spread evenly and kept as often as the factor says."""
        found = np.zeros(cell.size)
        largest = _largest(self.model)
        left = np.arange(cell.size)
        while left.size:
            here = cell[left]
            trial = self.starts[here] + rng.random(left.size) * self.widths[here]
            days = (trial - self.starts[0]) / DAY
            time = MJD(self.origin.day, self.origin.fraction + _padded(days))
            factor = np.asarray(call(self.model, "evaluate", time))[: left.size]
            found[left] = trial
            left = left[rng.random(left.size) * largest >= factor]
        return found


def _padded(values: np.ndarray) -> np.ndarray:
    """Values with more behind them, so that few lengths are compiled for."""
    return np.pad(values, (0, (1 << int(values.size - 1).bit_length()) - values.size))


def _largest(model: Any) -> float:
    """The largest factor of a phase curve: its lines have it at one of their ends."""
    _, norms, _ = (np.asarray(part) for part in call(model, "_period"))
    return float(norms.max())
