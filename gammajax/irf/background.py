"""Background rates."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import jax.numpy as jnp
import numpy as np

from gammajax.irf.axis import GridAxis
from gammajax.irf.interpolation import TINY
from gammajax.irf.table import ENERGY_RECO, FOV_LAT, FOV_LON, IRF, OFFSET, AxisForm, Quantities

RATE = Quantities((("BKG", "BGD"),), ("s-1 TeV-1 sr-1",))
NOTHING = 10 * TINY
"""Rates below this come from zeros of the table, and are 0."""


class _Background(IRF):
    """What both background tables share; a power law between two nodes of energy."""

    quantities: ClassVar[Quantities] = RATE
    hduclas2: ClassVar[str] = "BKG"
    values_scale: ClassVar[str] = "log"

    def _from_interpolated(self, found: Any) -> Any:
        """Zeros of the table are read as tiny numbers, and given back as zeros; pure."""
        return jnp.where(found > NOTHING, found, 0.0)

    def with_alignment(self, fov_alignment: str) -> Self:
        """The same table with its axes along other directions."""
        return type(self)(
            self.axes, self.values, point_like=self.point_like, fov_alignment=fov_alignment
        )


class Background2D(_Background):
    """Background rate, in s-1 TeV-1 sr-1, of reconstructed energy and offset.

    The logarithm of the rate is linear in ln E and offset.
    """

    forms: ClassVar[tuple[AxisForm, ...]] = (ENERGY_RECO, OFFSET)
    hdu_class: ClassVar[str] = "BKG_2D"

    @classmethod
    def from_parametrization(cls, **options: Any) -> Background2D:
        """The table of `Background3D.from_parametrization`, of energy and offset."""
        return Background3D.from_parametrization(**options).to_2d()

    def to_3d(self, nbin: int = 30) -> Background3D:
        """The same rate on axes of the field of view, ``nbin`` bins each."""
        energy, offset = self.axes
        edges = np.linspace(-offset.edges_max[-1], offset.edges_max[-1], nbin + 1)
        lon = GridAxis.from_edges(edges, "fov_lon", "deg")
        lat = GridAxis.from_edges(edges, "fov_lat", "deg")
        distance = np.hypot(lon.center[:, None], lat.center)
        rate = self.evaluate(energy=energy.center[:, None, None], offset=distance)
        return Background3D((energy, lon, lat), rate, fov_alignment=self.fov_alignment)


class Background3D(_Background):
    """Background rate, in s-1 TeV-1 sr-1, of reconstructed energy and place in the field.

    The logarithm of the rate is linear in ln E and both coordinates. ``fov_alignment`` says
    along what the coordinates lie.
    """

    forms: ClassVar[tuple[AxisForm, ...]] = (ENERGY_RECO, FOV_LON, FOV_LAT)
    hdu_class: ClassVar[str] = "BKG_3D"

    @classmethod
    def from_parametrization(cls, **options: Any) -> Any:
        """A power law that falls off with the offset, by a formula: see `formula_irfs`.

        Parameters
        ----------
        **options
            ``background``, ``energy_edges``, ``offset_max``.
        """
        from gammajax.irf.formulas import formula_irfs

        return formula_irfs(**options)["bkg"]

    def to_2d(self, n_angles: int = 64) -> Background2D:
        """The mean over circles around the centre of the field."""
        energy, lon, _ = self.axes
        edges = lon.edges[lon.edges > -1e-9 * lon.edges[-1]]
        offset = GridAxis.from_edges(np.append(0.0, edges[edges > 1e-9]), "offset", "deg")
        angle = 2 * np.pi * np.arange(n_angles) / n_angles
        rate = self.evaluate(
            energy=energy.center[:, None, None],
            fov_lon=offset.center[:, None] * np.cos(angle),
            fov_lat=offset.center[:, None] * np.sin(angle),
        )
        return Background2D((energy, offset), rate.mean(axis=-1))
