"""Which sources of a survey are in a fit, and which of their parameters are free."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

import numpy as np

from gammajax.datasets import Datasets
from gammajax.estimators.scaled import NORMS
from gammajax.models import Models, SkyModel
from gammajax.parameters import ParameterTable, slots
from gammajax.units import to_value

GROUPS = ("norm", "shape", "position")

MOST_DIRECTIONS = 200_000
"""Pixels of a map that distances to it are measured from; of more, a part of them."""


def is_source(component: Any) -> bool:
    """Whether a component is a source of its own: it has a flux, and a place."""
    if not isinstance(component, SkyModel) or component.spectral_model.is_norm:
        return False
    if component.spatial_model is None:
        return False
    try:
        return component.spatial_model.position is not None
    except ValueError:  # emission of the whole sky
        return False


def norm_parameter(component: Any) -> str | None:
    """The full name of the parameter that the flux is proportional to; None if it has none."""
    for name in NORMS:
        if f"spectral.{name}" in component.parameter_names:
            return f"{component.name}.spectral.{name}"
    return None


def free_sources(
    models: Models,
    *,
    free: bool = True,
    pars: str | Collection[str] | None = None,
    skydir: Any = None,
    distance: Any = None,
    square: bool = False,
    minmax_ts: tuple[float | None, float | None] | None = None,
    ts: Mapping[str, float] | None = None,
    minmax_npred: tuple[float | None, float | None] | None = None,
    npred: Mapping[str, float] | None = None,
    minmax_variability: tuple[float | None, float | None] | None = None,
    variability: Mapping[str, float] | None = None,
    exclude: Iterable[str] = (),
) -> Models:
    """Free (or freeze) the parameters of the sources that all conditions hold for.

    Names of arguments are those of fermipy. Diffuse emission and backgrounds, whose spectrum is
    a factor, are left as they are.

    Parameters
    ----------
    models : `~gammajax.models.Models`
    free : bool
        False freezes them.
    pars : {"norm", "shape", "position"}, or globs; optional
        Which parameters: the norm, the rest of the spectrum, longitude and latitude, or all
        whose names (``spectral.index``) match. By default norm and shape are freed, and all
        parameters frozen. Parameters that a model declares as frozen, such as reference
        energies, stay so unless they are named.
    skydir : `~astropy.coordinates.SkyCoord`, optional
    distance : float in deg, or `~astropy.units.Quantity`, optional
        Largest distance from ``skydir``; with ``square``, in each coordinate of its frame.
    square : bool
    minmax_ts, minmax_npred, minmax_variability : (low, high), optional
        Range with ends; None for no end. A source without a number is not in it.
    ts, npred, variability : mapping of names to numbers
        For these; `catalog_column` makes them of a catalogue, `source_ts` of a fit.
    exclude : iterable of str
        Globs of sources that are left as they are.

    Returns
    -------
    models : `~gammajax.models.Models`

    Raises
    ------
    ValueError
        If a range is given without its numbers, a distance without ``skydir``, or ``pars``
        names nothing.

    Examples
    --------
    >>> from gammajax.models import PointSpatialModel, PowerLawSpectralModel
    >>> parts = [
    ...     SkyModel(PowerLawSpectralModel(), PointSpatialModel(lon, 0.0), name=name)
    ...     for lon, name in ((0.0, "near"), (9.0, "far"))
    ... ]
    >>> models = free_sources(Models(parts), free=False)
    >>> strong = free_sources(models, pars="norm", minmax_ts=(25, None), ts={"far": 100.0})
    >>> strong.parameters.free_names
    ('far.spectral.amplitude',)
    """
    ranges = (
        ("ts", minmax_ts, ts),
        ("npred", minmax_npred, npred),
        ("variability", minmax_variability, variability),
    )
    for name, given, numbers in ranges:
        if given is not None and numbers is None:
            raise ValueError(
                f"free_sources: minmax_{name} needs {name}, a number for each name"
            )
    sources = [component for component in models if is_source(component)]
    chosen = {component.name for component in sources}
    for _, given, numbers in ranges:
        if given is not None and numbers is not None:
            chosen &= {name for name in chosen if _within(given, numbers.get(name, math.nan))}
    chosen = {n for n in chosen if not any(fnmatchcase(n, pattern) for pattern in exclude)}
    if distance is not None:
        near = _nearby([s for s in sources if s.name in chosen], skydir, distance, square)
        chosen &= near
    if pars is None:
        pars = ("norm", "shape") if free else "*"
    return _changed(models, chosen, pars, free)


def _within(given: tuple[float | None, float | None], value: float) -> bool:
    low, high = given
    return bool(
        np.isfinite(value) and (low is None or value >= low) and (high is None or value <= high)
    )


def _nearby(sources: list[Any], skydir: Any, distance: Any, square: bool) -> set[str]:
    if skydir is None:
        raise ValueError("free_sources: distance needs skydir, from where it is measured")
    if not sources:
        return set()
    from astropy.coordinates import SkyCoord

    largest = float(to_value(distance, "deg", where="free_sources: distance"))
    icrs = [s.spatial_model.position.icrs for s in sources]
    places = SkyCoord([p.ra.deg for p in icrs], [p.dec.deg for p in icrs], unit="deg")
    if square:
        lon, lat = skydir.spherical_offsets_to(places.transform_to(skydir.frame))
        apart = np.maximum(abs(lon.deg), abs(lat.deg))
    else:
        apart = np.asarray(places.separation(skydir).deg)
    return {s.name for s, away in zip(sources, apart, strict=True) if away <= largest}


def _changed(models: Models, chosen: set[str], pars: Any, free: bool) -> Models:
    """The models with some parameters of the chosen components freed or frozen."""
    wanted: set[str] = set()
    for component in models:
        if component.name in chosen:
            wanted |= {f"{component.name}.{name}" for name in _parameters(component, pars)}
    if chosen and not wanted:
        raise ValueError(
            f"free_sources: pars is {pars!r}, which names no parameter of "
            f"{sorted(chosen)[0]!r}; expected {', '.join(GROUPS)}, or globs such as "
            "'spectral.index'"
        )
    rows = tuple(
        dataclasses.replace(row, frozen=not free) if row.name in wanted else row
        for row in models.parameters
    )
    return models.with_table(ParameterTable(rows), models.covariance)


def _parameters(component: Any, pars: Any) -> set[str]:
    """The names of the parameters of a component that ``pars`` stands for."""
    found = slots(component)
    usual = {slot.name for slot in found if not slot.spec.frozen}
    spectral = {name for name in usual if name.startswith("spectral.")}
    norm = {name for name in spectral if name.split(".")[1] in NORMS}
    groups = {
        "norm": norm,
        "shape": spectral - norm,
        "position": {s.name for s in found if s.name in ("spatial.lon_0", "spatial.lat_0")},
    }
    patterns = [pars] if isinstance(pars, str) else list(pars)
    wanted: set[str] = set()
    for pattern in patterns:
        if pattern in groups:
            wanted |= groups[pattern]
        else:
            wanted |= {slot.name for slot in found if fnmatchcase(slot.name, pattern)}
    return wanted


def catalog_column(catalog: Any, name: str, unit: str | None = None) -> dict[str, float]:
    """A column of a catalogue by name of the source, for `free_sources`.

    Parameters
    ----------
    catalog : `~gammajax.catalog.SourceCatalog`
    name : str
        Such as ``Variability_Index``.
    unit : str, optional
    """
    values = catalog.numbers(name, unit or "")
    return dict(zip(catalog.names, map(float, values), strict=True))


def catalog_ts(catalog: Any) -> dict[str, float]:
    """The test statistics of a Fermi-LAT catalogue: squares of ``Signif_Avg``."""
    return {name: value**2 for name, value in catalog_column(catalog, "Signif_Avg").items()}


def region_models(
    catalog: Any,
    datasets: Any,
    *,
    margin: Any = "1 deg",
    which: str | None = None,
    problems: str = "leave out",
) -> Models:
    """The sources of a catalogue that are in the maps of datasets, or near them.

    Parameters
    ----------
    catalog : `~gammajax.catalog.SourceCatalog`
    datasets : `~gammajax.datasets.Datasets` of counts cubes
    margin : float in deg, or `~astropy.units.Quantity`
        How far outside of the pixels in a fit range a source may be; about the radius of 95 %
        of the spread at the lowest energy. Borders are good to a fifth of a pixel.
    which, problems
        See `~gammajax.catalog.SourceCatalog.to_models`.

    Raises
    ------
    ValueError
        If a dataset is no counts cube, or no source is near.
    """
    datasets = datasets if isinstance(datasets, Datasets) else Datasets(datasets)
    far = float(to_value(margin, "deg", where="region_models: margin"))
    near = np.zeros(len(catalog), dtype=bool)
    for dataset in datasets:
        near |= _near_map(catalog.positions, dataset, far)
    if not near.any():
        raise ValueError(
            f"region_models: none of the {len(catalog)} sources of {catalog.tag} is within "
            f"{far:g} deg of {', '.join(datasets.names)}; is it another part of the sky?"
        )
    return catalog[near].to_models(which=which, problems=problems)


def _near_map(positions: Any, dataset: Any, far: float) -> np.ndarray:
    """Which positions are within a distance (deg) of a pixel that is in the fit range."""
    from scipy.spatial import KDTree

    if not hasattr(dataset, "geom"):
        raise ValueError(f"region_models: dataset {dataset.name!r} is no counts cube")
    geom = dataset.geom.to_image()
    seen = dataset.mask.any(axis=0).ravel()
    vectors = np.asarray(geom.unit_vectors()).reshape(-1, 3)
    used = np.nonzero(seen & np.isfinite(vectors).all(axis=1))[0]
    pixel = np.rad2deg(np.sqrt(np.nanmedian(np.asarray(geom.solid_angle()))))
    step = -(-used.size // MOST_DIRECTIONS)
    # a pixel reaches further than its middle; a part of them is further apart
    reach = np.deg2rad(far + pixel * (0.71 + (step - 1)))
    places = positions.transform_to(geom.frame).cartesian
    points = np.stack([places.x.value, places.y.value, places.z.value], axis=-1)
    distance, _ = KDTree(vectors[used[::step]]).query(points)
    return distance <= 2 * np.sin(min(reach, np.pi) / 2)
