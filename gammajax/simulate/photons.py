"""Photons of point sources on HEALPix pixels, drawn one by one."""

from __future__ import annotations

from typing import Any

import numpy as np

from gammajax.datasets import MapDataset
from gammajax.maps import HpxGeom
from gammajax.models import Models, SkyModel, TemplateNPredModel

FINE = 20_000
"""Distances at which the integral of a spread is tabulated."""

MOST = 4_000_000
"""Photons that are placed at once."""


def draw_photons(dataset: MapDataset, models: Models, seed: int) -> MapDataset:
    """The dataset with counts drawn photon by photon, with nothing folded.

    Each photon of a point source is given a true energy bin, a reconstructed one, and a
    direction from the spread. Pixels are found from directions, so nothing is integrated over
    pixels: predictions can be tested with it, and thousands of sources are fast. What is left
    of the components are templates of counts, which are drawn from a Poisson law by pixel.

    Parameters
    ----------
    dataset : `~gammajax.datasets.MapDataset`
        On HEALPix pixels, with a spread and a dispersion that are the same everywhere.
    models : `~gammajax.models.Models`
        Points and `~gammajax.models.TemplateNPredModel`.
    seed : int

    Raises
    ------
    ValueError
        If the dataset has other pixels, or a component is something else.

    Examples
    --------
    >>> from gammajax.models import PointSpatialModel, PowerLawSpectralModel
    >>> from gammajax.simulate import LatLikeComponent, draw_photons, lat_like_datasets
    >>> sky = lat_like_datasets([LatLikeComponent((1e-3, 3e-3, 1e-2), 8)])
    >>> law = PowerLawSpectralModel(amplitude=1e-6, reference="1 GeV")
    >>> source = SkyModel(law, PointSpatialModel(83.6, 22.0), name="crab")
    >>> drawn = draw_photons(sky[0], Models(source), seed=1)
    >>> drawn.counts.data.sum(axis=1)
    array([273.,  87.])
    """
    _check(dataset, models)
    rng = np.random.default_rng(seed)
    known = np.asarray(dataset.background_data, dtype=float).copy()
    points = []
    for component in models:
        if not component.folds_into(dataset.name):
            continue
        if isinstance(component, TemplateNPredModel):
            energy = dataset.energy.center
            factor = np.asarray(component.spectral_model(energy)).reshape(-1, 1)
            known += np.asarray(component.map.data).reshape(known.shape) * factor
        else:
            points.append(component)
    counts = rng.poisson(known).astype(float)
    _add_points(dataset, points, counts, rng)
    return dataset.replace(counts=dataset.counts.with_data(counts))


def _check(dataset: MapDataset, models: Models) -> None:
    where = f"draw_photons: dataset {dataset.name!r}"
    if not isinstance(dataset.geom.to_image(), HpxGeom):
        raise ValueError(f"{where} is not on HEALPix pixels; take dataset.fake(models, seed)")
    for what in ("psf", "edisp"):
        found = getattr(dataset, what)
        if found is None or not found.is_uniform:
            reason = "missing" if found is None else "not the same everywhere"
            raise ValueError(f"{where}: {what} is {reason}; take dataset.fake(models, seed)")
    for component in models:
        kind = getattr(component.spatial_model, "KIND", None)
        point = isinstance(component, SkyModel) and kind == "point"
        if not (point or isinstance(component, TemplateNPredModel)):
            raise ValueError(
                f"draw_photons: component {component.name!r} is neither a point nor a template "
                "of counts; take dataset.fake(models, seed)"
            )


def _add_points(
    dataset: MapDataset, points: list[Any], counts: np.ndarray, rng: np.random.Generator
) -> None:
    """Add the photons of points to counts, shape (energy, pixel)."""
    if not points:
        return
    assert dataset.edisp is not None
    edges, exposure = dataset.energy_true.edges, _exposure(dataset, points)
    flux = [np.asarray(p.spectral_model.integral(edges[:-1], edges[1:])) for p in points]
    matrix = dataset.edisp.table[..., 0, 0]
    expected = (np.stack(flux) * exposure)[..., None] * matrix
    number = rng.poisson(expected)
    vectors = _positions(points).transform_to(dataset.geom.frame).cartesian.xyz.value.T
    radii = _radii(dataset)
    for true, reco in zip(*np.nonzero(matrix > 0), strict=True):
        row = np.repeat(np.arange(len(points)), number[:, true, reco])
        for first in range(0, row.size, MOST):
            some = row[first : first + MOST]
            share, distance = radii[true]
            theta = np.interp(rng.random(some.size), share, distance)
            pixel = _pixels(dataset.geom, vectors[some], theta, rng)
            inside = pixel >= 0
            size = counts.shape[1]
            counts[reco] += np.bincount(pixel[inside], minlength=size)[:size]


def _exposure(dataset: MapDataset, points: list[Any]) -> np.ndarray:
    """At the points, shape (point, energy_true)."""
    coords = {
        "skycoord": _positions(points),
        "energy_true": dataset.energy_true.center[:, None],
    }
    exposure: Any = dataset.exposure
    return np.asarray(exposure.interp_by_coord(coords)).T


def _positions(points: list[Any]) -> Any:
    """Where the points are, in one array: coordinates made one by one take milliseconds."""
    from astropy.coordinates import ICRS, SkyCoord

    lon, lat = np.empty((2, len(points)))
    frames = np.array([p.spatial_model.frame for p in points])
    for frame in np.unique(frames):
        some = np.nonzero(frames == frame)[0]
        own = [points[i].spatial_model for i in some]
        places = np.array([(float(model.lon_0), float(model.lat_0)) for model in own])
        sky: Any = SkyCoord(*places.T, unit="deg", frame=str(frame)).transform_to(ICRS())
        lon[some], lat[some] = sky.ra.deg, sky.dec.deg
    return SkyCoord(lon, lat, unit="deg", frame=ICRS())


def _radii(dataset: MapDataset) -> list[tuple[np.ndarray, np.ndarray]]:
    """Shares of photons within distances (rad), of each true energy."""
    from scipy.interpolate import PchipInterpolator

    assert dataset.psf is not None
    rad = np.deg2rad(dataset.psf.rad.center)
    found = []
    for table in dataset.psf.profile():
        last = rad[table > 0].max()
        theta = np.append(0.0, np.geomspace(1e-4 * last, last, FINE))
        density = np.maximum(PchipInterpolator(rad, table)(theta), 0) * np.sin(theta)
        ring = 0.5 * (density[1:] + density[:-1]) * np.diff(theta)
        share = np.append(0.0, np.cumsum(ring))
        found.append((share / share[-1], theta))
    return found


def _pixels(
    geom: Any, vectors: np.ndarray, theta: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Places in the map of directions at distances from others; -1 outside."""
    import healpy

    helper = np.eye(3)[np.argmin(np.abs(vectors), axis=1)]
    first = np.cross(helper, vectors)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(vectors, first)
    phi = rng.uniform(0, 2 * np.pi, theta.size)
    side = np.cos(phi)[:, None] * first + np.sin(phi)[:, None] * second
    moved = np.cos(theta)[:, None] * vectors + np.sin(theta)[:, None] * side
    image = geom.to_image()
    ids = healpy.vec2pix(int(image.nside), *moved.T, nest=image.nest)
    return np.asarray(image.local(ids))
