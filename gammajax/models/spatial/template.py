"""Templates: densities read off maps of the sky."""

from __future__ import annotations

from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from gammajax.maps import HpxGeom, Map, SkyToPix, WcsGeom
from gammajax.maps.interpolation import linear
from gammajax.models.spatial.base import SpatialModel
from gammajax.models.spatial.healpix import interpolation, ring_places
from gammajax.models.spatial.sphere import DEG, tangent_axes, unit_vector
from gammajax.models.spatial.template_map import (
    DENSITY,
    ENERGY_AXES,
    checked,
    energies,
    farthest,
    middle,
)
from gammajax.models.spectral.interpolation import TINY, cell, interpolate
from gammajax.parameters import parameter


class TemplateBase(SpatialModel):
    """What the templates share: values on a geometry, interpolated.

    Between pixels the values are bilinear, which keeps their integral (HEALPix names four
    pixels as well). Between energies a brightness is a power law; a density is linear in the
    logarithm of energy, so that it stays normalised. Outside of the map the values are 0, and
    values below 0 are read as 0.
    """

    KIND: ClassVar[str] = "template"

    values: eqx.AbstractVar[Any]
    geom: eqx.AbstractVar[Any]
    values_unit: eqx.AbstractVar[str]
    filename: eqx.AbstractVar[str]

    @property
    def unit(self) -> str:
        """Of the density: sr-1, or that of a brightness, to be multiplied with a norm."""
        return self.values_unit

    @property
    def map(self) -> Map:
        """The values as a map."""
        return Map.from_geom(self.geom, data=self.values, unit=self.values_unit)

    @property
    def has_energy(self) -> bool:
        return any(axis.name in ENERGY_AXES for axis in self.geom.axes)

    @property
    def detail(self) -> float:
        """The angle in radians over which the density changes: a pixel."""
        return float(np.sqrt(np.median(self.geom.to_image().solid_angle())))

    def replace(self, **values: Any) -> Any:
        """A new model with other fields; ``map`` stands for the values."""
        own = ("map", *self.parameter_names, *self._options())
        for name in values:
            if name not in own:
                raise ValueError(
                    f"{type(self).__name__}: has no field {name!r}; it has {', '.join(own)}"
                )
        return self._made(**values)

    def _options(self) -> tuple[str, ...]:
        return ("filename",)

    def _made(self, **values: Any) -> Any:
        raise TypeError(f"{type(self).__name__} is abstract: choose one of its subclasses")

    def _on_sky(self, table: Any, vectors: Any, rest: tuple[Any, ...]) -> Any:
        """The table at unit vectors, and at places in bins along its other axes."""
        table = jnp.maximum(jnp.asarray(table), 0.0)
        if isinstance(self.geom, HpxGeom):
            pixels, weights = interpolation(vectors, self.geom.nside)
            places = jnp.asarray(ring_places(self.geom))[pixels]
            inside = jnp.all(places >= 0, axis=-1)
            found = 0.0
            for corner in range(4):
                points = (*rest, jnp.where(inside, places[..., corner], 0))
                found = found + weights[..., corner] * linear(table, points)
        else:
            x, y, inside = self._pixels(vectors)
            x, y = (jnp.where(inside, place, 0.0) for place in (x, y))
            found = linear(table, (*rest, y, x))
        return jnp.where(inside, jnp.maximum(found, 0.0), 0.0)

    def _pixels(self, vectors: Any) -> tuple[Any, Any, Any]:
        """Pixels of unit vectors on a map in a projection, and whether they are inside."""
        x, y = SkyToPix.from_geom(self.geom).vector_to_pix(vectors)
        width, height = self.geom.npix
        inside = (x >= -0.5) & (x <= width - 0.5) & (y >= -0.5) & (y <= height - 0.5)
        return x, y, inside

    def _turned(self, vectors: Any) -> Any:
        """Where on the map what is seen in some directions is."""
        return jnp.asarray(vectors)

    def covers(self, vectors: Any) -> Any:
        if isinstance(self.geom, HpxGeom):
            return super().covers(vectors)
        return self._pixels(self._turned(vectors))[2]

    def _at(self, vectors: Any, energy: Any, rest: tuple[Any, ...]) -> Any:
        """The values at unit vectors and at an energy, with places along the other axes."""
        if not self.has_energy:
            return self._on_sky(self.values, vectors, rest)
        if energy is None:
            raise ValueError(
                f"{type(self).__name__}: its map depends on energy, and got none to evaluate at"
            )
        names = [axis.name for axis in reversed(list(self.geom.axes))]
        first = next(i for i, name in enumerate(names) if name in ENERGY_AXES)
        nodes = jnp.log(jnp.asarray(energies(self.geom)))
        if nodes.size == 1:
            return self._on_sky(self.values, vectors, (*rest[:first], 0.0, *rest[first:]))
        bins, share = cell(nodes, jnp.log(energy))
        below, above = (
            self._on_sky(self.values, vectors, (*rest[:first], place, *rest[first:]))
            for place in (bins, bins + 1)
        )
        if self.values_unit == DENSITY:
            share = jnp.clip(share, 0.0, 1.0)
            return below + share * (above - below)
        logs = (jnp.log(jnp.maximum(values, TINY)) for values in (below, above))
        low, high = logs
        found = jnp.exp(low + share * (high - low))
        return jnp.where((below > 0) | (above > 0), found, 0.0)

    def to_region(self, size_factor: float = 1.0) -> Any:
        """The frame of the map; the whole sky has none."""
        from astropy.units import Quantity
        from regions import RectangleSkyRegion

        if not isinstance(self.geom, WcsGeom):
            return super().to_region(size_factor)
        width, height = (float(size) for size in np.ravel(self.geom.width)[:2])
        return RectangleSkyRegion(
            self.geom.center_skydir, Quantity(width, "deg"), Quantity(height, "deg")
        )


class TemplateSpatialModel(TemplateBase):
    """A density read off a map, with or without an axis of energy.

    A position other than the centre of the map turns the whole template on the sphere, from
    the centre to the position, without stretching it.

    Parameters
    ----------
    map : `~gammajax.maps.Map`
        An image, or one for each energy; pixels of a projection or of HEALPix. Values without
        a unit are taken to be in sr-1.
    normalize : bool
        Whether to scale each image so that its sum over pixels, times their solid angles,
        is 1; a template of a brightness must not be.
    lon_0, lat_0 : float, optional
        Where the centre of the map is put; by default where it is.
    filename : str
        Where the map came from, for model files.

    Examples
    --------
    >>> from gammajax.maps import Map
    >>> from gammajax.models import TemplateSpatialModel
    >>> image = Map.create(skydir=(10, 20), npix=5, binsz=0.1) + 1.0
    >>> model = TemplateSpatialModel(image)
    >>> print(model, model(10, 20).round(0))
    TemplateSpatialModel(lon_0=10 deg, lat_0=20 deg) 13131.0 1 / sr
    """

    tags: ClassVar[tuple[str, ...]] = ("TemplateSpatialModel", "template")

    values: Any = eqx.field()
    geom: Any = eqx.field(static=True)
    values_unit: str = eqx.field(static=True)
    normalize: bool = eqx.field(static=True)
    filename: str = eqx.field(static=True)
    lon_0: Any = parameter(
        np.nan, "deg", frozen=True, description="longitude of the map's centre"
    )
    lat_0: Any = parameter(
        np.nan, "deg", min=-90.0, max=90.0, frozen=True, description="latitude of the centre"
    )

    def __init__(
        self,
        map: Map,
        normalize: bool = True,
        lon_0: Any = None,
        lat_0: Any = None,
        filename: Any = "",
    ) -> None:
        self.values, self.values_unit = checked(map, type(self).__name__, normalize)
        self.geom = map.geom
        self.normalize = normalize
        self.filename = str(filename)
        self.frame = map.geom.frame
        lon, lat = middle(map.geom)
        self.lon_0 = lon if lon_0 is None else lon_0
        self.lat_0 = lat if lat_0 is None else lat_0

    def __check_init__(self) -> None:
        if [axis.name for axis in self.geom.axes if axis.name not in ENERGY_AXES]:
            raise ValueError(
                f"TemplateSpatialModel: the map has the axes "
                f"{[axis.name for axis in self.geom.axes]}, expected energy_true alone; "
                "TemplateNDSpatialModel takes others"
            )

    @classmethod
    def read(cls, filename: Any, normalize: bool = True) -> TemplateSpatialModel:
        """Read a template from the file of a map."""
        return cls(Map.read(filename), normalize, filename=filename)

    def _options(self) -> tuple[str, ...]:
        return ("normalize", "filename")

    def _made(self, **values: Any) -> Any:
        kept = {name: getattr(self, name) for name in ("map", *self._options())}
        return type(self)(**(kept | {"lon_0": self.lon_0, "lat_0": self.lat_0} | values))

    def _turned(self, vectors: Any) -> Any:
        lon, lat = (np.float64(value * DEG) for value in middle(self.geom))
        old = jnp.stack([*tangent_axes(lon, lat), unit_vector(lon, lat)])
        new = jnp.stack([*tangent_axes(*self.lonlat()), self.centre()])
        return (jnp.asarray(vectors) @ new.T) @ old

    def evaluate_on(self, vectors: Any, energy: Any = None) -> Any:
        return self._at(self._turned(vectors), energy, ())

    def outer_radius(self) -> Any:
        if isinstance(self.geom, HpxGeom):
            return np.pi
        return min(farthest(self.geom), np.pi)


class TemplateNDSpatialModel(TemplateBase):
    """A density read off a map whose further axes are parameters.

    Linear in the scale of each axis. The values are taken as they are, not normalised.

    Parameters
    ----------
    map : `~gammajax.maps.Map`
        With axes besides that of energy, whose names are those of the parameters.
    coordinates : array, optional
        Parameter values; the middle of each axis by default.
    filename : str
        Where the map came from, for model files.

    Examples
    --------
    >>> import numpy as np
    >>> from gammajax.maps import Map, MapAxis
    >>> from gammajax.models import TemplateNDSpatialModel
    >>> age = MapAxis.from_nodes([1.0, 3.0], name="age", interp="lin")
    >>> cube = Map.create(npix=3, binsz=0.1, axes=[age], unit="sr-1")
    >>> cube = cube.with_data(np.ones((2, 3, 3)) * np.array([1.0, 2.0])[:, None, None])
    >>> model = TemplateNDSpatialModel(cube, [2.0])
    >>> print(model, model(0, 0).round(4))
    TemplateNDSpatialModel(age=2) 1.5 1 / sr
    """

    tags: ClassVar[tuple[str, ...]] = ("TemplateNDSpatialModel", "templateND")
    has_centre: ClassVar[bool] = False

    values: Any = eqx.field()
    geom: Any = eqx.field(static=True)
    names: tuple[str, ...] = eqx.field(static=True)
    values_unit: str = eqx.field(static=True)
    filename: str = eqx.field(static=True)
    coordinates: Any = parameter(vector=True, names_from="names", description="coordinate")

    def __init__(self, map: Map, coordinates: Any = None, filename: Any = "") -> None:
        self.values, self.values_unit = checked(map, type(self).__name__, False)
        self.geom = map.geom
        self.filename = str(filename)
        self.frame = map.geom.frame
        axes = [axis for axis in map.geom.axes if axis.name not in ENERGY_AXES]
        self.names = tuple(axis.name for axis in axes)
        middles = [(axis.center[0] + axis.center[-1]) / 2 for axis in axes]
        self.coordinates = middles if coordinates is None else coordinates

    def __check_init__(self) -> None:
        if not self.names or np.shape(self.coordinates) != (len(self.names),):
            raise ValueError(
                f"TemplateNDSpatialModel.coordinates: got {self.coordinates}, expected one of "
                f"each axis besides energy: {', '.join(self.names) or 'the map has none'}"
            )

    @classmethod
    def read(cls, filename: Any) -> TemplateNDSpatialModel:
        """Read a template from the file of a map."""
        return cls(Map.read(filename), filename=filename)

    def _made(self, **values: Any) -> Any:
        kept = {name: getattr(self, name) for name in ("map", *self._options())} | values
        named = {name: kept.pop(name) for name in self.names if name in kept}
        if named:
            given = dict(zip(self.names, np.asarray(kept["coordinates"]), strict=True)) | named
            kept["coordinates"] = list(given.values())
        return type(self)(**kept)

    def _options(self) -> tuple[str, ...]:
        return ("coordinates", "filename")

    def evaluate_on(self, vectors: Any, energy: Any = None) -> Any:
        rest = []
        for axis in reversed(list(self.geom.axes)):
            if axis.name in ENERGY_AXES:
                continue
            log = axis.interp == "log"
            nodes = jnp.log(axis.center) if log else jnp.asarray(axis.center)
            value = self.coordinates[self.names.index(axis.name)]
            bins = jnp.arange(axis.nbin, dtype=float)
            rest.append(interpolate([nodes], bins, [jnp.log(value) if log else value]))
        return self._at(jnp.asarray(vectors), energy, tuple(rest))
