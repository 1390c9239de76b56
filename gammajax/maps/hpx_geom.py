"""Maps of HEALPix pixels, of the whole sky or a part of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from gammajax.maps.arrays import frozen_array
from gammajax.maps.frames import FRAMES
from gammajax.maps.geom import Geom, MapCoord, coordinates, pair, sky_position
from gammajax.maps.map_axes import MapAxes
from gammajax.maps.wcs_area import unit_vectors


@dataclass(frozen=True, eq=False)
class HpxGeom(Geom):
    """HEALPix pixels, times further axes.

    Parameters
    ----------
    nside : int
        A power of 2; the sky has ``12 nside**2`` pixels.
    nest : bool
        Whether the pixels are in the nested order, and not in that of rings.
    frame : {"icrs", "galactic", "fk5"}
    axes : iterable of `MapAxis`
    ipix : array of int, optional
        Numbers of the pixels that the map has, increasing; by default the whole sky.

    Examples
    --------
    >>> from gammajax.maps import HpxGeom
    >>> geom = HpxGeom.create(nside=8, frame="galactic")
    >>> geom.data_shape
    (768,)
    >>> round(float(geom.solid_angle().sum()), 6)
    12.566371
    """

    nside: int
    nest: bool = True
    frame: str = "icrs"
    axes: MapAxes = MapAxes()  # noqa: RUF009 (it is immutable)
    ipix: np.ndarray | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "axes", MapAxes(self.axes))
        nside = self.nside
        if isinstance(nside, bool) or int(nside) != nside or nside < 1 or nside & (nside - 1):
            raise ValueError(f"HpxGeom: nside is {nside!r}, expected a power of 2")
        if self.frame not in FRAMES:
            raise ValueError(f"HpxGeom: frame is {self.frame!r}, expected {', '.join(FRAMES)}")
        if self.ipix is not None:
            ipix = frozen_array(self.ipix, np.int64)
            object.__setattr__(self, "ipix", ipix)
            bad = not ipix.size or np.any(np.diff(ipix) <= 0)
            if bad or ipix[0] < 0 or ipix[-1] >= 12 * nside**2:
                raise ValueError(
                    f"HpxGeom: ipix has to increase, between 0 and {12 * nside**2 - 1}"
                )

    @classmethod
    def create(
        cls,
        *,
        nside: int | None = None,
        binsz: Any = None,
        nest: bool = True,
        frame: str = "icrs",
        skydir: Any = None,
        width: Any = None,
        axes: Any = (),
    ) -> HpxGeom:
        """The whole sky, or the pixels whose centres are within a disk.

        Parameters
        ----------
        nside : int, optional
        binsz : float, optional
            Instead of ``nside``: the largest pixels that are at most so wide, in deg.
        nest : bool
        frame : {"icrs", "galactic", "fk5"}
        skydir : `~astropy.coordinates.SkyCoord` or pair in deg, optional
            Centre of the disk.
        width : float, optional
            Diameter of the disk in deg.
        axes : iterable of `MapAxis`
        """
        if (nside is None) == (binsz is None):
            raise ValueError("HpxGeom: expected either nside or binsz")
        if nside is None:
            size, _ = pair(binsz, "deg", "HpxGeom: binsz")
            if not size > 0:
                raise ValueError(f"HpxGeom: binsz is {size:g} deg, expected one above 0")
            nside = 2 ** max(0, int(np.ceil(np.log2(np.sqrt(np.pi / 3) / np.radians(size)))))
        number: Any = nside
        geom = cls(number, nest, frame, MapAxes(axes))
        if width is None:
            return geom
        diameter, _ = pair(width, "deg", "HpxGeom: width")
        center = sky_position(skydir, frame)
        near = geom.get_image_coord().skycoord.separation(center).deg <= diameter / 2
        return cls(number, nest, frame, MapAxes(axes), np.flatnonzero(near))

    @cached_property
    def key(self) -> tuple[Any, ...]:
        """What tells one geometry from another."""
        ipix = None if self.ipix is None else self.ipix.tobytes()
        return ("hpx", self.nside, self.nest, self.frame, self.axes, ipix)

    @property
    def npix(self) -> int:
        """Number of pixels that the map has."""
        return 12 * self.nside**2 if self.ipix is None else self.ipix.size

    @property
    def is_allsky(self) -> bool:
        """Whether the map has all pixels of the sky."""
        return self.ipix is None

    @property
    def data_shape(self) -> tuple[int, ...]:
        """Shape of a map's array: the last axis first, then the pixels."""
        return (*self.axes.shape, self.npix)

    @property
    def pixels(self) -> np.ndarray:
        """Numbers of the pixels that the map has."""
        return np.arange(self.npix) if self.ipix is None else self.ipix

    def get_image_coord(self) -> MapCoord:
        """Longitude and latitude of the pixel centres in deg, shape (npix,)."""
        import healpy

        lon, lat = healpy.pix2ang(self.nside, self.pixels, nest=self.nest, lonlat=True)
        return MapCoord({"lon": lon, "lat": lat}, self.frame)

    def get_coord(self, *, sparse: bool = False) -> MapCoord:
        """Coordinates of all bins."""
        values = dict(self.get_image_coord())
        for name, center in self.axes.coords().items():
            values[name] = center[..., None]
        if not sparse:
            arrays = np.broadcast_arrays(*values.values())
            values = dict(zip(values, arrays, strict=True))
        return MapCoord(values, self.frame)

    def local(self, pixels: np.ndarray) -> np.ndarray:
        """Places in the map's array of pixels of the sky; -1 for those it does not have."""
        if self.ipix is None:
            return pixels
        place = np.clip(np.searchsorted(self.ipix, pixels), 0, self.ipix.size - 1)
        return np.where(self.ipix[place] == pixels, place, -1)

    def coord_to_idx(self, coords: Any, *, clip: bool = False) -> tuple[np.ndarray, ...]:
        """The place of each point in the map's array: pixel, then the axes; -1 outside.

        With ``clip``, points beyond the ends of an axis belong to its outermost bin.
        """
        import healpy

        found = coordinates(coords, self)
        lon, lat = np.broadcast_arrays(found["lon"], found["lat"])
        pixels = healpy.ang2pix(self.nside, lon, lat, nest=self.nest, lonlat=True)
        axes = [axis.coord_to_idx(found[axis.name], clip=clip) for axis in self.axes]
        return (self.local(np.asarray(pixels)), *axes)

    def contains(self, coords: Any) -> np.ndarray:
        """Whether each point lies in a bin."""
        inside = np.array(True)
        for index in self.coord_to_idx(coords):
            inside = inside & (index >= 0)
        return inside

    def solid_angle(self) -> np.ndarray:
        """Solid angle of each pixel in sr: all are equal."""
        return np.full(self.npix, np.pi / (3 * self.nside**2))

    def unit_vectors(self) -> np.ndarray:
        """Unit vectors of the pixel centres in the frame, shape (npix, 3)."""
        coords = self.get_image_coord()
        return unit_vectors(coords["lon"], coords["lat"])

    def separation(self, center: Any) -> np.ndarray:
        """Distance of each pixel from a position in deg."""
        position = sky_position(center, self.frame)
        return self.get_image_coord().skycoord.separation(position).deg

    def __repr__(self) -> str:
        order = "nested" if self.nest else "ring"
        axes = "".join(f", {axis!r}" for axis in self.axes)
        return f"HpxGeom({self.frame}, nside {self.nside} {order}, {self.npix} pixels{axes})"
