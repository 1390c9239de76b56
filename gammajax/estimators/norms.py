"""The norm of a source in every cell: best fit, errors, limits, significance, scans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gammajax.estimators.cells import Cell, Cells, Fits
from gammajax.inference.covariance import invert
from gammajax.inference.fit import MESSAGES
from gammajax.inference.newton import CONVERGED, STUCK
from gammajax.inference.rise import find_rise

OPTIONAL = ("errn-errp", "ul", "scan")
"""What can be left out."""

NORM_SCAN = np.geomspace(0.2, 5.0, 11)
"""Norms at which the likelihood is given, unless others are asked for."""

NO_DATA = "no bin of any dataset is in its fit range here"

PRECISE = 1e-8
"""How near roots of the rise come to their goal, in standard deviations."""


@dataclass(frozen=True)
class NormOptions:
    """How norms are measured: number of sigmas, what to leave out, where to scan."""

    n_sigma: float = 1.0
    n_sigma_ul: float = 2.0
    selection_optional: tuple[str, ...] = OPTIONAL
    norm_scan: Any = None
    norm_min: float = -np.inf
    norm_max: float = np.inf
    progress: bool = False

    @classmethod
    def create(cls, selection_optional: Any, **options: Any) -> NormOptions:
        """From what a user gives.

        Raises
        ------
        ValueError
            If something is selected that is not known, or a number makes no sense.
        """
        chosen = () if selection_optional is None else selection_optional
        chosen = OPTIONAL if chosen == "all" else tuple(np.atleast_1d(chosen).tolist())
        unknown = set(chosen) - set(OPTIONAL)
        if unknown:
            raise ValueError(
                f"selection_optional: {', '.join(sorted(unknown))} is none of "
                f"{', '.join(OPTIONAL)}; 'all' and None work too"
            )
        made = cls(selection_optional=chosen, **options)
        for name in ("n_sigma", "n_sigma_ul"):
            if not getattr(made, name) > 0:
                raise ValueError(f"{name} is {getattr(made, name)}, expected more than 0")
        if not made.norm_min < made.norm_max:
            raise ValueError(
                f"norm_min is {made.norm_min}, expected less than norm_max {made.norm_max}"
            )
        return made

    @property
    def scan(self) -> np.ndarray:
        """The norms of the scan."""
        if "scan" not in self.selection_optional:
            return np.zeros(0)
        given = NORM_SCAN if self.norm_scan is None else self.norm_scan
        return np.atleast_1d(np.asarray(given, dtype=np.float64))


def measure_norms(
    cells: Sequence[Cell | None], norm: Any, options: NormOptions
) -> dict[str, Any]:
    """The fields of `~gammajax.data.FluxNorms` that a likelihood gives, one row a cell.

    Parameters
    ----------
    cells : sequence of `Cell` or None
        None is a cell without data.
    norm : int, or array of int, shape (cell,)
        Which parameter of the vector is measured.
    options : `NormOptions`

    Raises
    ------
    ValueError
        If no cell has data.
    """
    used = np.array([i for i, cell in enumerate(cells) if cell is not None], dtype=int)
    if not used.size:
        raise ValueError(
            "no bin of any dataset is in its fit range; widen the edges, or mask_fit"
        )
    norm = np.broadcast_to(norm, (len(cells),))[used]
    found = _Measurement([c for c in cells if c is not None], norm, options).run()
    if used.size == len(cells):
        return found
    return {
        key: _spread(array, used, len(cells)) if key not in ("datasets", "norm_scan") else array
        for key, array in found.items()
    }


def _spread(array: np.ndarray, used: np.ndarray, number: int) -> np.ndarray:
    """Rows of used cells among those of all; others have no numbers, and say why."""
    fill = {"O": NO_DATA, "b": False}.get(array.dtype.kind, np.nan)
    full = np.full((number, *array.shape[1:]), fill, dtype=array.dtype)
    full[used] = array
    return full


class _Measurement:
    """The steps of `measure_norms`, which share the cells and the best fits."""

    def __init__(self, cells: Sequence[Cell], norm: Any, options: NormOptions) -> None:
        self.cells = Cells(cells, options.progress)
        self.options, self.number = options, len(self.cells)
        self.every = np.arange(self.number)
        self.norm = np.broadcast_to(norm, (self.number,))
        self.column = np.searchsorted(self.cells.active, self.norm)
        self.notes: list[list[str]] = [[] for _ in cells]

    def run(self) -> dict[str, Any]:
        """All steps."""
        start = np.clip(self.cells.start, self.cells.low, self.cells.high)
        unit = start.copy()
        unit[self.every, self.norm] = 1.0
        self.sums = self.cells.totals(unit, self.norm)
        self._look_at_data()
        null, best = self._fit_null_and_best(start)
        self.best = best
        edges = self._edges()
        mean = (edges["norm_errn"] + edges["norm_errp"]) / 2
        self.error = np.where(self.kinked, mean, self.error)
        scan = self._scan()
        success = (
            ((best.status == CONVERGED) | self.kinked)
            & (null.status == CONVERGED)
            & self.exposed
        )
        norms = np.where(self.exposed, best.x[self.every, self.norm], np.nan)
        ts = np.where(self.exposed, null.stat - best.stat, np.nan)
        found = self.cells.totals(best.x, self.norm)
        names = list(found["counts"])
        columns = {what: np.stack([by[n] for n in names], 1) for what, by in found.items()}
        return {
            "norm": norms,
            "norm_err": self.error,
            **edges,
            "ts": ts,
            "stat": best.stat,
            "stat_null": null.stat,
            **columns,
            "datasets": tuple(names),
            "norm_scan": self.options.scan,
            "stat_scan": scan,
            "success": success & ~self.empty & ~self.at_bound,
            "notes": np.array(["; ".join(notes) for notes in self.notes], dtype=object),
            "covariance": self.covariance,
        }

    def _look_at_data(self) -> None:
        """Which cells have exposure and counts; notes on those that do not."""
        unit = np.stack(list(self.sums["npred_excess"].values()), axis=1)
        counts = np.stack(list(self.sums["counts"].values()), axis=1)
        names = list(self.sums["counts"])
        reached = unit > 0
        self.exposed: Any = reached.any(axis=1)
        seen = np.where(reached, counts, 0.0).max(axis=1) > 0
        self.empty: Any = ~seen & self.exposed
        self.unit = np.where(reached, unit, 0.0).sum(axis=1)
        for i, notes in enumerate(self.notes):
            dark = [n for n, u in zip(names, unit[i], strict=True) if u <= 0]
            if not self.exposed[i]:
                notes.append("no dataset has exposure here: there is no flux to measure")
            elif dark:
                notes.append(f"{', '.join(dark)} without exposure here, so without a say")
            if self.empty[i]:
                notes.append("no counts: the norm is put at 0 and has an upper limit only")

    def _fit_null_and_best(self, start: np.ndarray) -> tuple[Fits, Fits]:
        """The fits without the source and with it; unmeasurable norms are held."""
        every = self.every
        held = np.tile(self.cells.free, (self.number, 1))
        held[every, self.norm] = False
        free = np.tile(self.cells.free, (self.number, 1))
        fixed = self.empty | ~self.exposed
        free[every[fixed], self.norm[fixed]] = False
        zero, first = start.copy(), start.copy()
        zero[every, self.norm] = 0.0
        least = np.clip(0.0, self.options.norm_min, self.options.norm_max)
        first[every[fixed], self.norm[fixed]] = least
        both = self._fit(np.tile(every, 2), np.concatenate([zero, first]),
                         np.concatenate([held, free]), "fitting norms")  # fmt: skip
        null, best = (
            Fits(*(np.array(part[some]) for part in both))
            for some in (slice(0, self.number), slice(self.number, None))
        )
        self.kinked = (best.status == STUCK) & (self.cells.active.size == 1)
        for i in np.nonzero(self.kinked)[0]:
            self.notes[i].append(
                "the best fit is where the expected counts of a bin reach 0: the error is that "
                "of the likelihood profile"
            )
        failed = (best.status != CONVERGED) & ~self.kinked & ~self.empty & self.exposed
        for i in np.nonzero(failed)[0]:
            self.notes[i].append(f"not converged: {MESSAGES[int(best.status[i])]}")
        self.error = self._errors(best, failed | self.kinked)
        value = best.x[self.every, self.norm]
        low, high = self.options.norm_min, self.options.norm_max
        self.at_bound = self.exposed & ~self.empty & ((value <= low) | (value >= high))
        for i in np.nonzero(self.at_bound)[0]:
            side, bound = ("lower", low) if value[i] <= low else ("upper", high)
            self.notes[i].append(f"the norm is at its {side} bound {bound:g}")
        return null, best

    def _errors(self, best: Fits, without: np.ndarray) -> np.ndarray:
        """Errors of the norm, from the covariance of all that is free; 0 for what rests."""
        active = self.cells.active
        self.covariance = np.zeros((self.number, active.size, active.size))
        usable = self.cells.free[active] & ~without[:, None]
        x = best.x[:, active]
        usable &= (x > self.cells.low[active]) & (x < self.cells.high[active])
        usable[self.every, self.column] &= ~self.empty & self.exposed
        for i, matrix in enumerate(best.hessian):
            block = np.ix_(usable[i], usable[i])
            self.covariance[i][block] = 2 * invert(matrix[block])
        variance = self.covariance[self.every, self.column, self.column]
        return np.sqrt(np.where(variance > 0, variance, np.nan))

    def _edges(self) -> dict[str, np.ndarray]:
        """Asymmetric errors and limits: where the profile statistic has risen enough."""
        options, number = self.options, self.number
        rays: list[tuple[str, float, float]] = []
        if "errn-errp" in options.selection_optional:
            rays += [("norm_errn", -1.0, options.n_sigma), ("norm_errp", 1.0, options.n_sigma)]
        if "ul" in options.selection_optional:
            rays.append(("norm_ul", 1.0, options.n_sigma_ul))
        found = {n: np.full(number, np.nan) for n in ("norm_errn", "norm_errp", "norm_ul")}
        cells = np.nonzero(self.exposed)[0]
        if not rays or not cells.size:
            return found
        cell = np.tile(cells, len(rays))
        sign = np.repeat([ray[1] for ray in rays], cells.size)
        goal = np.repeat([ray[2] for ray in rays], cells.size)
        value = self.best.x[cell, self.norm[cell]]
        scale = self._scale()[cell]
        room = np.where(sign > 0, options.norm_max - value, value - options.norm_min)
        # an empty cell has no norm below 0: its statistic falls there without meaning
        room = np.where(self.empty[cell] & (sign < 0), 0.0, room)

        def rise(radius: np.ndarray) -> np.ndarray:
            fits = self._held(cell, value + sign * radius * scale, "errors and limits")
            return fits.stat - self.best.stat[cell]

        radius, limited = find_rise(
            rise, goal.copy(), np.maximum(room / scale, 0.0), goal**2, PRECISE
        )
        for r, (name, _, _) in enumerate(rays):
            some = slice(r * cells.size, (r + 1) * cells.size)
            distance = np.where(limited[some], np.nan, radius[some] * scale[some])
            self._note_edges(name, cells, limited[some])
            base = value[some] if name == "norm_ul" else 0.0
            found[name][cells] = base + distance
        self._note_limits(found["norm_ul"])
        return found

    def _note_edges(self, name: str, cells: np.ndarray, limited: np.ndarray) -> None:
        words = {
            "norm_errn": "there is no lower error: the statistic does not rise enough before "
            "the norm reaches its bound",
            "norm_errp": "there is no upper error: the statistic does not rise enough before "
            "the norm reaches its bound",
            "norm_ul": "there is no upper limit: the statistic does not rise enough before "
            "the norm reaches its bound",
        }[name]
        for i in cells[limited & ~(self.empty[cells] & (name == "norm_errn"))]:
            self.notes[i].append(words)

    def _note_limits(self, limit: np.ndarray) -> None:
        for i in np.nonzero(limit <= 0)[0]:
            self.notes[i].append(
                "the upper limit is not above 0: there are fewer counts than the background "
                "explains"
            )

    def _scale(self) -> np.ndarray:
        """Errors; where there is none, the norm of half a count, at which an empty cell rises
        by 1.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            half = np.where(self.unit > 0, 0.5 / self.unit, 1.0)
        return np.where(self.error > 0, self.error, half)

    def _held(self, cell: np.ndarray, norm: np.ndarray, label: str) -> Fits:
        """Fits of all but the norm."""
        x = self.best.x[cell].copy()
        points = np.arange(cell.size)
        x[points, self.norm[cell]] = norm
        free = np.tile(self.cells.free, (cell.size, 1))
        free[points, self.norm[cell]] = False
        return self._fit(cell, x, free, label)

    def _scan(self) -> np.ndarray:
        values = self.options.scan
        cell = np.repeat(np.arange(self.number), values.size)
        if not values.size:
            return np.zeros((self.number, 0))
        fits = self._held(cell, np.tile(values, self.number), "likelihood scan")
        return fits.stat.reshape(self.number, values.size)

    def _fit(self, cell: np.ndarray, x: np.ndarray, free: np.ndarray, label: str) -> Fits:
        return self.cells.fit(cell, x, free, label)
