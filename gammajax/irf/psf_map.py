"""Point spread functions on the sky, as datasets have them."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np

from gammajax.irf.irf_map import IRFMap
from gammajax.irf.psf_kernel import PSFKernel
from gammajax.maps import Map, MapAxis, WcsGeom
from gammajax.units import to_quantity, to_value


def ring_areas(nodes: np.ndarray) -> np.ndarray:
    r"""Weights with which a density given at distances integrates over the sphere.

    The density is linear between the nodes and constant below the first, so the integral
    :math:`2 \pi \int f(\theta) \sin\theta \, d\theta` is a sum over its values.

    Parameters
    ----------
    nodes : array, shape (n,), in deg

    Returns
    -------
    weights : array, shape (n,), in sr
    """
    x = np.deg2rad(nodes)
    weights = np.zeros(x.size)
    low, high = x[:-1], x[1:]
    step = high - low
    flat = np.cos(low) - np.cos(high)
    # integral of (theta - low) sin(theta)
    slope = np.sin(high) - np.sin(low) - step * np.cos(high)
    weights[1:] += slope / step
    weights[:-1] += flat - slope / step
    weights[0] += 1 - np.cos(x[0])
    return 2 * np.pi * weights


class PSFMap(IRFMap):
    """Point spread function as a table of distance and true energy at pixels of the sky.

    Densities are in sr-1 and distances in deg, linear between the nodes of distance.

    Examples
    --------
    >>> from gammajax.maps import MapAxis
    >>> energy = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=2, name="energy_true")
    >>> psf = PSFMap.from_gauss(energy, sigma=0.1)
    >>> psf.containment_radius(0.68)
    <Quantity [0.1509..., 0.1509...] deg>
    """

    axes_names: ClassVar[tuple[str, ...]] = ("rad", "energy_true")
    axes_units: ClassVar[tuple[str, ...]] = ("deg", "TeV")
    unit: ClassVar[str] = "sr-1"
    hdu: ClassVar[str] = "PSF"

    @classmethod
    def from_table(
        cls,
        energy: MapAxis,
        rad: MapAxis,
        values: Any,
        *,
        exposure: Any = None,
        frame: str = "icrs",
    ) -> Self:
        """The same function all over the sky.

        Parameters
        ----------
        energy, rad : `~gammajax.maps.MapAxis`
        values : array, shape (energy, rad), in sr-1
        exposure : array, shape (energy,), in cm2 s, optional
        frame : str
        """
        geom = WcsGeom.create(npix=(2, 1), binsz=180.0, proj="CAR", frame=frame)
        geom = geom.to_cube([rad, energy])
        table = to_value(values, cls.unit, where=f"{cls.__name__}: values")
        data = np.broadcast_to(table[..., None, None], geom.data_shape)
        make: Any = cls
        weight = None
        if exposure is not None:
            cube = geom.squash("rad")
            number = to_value(exposure, "cm2 s", where=f"{cls.__name__}: exposure")
            weight = Map.from_geom(cube, data=number[:, None, None, None], unit="cm2 s")
        return make(Map.from_geom(geom, data=data.copy(), unit=cls.unit), weight)

    @classmethod
    def from_gauss(
        cls, energy: MapAxis, *, sigma: Any, rad: MapAxis | None = None, frame: str = "icrs"
    ) -> Self:
        """A Gaussian of one width, or of one for each energy, all over the sky.

        Parameters
        ----------
        energy : `~gammajax.maps.MapAxis`
        sigma : float or array, in deg
        rad : `~gammajax.maps.MapAxis`, optional
            By default 300 nodes from 0 to 6 times the largest sigma.
        """
        width = np.broadcast_to(to_value(sigma, "deg", where="sigma"), (energy.nbin,))
        if np.any(width <= 0):
            raise ValueError(f"{cls.__name__}: sigma is {sigma}, expected more than 0")
        if rad is None:
            nodes = np.linspace(0, 6 * width.max(), 300)
            rad = MapAxis.from_nodes(nodes, name="rad", unit="deg", interp="lin")
        table = np.exp(-0.5 * (rad.center / width[:, None]) ** 2)
        table /= (table @ ring_areas(rad.center))[:, None]
        return cls.from_table(energy, rad, table, frame=frame)

    @property
    def energy(self) -> MapAxis:
        """The axis of energy."""
        return self.axis(self.axes_names[1])

    @property
    def rad(self) -> MapAxis:
        """The axis of distance, in deg."""
        return self.axis("rad")

    def normalised(self) -> np.ndarray:
        """The tables divided by their integrals, in the shape of the map; 0 where empty."""
        total = np.tensordot(ring_areas(self.rad.center), self.table, axes=(0, 1))
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(total[:, None] > 0, self.table / total[:, None], 0.0)

    def containment(self, rad: Any, position: Any = None) -> np.ndarray:
        """Fraction of the events within a distance, shape (energy,)."""
        nodes, table = self.rad.center, self.profile(position)
        edge = float(to_value(rad, "deg", where="rad"))
        inside = np.append(nodes[nodes < edge], edge)
        values = np.stack([np.interp(inside, nodes, row) for row in table])
        return (values @ ring_areas(inside)) / (table @ ring_areas(nodes))

    def containment_radius(self, fraction: float, position: Any = None) -> Any:
        """The distance that contains a fraction of all events of the table, shape (energy,).

        Parameters
        ----------
        fraction : float
        position : `~astropy.coordinates.SkyCoord`, optional
            By default the middle of the map.
        """
        fine = np.linspace(0, self.rad.center[-1], 4001)
        table = np.stack(
            [np.interp(fine, self.rad.center, row) for row in self.profile(position)]
        )
        ring = 0.5 * (table[:, 1:] + table[:, :-1]) * np.diff(-np.cos(np.deg2rad(fine)))
        share = np.cumsum(ring, axis=1) / ring.sum(axis=1, keepdims=True)
        radii = [np.interp(fraction, np.append(0, row), fine) for row in share]
        return to_quantity(np.array(radii), "deg")

    def get_psf_kernel(
        self, geom: Any, *, position: Any = None, max_radius: Any = None
    ) -> PSFKernel:
        """The spread over pixels of the size of a geometry; see `PSFKernel.from_psf`."""
        return PSFKernel.from_psf(self, geom, position=position, max_radius=max_radius)

    def profile(self, position: Any = None) -> np.ndarray:
        """The tables at a position, by default the middle of the map, shape (energy, rad)."""
        if position is None:
            ny, nx = self.table.shape[-2:]
            return self.table[..., ny // 2, nx // 2]
        return np.asarray(self.at(unit_vector(position, self.geom.frame)))


class RecoPSFMap(PSFMap):
    """Point spread function as a table of distance and reconstructed energy.

    Datasets with it fold exposure and energy dispersion first, and the spread last.
    """

    axes_names: ClassVar[tuple[str, ...]] = ("rad", "energy")


def unit_vector(position: Any, frame: str) -> np.ndarray:
    """The unit vectors of sky positions in a frame, shape (..., 3)."""
    cartesian = position.transform_to(frame).cartesian
    return np.stack([cartesian.x.value, cartesian.y.value, cartesian.z.value], axis=-1)
