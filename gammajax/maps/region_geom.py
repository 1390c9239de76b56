"""One region of the sky, times further axes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from gammajax.maps import shape_nodes, shapes
from gammajax.maps.frames import from_vector, to_vector
from gammajax.maps.geom import Geom, MapCoord, coordinates, pair, sky_position
from gammajax.maps.map_axes import MapAxes
from gammajax.maps.masks import parse_regions


@dataclass(frozen=True, eq=False)
class RegionGeom(Geom):
    r"""One region of the sky as the only pixel of a map, times further axes.

    Circles and annuli are those of the sphere. Ellipses and rectangles are those of the plane
    that touches the sky at their centre, and the sides of polygons are great circles.

    Parameters
    ----------
    region : `~regions.SkyRegion`, optional
        A point, circle, annulus, ellipse, rectangle, polygon, or a compound of them. None
        is no region in particular: every position is in it, and it has no solid angle.
    axes : iterable of `MapAxis`

    Examples
    --------
    >>> from gammajax.maps import MapAxis, RegionGeom
    >>> energy = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=3)
    >>> geom = RegionGeom.create("icrs;circle(83.63, 22.01, 0.5)", axes=[energy])
    >>> geom.data_shape
    (3, 1, 1)
    >>> geom.contains((83.63, [22.2, 23.0], 2.0))
    array([ True, False])
    >>> geom.solid_angle().item()  # 2 pi (1 - cos 0.5 deg)
    0.00023924...
    """

    region: Any = None
    axes: MapAxes = MapAxes()  # noqa: RUF009 (it is immutable)

    def __post_init__(self) -> None:
        object.__setattr__(self, "axes", MapAxes(self.axes))
        if self.region is not None:
            shapes.name_of(self.region)
            for part in shapes.parts(self.region):
                for name in shapes.SHAPES[shapes.name_of(part)]:
                    size = getattr(part, name).to_value("deg")
                    if not np.isfinite(size) or (name != "angle" and not 0 < size <= 180):
                        raise ValueError(
                            f"RegionGeom: {name} is {size:g} deg, expected 0 to 180 deg"
                        )

    @classmethod
    def create(cls, region: Any, *, axes: Any = ()) -> RegionGeom:
        """The geometry of a region.

        Parameters
        ----------
        region : `~regions.SkyRegion`, str in DS9's language, list of them, or None
            Several regions become their union.
        axes : iterable of `MapAxis`
        """
        return cls.from_regions([] if region is None else region, axes=axes)

    @classmethod
    def from_regions(cls, regions: Any, *, axes: Any = ()) -> RegionGeom:
        """The union of several regions; see `create`."""
        found = parse_regions(regions)
        union = found[0] if found else None
        for item in found[1:]:
            union = union | item
        return cls(union, MapAxes(axes))

    @cached_property
    def key(self) -> tuple[Any, ...]:
        """What tells one geometry from another."""
        return ("region", self.region and shapes.key(self.region), self.axes)

    @property
    def frame(self) -> str:  # pyright: ignore
        """The frame of the region; ``icrs`` without one."""
        return "icrs" if self.region is None else shapes.frame_of(self.region)

    @property
    def is_image(self) -> bool:
        """Whether there are no axes besides the region."""
        return not len(self.axes)

    @property
    def npix(self) -> tuple[int, int]:
        """One pixel."""
        return 1, 1

    @property
    def is_point(self) -> bool:
        """Whether the region is one point, which has no solid angle."""
        return type(self.region).__name__ == "PointSkyRegion"

    @property
    def data_shape(self) -> tuple[int, ...]:
        """Shape of a map's array: the last axis first, then 1 and 1 for the region."""
        return (*self.axes.shape, 1, 1)

    def _required(self) -> Any:
        if self.region is None:
            raise ValueError("RegionGeom: there is no region; give one to RegionGeom.create")
        return self.region

    @property
    def center_skydir(self) -> Any:
        """Middle of the region (of its parts, if it is a compound)."""
        vector, _ = shapes.bounds(self._required(), self.frame)
        return sky_position(np.degrees(from_vector(vector)), self.frame)

    @property
    def radius(self) -> float:
        """Radius (deg) of a circle around `center_skydir` that holds the region."""
        return float(np.degrees(shapes.bounds(self._required(), self.frame)[1]))

    def get_image_coord(self) -> MapCoord:
        """Longitude and latitude of the region's middle, shape (1, 1); NaN without region."""
        if self.region is None:
            lon = lat = np.nan
        else:
            middle = self.center_skydir.spherical
            lon, lat = middle.lon.deg, middle.lat.deg
        values = {"lon": np.full((1, 1), lon), "lat": np.full((1, 1), lat)}
        return MapCoord(values, self.frame)

    def get_coord(self, *, sparse: bool = False) -> MapCoord:
        """Coordinates of all bins, at the region's middle."""
        values = dict(self.get_image_coord())
        for name, center in self.axes.coords().items():
            values[name] = center[..., None, None]
        if not sparse:
            arrays = np.broadcast_arrays(*values.values())
            values = dict(zip(values, arrays, strict=True))
        return MapCoord(values, self.frame)

    def _inside(self, lon: Any, lat: Any) -> np.ndarray:
        lon, lat = np.broadcast_arrays(np.asarray(lon, float), np.asarray(lat, float))
        if self.region is None:
            return np.ones(lon.shape, dtype=bool)
        vectors = to_vector(np.radians(lon), np.radians(lat))
        return np.isfinite(lat) & shapes.contains(
            self.region, np.nan_to_num(vectors), self.frame
        )

    def coord_to_pix(self, coords: Any) -> tuple[Any, ...]:
        """0 and 0 in the region and NaN outside, then the positions along the axes."""
        found = coordinates(coords, self)
        pix = np.where(self._inside(found["lon"], found["lat"]), 0.0, np.nan)
        return (pix, pix, *(axis.coord_to_pix(found[axis.name]) for axis in self.axes))

    def coord_to_idx(self, coords: Any, *, clip: bool = False) -> tuple[np.ndarray, ...]:
        """The bin of each point: 0 and 0 in the region, then the axes; -1 outside.

        With ``clip``, points beyond the ends of an axis belong to its outermost bin.
        """
        found = coordinates(coords, self)
        index = np.where(self._inside(found["lon"], found["lat"]), 0, -1)
        axes = [axis.coord_to_idx(found[axis.name], clip=clip) for axis in self.axes]
        return (index, index, *axes)

    def contains(self, coords: Any) -> np.ndarray:
        """Whether each point lies in the region, and in a bin of every axis."""
        inside = np.array(True)
        for index in self.coord_to_idx(coords):
            inside = inside & (index >= 0)
        return inside

    def separation(self, center: Any) -> np.ndarray:
        """Distance of the region's middle from a position in deg, shape (1, 1)."""
        position = sky_position(center, self.frame)
        return np.full((1, 1), self.center_skydir.separation(position).deg)

    def solid_angle(self) -> np.ndarray:
        """Solid angle of the region in sr, shape (1, 1).

        Exact (to rounding) for simple regions, and for unions of regions that are apart. For
        other compounds, cells of equal area are counted, to about 1e-3 of the solid angle.
        """
        self._required()
        return np.full((1, 1), _solid_angle(self.to_image()))

    def bin_volume(self) -> np.ndarray:
        """Solid angle (sr) times the widths of the other axes, shape ``data_shape``."""
        return self.axes.bin_volume()[..., None, None] * self.solid_angle()

    def unit_vectors(self) -> np.ndarray:
        """Unit vector of the region's middle in its frame, shape (1, 1, 3)."""
        return shapes.bounds(self._required(), self.frame)[0].reshape(1, 1, 3)

    def integration_nodes(self, order: int = 12) -> tuple[np.ndarray, np.ndarray]:
        """Unit vectors and weights that integrate a function over the region.

        Parameters
        ----------
        order : int
            About half the number of nodes across the region. Smooth functions on circles,
            annuli, ellipses and rectangles are integrated by Gauss and Legendre; polygons and
            compounds by cells of equal area, each weighted by the part of it that is inside.

        Returns
        -------
        vectors : array, shape (n, 3)
            In the geometry's frame.
        weights : array, shape (n,)
            In sr; their sum is `solid_angle`. A point is one node of weight 0.
        """
        if order < 1:
            raise ValueError(f"integration_nodes: order is {order}, expected 1 or more")
        return shape_nodes.nodes(self._required(), self.frame, order)

    def to_wcs_geom(self, *, binsz: Any = 0.02, width_min: Any = None) -> Any:
        """A tangential map around the region, with the same axes.

        Parameters
        ----------
        binsz : float or pair
            Size of a pixel in deg.
        width_min : float or pair, optional
            The least width in deg.
        """
        from gammajax.maps.wcs_geom import WcsGeom

        step = pair(binsz, "deg", "to_wcs_geom: binsz")
        radius = self.radius
        if radius > 80:
            raise ValueError(
                f"RegionGeom: the region reaches {radius:.0f} deg from its middle, and a "
                "tangential map shows at most 80 deg; make a WcsGeom of another projection"
            )
        size = 2 * np.degrees(np.tan(np.radians(radius)))
        least = pair(0.0 if width_min is None else width_min, "deg", "to_wcs_geom: width_min")
        npix = [
            int(np.ceil(max(size, w) / s - 1e-9)) + 1 for w, s in zip(least, step, strict=True)
        ]
        return WcsGeom.create(
            skydir=self.center_skydir,
            npix=(npix[0], npix[1]),
            binsz=step,
            proj="TAN",
            frame=self.frame,
            axes=self.axes,
        )

    def to_ds9(self) -> str:
        """The region in DS9's language, one line for each part of a union."""
        from gammajax.maps.region_io import to_ds9

        return to_ds9(self._required())

    def union(self, other: RegionGeom) -> RegionGeom:
        """The region or the other one; the axes have to be the same."""
        if not self.axes.is_close(other.axes):
            raise ValueError(f"union: {self!r} and {other!r} have different axes")
        return RegionGeom(self._required() | other._required(), self.axes)

    def __repr__(self) -> str:
        axes = "".join(f", {axis!r}" for axis in self.axes)
        if self.region is None:
            return f"RegionGeom(no region{axes})"
        name = shapes.name_of(self.region).removesuffix("SkyRegion").lower()
        middle = self.center_skydir.spherical
        where = f"({middle.lon.deg:.4f}, {middle.lat.deg:.4f})"
        return f"RegionGeom({self.frame} {name} around {where}{axes})"


@lru_cache(maxsize=256)
def _solid_angle(image: RegionGeom) -> float:
    return shape_nodes.solid_angle(image.region)
