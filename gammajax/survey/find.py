"""New sources, found one round after the other: significance map, peaks, fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from string import ascii_lowercase
from typing import Any

import numpy as np

from gammajax.datasets import Datasets
from gammajax.estimators import FluxMaps, TSMapEstimator, find_peaks
from gammajax.inference import Fit, FitResult, Likelihood
from gammajax.models import Models, PointSpatialModel, PowerLawSpectralModel, SkyModel
from gammajax.survey.catalog_fit import CatalogResult, bounded
from gammajax.survey.rules import norm_parameter
from gammajax.survey.significance import source_ts
from gammajax.units import to_value

ROOM = 3.0
"""How far a new source may move from its peak, in pixels of the map."""

INDICES = (0.0, 6.0)
"""Range of the indices of new sources."""


@dataclass(frozen=True)
class Round:
    """What one round did.

    Attributes
    ----------
    added, dropped : tuple of str
        Names of the sources that peaks became, and of those that were not significant after
        the fit.
    highest : float
        The highest significance in the map before.
    stat : float
        -2 ln L after the fit.
    """

    added: tuple[str, ...]
    dropped: tuple[str, ...]
    highest: float
    stat: float


@dataclass(frozen=True, kw_only=True)
class SourceFinder:
    """Look for sources that the models lack, and fit them, until there is none left.

    Each round makes a map of significance with the models so far, takes its peaks above the
    threshold as points with a power law, fits them with everything that is free, and leaves out
    those that are not significant in the fit.

    Parameters
    ----------
    threshold : float
        Least significance, the square root of the test statistic.
    min_distance : float in deg, or `~astropy.units.Quantity`
        Of two peaks that are nearer, the lower one has to wait for the next round.
    model : `~gammajax.models.SkyModel`, optional
        Its spectrum is what is looked for; a power law of index 2 by default.
    kernel_width : float in deg, or `~astropy.units.Quantity`; optional
        See `~gammajax.estimators.TSMapEstimator`.
    most_rounds : int
    most_sources : int
        In one round.
    free_position : bool
        Whether new sources are fitted with their positions, up to 3 pixels from the peak.
    prefix : str
        Of the names, which go on with the coordinates.
    progress : bool

    Examples
    --------
    >>> SourceFinder(threshold=5).most_rounds
    5
    """

    threshold: float = 5.0
    min_distance: Any = 0.5
    model: Any = None
    kernel_width: Any = None
    most_rounds: int = 5
    most_sources: int = 50
    free_position: bool = True
    prefix: str = "PS"
    progress: bool = False

    def __post_init__(self) -> None:
        if not self.threshold > 0:
            raise ValueError(
                f"SourceFinder: threshold is {self.threshold}, expected a number above 0"
            )
        for name in ("most_rounds", "most_sources"):
            if getattr(self, name) < 1:
                raise ValueError(
                    f"SourceFinder: {name} is {getattr(self, name)}, expected 1 or more"
                )

    def run(self, datasets: Any, models: Models, *, say: Callable[[str], Any] = str) -> Found:
        """Find sources.

        Parameters
        ----------
        datasets : `~gammajax.datasets.Datasets` of counts cubes
            On the same pixels of a projection.
        models : `~gammajax.models.Models`
            What is known: diffuse emission, backgrounds, sources. What is free is fitted again
            in each round.
        say : callable
            Is told in a line what each round did.
        """
        datasets = datasets if isinstance(datasets, Datasets) else Datasets(datasets)
        state = _State(models)
        apart = to_value(self.min_distance, "deg", where="SourceFinder: min_distance")
        for number in range(1, self.most_rounds + 1):
            maps = self._maps(datasets, state.models)
            image = maps["sqrt_ts"].slice_by_idx({"energy": 0})
            highest = float(np.nanmax(np.asarray(image.data)))
            peaks = find_peaks(image, self.threshold, f"{apart} deg")[: self.most_sources]
            if not len(peaks):
                state.rounds.append(Round((), (), highest, state.stat))
                say(f"round {number}: highest {highest:.2f}, nothing to add")
                break
            added = self._sources(peaks, maps, state.models.names)
            weak = self._fit(datasets, state, added)
            found = Round(added.names, weak, highest, state.stat)
            state.rounds.append(found)
            say(
                f"round {number}: highest {highest:.2f}, {len(found.added)} added, "
                f"{len(weak)} dropped, -2 ln L {state.stat:.3f}"
            )
            if set(weak) >= set(added.names):
                break
        names, rounds = tuple(state.new), tuple(state.rounds)
        return Found(state.models, names, rounds, state.result, state.ts)

    def _maps(self, datasets: Datasets, models: Models) -> FluxMaps:
        estimator = TSMapEstimator(
            model=self._reference, kernel_width=self.kernel_width, progress=self.progress
        )
        return estimator.run(datasets, models)

    @property
    def _reference(self) -> SkyModel:
        if self.model is not None:
            return self.model
        return SkyModel(PowerLawSpectralModel(index=2.0), PointSpatialModel(), name="source")

    def _sources(self, peaks: Any, maps: FluxMaps, known: tuple[str, ...]) -> Models:
        """Peaks as sources, with the norms that the map has there."""
        geom = maps.geom.to_image()
        room = ROOM * float(np.max(geom.pixel_scales))
        norms = np.asarray(maps["norm"].data)[0]
        made = Models([])
        for row in peaks:
            position = geom.pix_to_coord((float(row["x"]), float(row["y"])))
            lon, lat = (float(np.asarray(getattr(p, "value", p))) for p in position[:2])
            place = PointSpatialModel(lon, lat, frame=geom.frame)
            name = _name(place.position.icrs, self.prefix, (*known, *made.names))
            source = SkyModel(self._reference.spectral_model, place, name=name)
            norm = norm_parameter(source)
            if norm is None:
                raise ValueError(
                    f"SourceFinder: {type(source.spectral_model).__name__} has no amplitude; "
                    "give a model with a spectrum that has one"
                )
            one = Models([source])
            value = one.parameters[norm].value * float(norms[int(row["y"]), int(row["x"])])
            one = bounded(one.set(norm, value=value, min=0.0), INDICES)
            if self.free_position:
                wide = room / max(np.cos(np.deg2rad(lat)), 0.01)
                one = one.set(f"{name}.spatial.lon_0", min=lon - wide, max=lon + wide)
                one = one.set(f"{name}.spatial.lat_0", min=lat - room, max=lat + room)
            else:
                one = one.freeze(f"{name}.spatial.*")
            made = made + one
        return made

    def _fit(self, datasets: Datasets, state: _State, added: Models) -> tuple[str, ...]:
        """Fit with new sources; drops those that are not significant, and gives their names."""
        new = [*state.new, *added.names]
        result = Fit().run(Likelihood(datasets, state.models + added))
        ts = source_ts(result, new)
        weak = tuple(name for name in new if not ts[name] >= self.threshold**2)
        models = _kept(result.models, weak)
        new = [name for name in new if name not in weak]
        if weak and models.parameters.free_names:
            result = Fit().run(Likelihood(datasets, models))
            ts, models = source_ts(result, new), result.models
        state.models, state.new, state.result, state.ts = models, new, result, ts
        return weak


class _State:
    """What is known between two rounds."""

    def __init__(self, models: Models) -> None:
        self.models = models
        self.new: list[str] = []
        self.rounds: list[Round] = []
        self.result: FitResult | None = None
        self.ts: dict[str, float] = {}

    @property
    def stat(self) -> float:
        return float("nan") if self.result is None else self.result.stat


@dataclass(frozen=True, eq=False)
class Found:
    """What a search for sources gave.

    Attributes
    ----------
    models : `~gammajax.models.Models`
        All components, at the last fit.
    names : tuple of str
        The new sources.
    rounds : tuple of `Round`
    result : `~gammajax.inference.FitResult` or None
        The last fit; None if there was no peak.
    ts : dict of str to float
        Of the new sources.
    """

    models: Models
    names: tuple[str, ...]
    rounds: tuple[Round, ...]
    result: FitResult | None
    ts: dict[str, float]

    def table(self, energy: Any) -> Any:
        """The new sources, as in `CatalogResult.table`, for fluxes in a range of energy."""
        if self.result is None:
            raise ValueError("Found: nothing was found, so there is no table")
        ends = [float(to_value(end, "TeV", where="Found.table: energy")) for end in energy]
        whole = CatalogResult(self.result, self.models, self.ts, (ends[0], ends[1])).table
        chosen = whole[[name in self.names for name in whole["name"]]]
        chosen.remove_columns(["catalog_flux", "catalog_flux_err", "change"])
        return chosen

    def __repr__(self) -> str:
        lines = [f"Found: {len(self.names)} new sources in {len(self.rounds)} rounds"]
        lines += [f"  {name}  TS {self.ts[name]:.1f}" for name in self.names]
        return "\n".join(lines)


def _name(position: Any, prefix: str, known: tuple[str, ...]) -> str:
    """A name by the coordinates, as catalogues have it; with a letter if it is taken."""
    ra, dec = position.ra.hms, position.dec.signed_dms
    minutes = np.floor((ra.m + ra.s / 60) * 10) / 10
    sign = "-" if dec.sign < 0 else "+"
    stem = f"{prefix} J{int(ra.h):02d}{minutes:04.1f}{sign}{int(dec.d):02d}{int(dec.m):02d}"
    names = (stem, *(stem + letter for letter in ascii_lowercase))
    return next(name for name in names if name not in known)


def _kept(models: Models, weak: tuple[str, ...]) -> Models:
    """The models without some components."""
    return Models([component for component in models if component.name not in weak])
