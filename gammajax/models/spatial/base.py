"""The base of all spatial models."""

from __future__ import annotations

from typing import Any, ClassVar

import equinox as eqx
import numpy as np

from gammajax.maps.frames import FRAMES
from gammajax.models.base import Model
from gammajax.models.spatial.sphere import DEG, unit_vector
from gammajax.models.spectral.evaluation import call
from gammajax.units import ENERGY, to_quantity, to_value


class SpatialModel(Model):
    """A density on the sky, in sr-1, in one frame; a subclass is its formula.

    A subclass declares its parameters (angles in degrees), its ``tags``, its ``KIND`` and
    one pure function, `evaluate_on`, of unit vectors. The methods that start with
    ``evaluate`` are pure and traceable, and take radians in the frame of the model; calling
    the model takes and returns quantities.

    Attributes
    ----------
    KIND : {"point", "radial", "template", "uniform"}
        How the model can be folded.
    has_centre : bool
        Whether it has a position, ``lon_0`` and ``lat_0``.
    eccentric_names : tuple of str
        The parameters that make it elliptical.
    has_energy : bool
        Whether the density depends on energy.
    per_pixel : bool
        Whether it is a flux in each pixel, whatever its solid angle.
    """

    tags: ClassVar[tuple[str, ...]] = ()
    KIND: ClassVar[str] = "radial"
    has_centre: ClassVar[bool] = True
    eccentric_names: ClassVar[tuple[str, ...]] = ()
    has_frame: ClassVar[bool] = True
    per_pixel: ClassVar[bool] = False

    frame: str = eqx.field(static=True, default="icrs", kw_only=True)

    def __check_init__(self) -> None:
        check_frame(self.frame, f"{type(self).__name__}.frame")

    @property
    def unit(self) -> str:
        """The unit of the density."""
        return "sr-1"

    @property
    def has_energy(self) -> bool:
        """Whether the density depends on energy."""
        return False

    def at_energy(self, energy: Any) -> SpatialModel:
        """The model that holds at an energy in TeV, traceable: itself, unless it has laws."""
        return self

    def centre(self) -> Any:
        """The unit vector, shape (3,), of the position, in the frame of the model."""
        if not self.has_centre:
            raise TypeError(f"{type(self).__name__} has no position")
        lon, lat = self.lonlat()
        return unit_vector(lon, lat)

    def lonlat(self) -> tuple[Any, Any]:
        """Longitude and latitude of the position in radians, traceable."""
        lon, lat = (getattr(self, name) for name in ("lon_0", "lat_0"))
        return lon * DEG, lat * DEG

    def stretch(self) -> tuple[Any, Any]:
        """The axis ratio, and the position angle of the major axis in radians.

        The angle is east of north in the frame of the model.
        """
        return 1.0, 0.0

    def evaluate_on(self, vectors: Any, energy: Any = None) -> Any:
        """The density in sr-1 at unit vectors, shape (..., 3), in the frame of the model."""
        raise TypeError(f"{type(self).__name__} is abstract: choose one of its subclasses")

    def covers(self, vectors: Any) -> Any:
        """Where the density may be other than 0, at unit vectors in the frame of the model."""
        return np.ones(np.shape(vectors)[:-1], dtype=bool)

    def evaluate(self, lon: Any, lat: Any, energy: Any = None) -> Any:
        """The density in sr-1 at angles in radians in the frame of the model."""
        return self.evaluate_on(unit_vector(lon, lat), energy)

    @property
    def detail(self) -> float:
        """The angle in radians over which the density changes; on the host."""
        return float(np.asarray(call(self, "outer_radius"))) / 8

    def outer_radius(self) -> Any:
        """The angle in radians beyond which less than 1e-5 of the flux lies, traceable."""
        return np.pi

    def __call__(self, lon: Any, lat: Any = None, energy: Any = None) -> Any:
        """The density at positions, a quantity in sr-1.

        Parameters
        ----------
        lon : `~astropy.coordinates.SkyCoord`, `~astropy.units.Quantity` or array in degrees
            Positions in any frame, or longitudes in the frame of the model.
        lat : `~astropy.units.Quantity` or array in degrees, optional
            Latitudes, unless ``lon`` has them.
        energy : `~astropy.units.Quantity` or array in TeV, optional
        """
        name = type(self).__name__
        if lat is None:
            if not hasattr(lon, "transform_to"):
                raise ValueError(f"{name}: got no lat, expected a SkyCoord or lon and lat")
            data = lon.transform_to(self.frame).spherical
            lon, lat = data.lon, data.lat
        lon, lat = (
            to_value(value, "deg", where=f"{name}: {what}") * DEG
            for value, what in ((lon, "lon"), (lat, "lat"))
        )
        if energy is not None:
            energy = to_value(energy, ENERGY, where=f"{name}: energy")
        return to_quantity(call(self, "evaluate", lon, lat, energy), self.unit)

    @property
    def position(self) -> Any:
        """The position as a `~astropy.coordinates.SkyCoord`."""
        from astropy.coordinates import SkyCoord

        if not self.has_centre:
            raise ValueError(f"{type(self).__name__} has no position")
        lon, lat = (float(getattr(self, name)) for name in ("lon_0", "lat_0"))
        return SkyCoord(lon, lat, unit="deg", frame=self.frame)

    @classmethod
    def from_position(cls, position: Any, **values: Any) -> Any:
        """A model at a `~astropy.coordinates.SkyCoord`, in its frame if models can have it."""
        where = f"{cls.__name__}.from_position"
        if not cls.has_centre:
            raise ValueError(f"{where}: the model has no position")
        frame = values.pop("frame", position.frame.name)
        data = position.transform_to(check_frame(frame, where)).spherical
        values |= {"lon_0": data.lon.deg, "lat_0": data.lat.deg}
        return cls(frame=frame, **values)

    @property
    def evaluation_radius(self) -> Any:
        """`outer_radius` as a `~astropy.units.Quantity` in degrees."""
        return to_quantity(np.asarray(call(self, "outer_radius")) / DEG, "deg")

    def to_region(self, size_factor: float = 1.0) -> Any:
        """The outline of the model, a sky region of the package regions.

        Parameters
        ----------
        size_factor : float
            In units of the model's size.
        """
        raise ValueError(f"{type(self).__name__} has no outline: it covers the whole sky")

    def plot(self, geom: Any = None, ax: Any = None, **options: Any) -> Any:
        """Draw the density; see `gammajax.plots.plot_spatial`."""
        from gammajax.plots.spatial import plot_spatial

        return plot_spatial(self, geom, ax, **options)


def check_frame(frame: Any, where: str) -> str:
    """``frame`` if it is the name of one that differs from the others by a fixed rotation.

    Raises
    ------
    ValueError
        That lists the names.
    """
    if frame not in FRAMES:
        raise ValueError(f"{where}: got {frame!r}, expected one of {', '.join(FRAMES)}")
    return frame
