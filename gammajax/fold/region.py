r"""The part of a source that falls in the region of a spectrum.

.. math:: f_t = \int_\mathrm{region} (P_t * M)(\theta) \, d\Omega
             = \sum_j c_{t j} \sum_n w_n B_j(\theta_n)

with the spread P and the shape M, whose convolution is a spline of the distance from the source
with the coefficients c, and with nodes n of the region. It is smooth in position and size.
`~gammajax.fold.region_plane` has shapes that are not round.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from gammajax.fold.radial import CORE, RadialGrid, SpreadTransform, resampled
from gammajax.fold.region_grid import plane_fractions
from gammajax.fold.region_plane import KnownFractions, PlaneFractions
from gammajax.fold.sky_response import median_radius
from gammajax.maps import RegionGeom, frame_rotation

ORDERS = (12, 64)
"""Least and largest order of the nodes of a region."""

PER_SPREAD = 8.0
"""Orders for each radius of 68 % that the region is wide."""

GROWTH = 3.0
"""How many times its start size a source may have."""


class RegionFractions(eqx.Module):
    """How much of the sources of a stack falls in the regions of the datasets of a term.

    Attributes
    ----------
    vectors : array, shape (dataset, node, 3)
        Nodes of the regions, in the frame of the models.
    weights : array, shape (dataset, node), in sr
    tables : array, shape (dataset, energy_true, n)
        Spreads at the nodes of the radial grid.
    known : array of bool, shape (dataset,)
        False where the exposure counts what falls in the region: the fraction is 1.
    transform : `~gammajax.fold.radial.SpreadTransform`
    extended : bool
    """

    vectors: Any
    weights: Any
    tables: Any
    known: Any
    transform: SpreadTransform
    extended: bool = eqx.field(static=True)

    def at(self, sources: Any) -> Any:
        """The fractions of sources, shape (dataset, component, energy_true)."""

        def of_dataset(vectors: Any, weights: Any, tables: Any, known: Any) -> Any:
            def one(source: Any) -> Any:
                return self._fraction(source.spatial_model, vectors, weights, tables)

            return jnp.where(known, jax.vmap(one)(sources), 1.0)

        parts = (jnp.asarray(a) for a in (self.vectors, self.weights, self.tables, self.known))
        return jax.vmap(of_dataset)(*parts)

    def _fraction(self, spatial: Any, vectors: Any, weights: Any, tables: Any) -> Any:
        grid = self.transform.grid
        if self.extended:
            shape = spatial.hankel(jnp.asarray(self.transform.wavenumber))
            spread = (tables @ self.transform.to_hankel.T) * shape
            spline = spread @ self.transform.from_hankel.T
        else:
            spline = tables @ grid.prefilter.T
        offset = vectors - spatial.centre()
        q = jnp.sum(offset * offset, axis=-1)
        start, basis = grid.basis(q)
        return spline @ grid.sums((basis * weights)[None], start)[0, 0]


def region_fractions(
    datasets: Sequence[Any], stack: Any, components: Sequence[Any], n_true: int
) -> RegionFractions | PlaneFractions | KnownFractions | None:
    """The fractions of a stack; None where the datasets count what falls in the region.

    Parameters
    ----------
    datasets : sequence of spectra
    stack : `~gammajax.fold.stack.Stack`
    components : sequence of components
    n_true : int
        Bins of true energy, padded.

    Raises
    ------
    ValueError
        If a model is a flux in each pixel.
    """
    spatial = components[0].spatial_model
    wanted = [
        dataset.psf is not None and any(c.folds_into(dataset.name) for c in components)
        for dataset in datasets
    ]
    if spatial is None or not any(wanted) or not components[0].irf_applies("psf"):
        return None
    if spatial.per_pixel:
        raise ValueError(
            f"component {components[0].name!r}: {type(spatial).__name__} is a flux in each "
            "pixel of a map, and a region has none; fit a counts cube"
        )
    if not stack.is_round or spatial.has_energy:
        return plane_fractions(datasets, wanted, _of_dataset, stack, components, n_true)
    some = [dataset for dataset, want in zip(datasets, wanted, strict=True) if want]
    extended = spatial.KIND != "point"
    grid = _grid(some, components, extended)
    parts = [
        _of_dataset(d, spatial.frame) if want else None
        for d, want in zip(datasets, wanted, strict=True)
    ]
    most = max(part[1].size for part in parts if part is not None)
    vectors = np.tile([1.0, 0.0, 0.0], (len(datasets), most, 1))
    weights = np.zeros((len(datasets), most))
    tables = np.zeros((len(datasets), n_true, grid.theta.size))
    for row, part in enumerate(parts):
        if part is not None:
            number = part[1].size
            vectors[row, :number], weights[row, :number] = part[:2]
            tables[row, : len(part[3])] = resampled(grid, *part[2:])
    transform = SpreadTransform.create(grid, extended=extended)
    return RegionFractions(vectors, weights, tables, np.array(wanted), transform, extended)


def _of_dataset(dataset: Any, frame: str) -> tuple[np.ndarray, ...]:
    """Nodes of the region in a frame, their weights, distances, and the spreads there."""
    region = RegionGeom.create(dataset.meta["on_region"])
    rad, tables = _tables(dataset)
    width = np.sqrt(float(region.solid_angle().sum()) / np.pi)
    spread = min(median_radius(rad, row) for row in tables if row.max() > 0)
    order = int(np.clip(np.ceil(PER_SPREAD * width / spread), *ORDERS))
    vectors, weights = region.integration_nodes(order)
    return vectors @ frame_rotation(region.frame, frame).T, weights, rad, tables


def _tables(dataset: Any) -> tuple[np.ndarray, np.ndarray]:
    """Distances in rad, and the spreads in the middle of the region, (energy_true, rad)."""
    center = RegionGeom.create(dataset.meta["on_region"]).center_skydir
    nodes, tables = np.log(dataset.psf.energy.center), dataset.psf.profile(center)
    wanted = np.log(dataset.energy_true.center)
    found = np.stack([np.interp(wanted, nodes, column) for column in tables.T], axis=1)
    return np.deg2rad(dataset.psf.rad.center), found


def _grid(datasets: Sequence[Any], components: Sequence[Any], extended: bool) -> RadialGrid:
    core, last = np.inf, 0.0
    for dataset in datasets:
        rad, tables = _tables(dataset)
        core = min([core, *(median_radius(rad, row) for row in tables if row.max() > 0)])
        last = max(last, float(rad[-1]))
    if extended:
        last += GROWTH * max(float(c.spatial_model.outer_radius()) for c in components)
    return RadialGrid.create(CORE * core, last)
