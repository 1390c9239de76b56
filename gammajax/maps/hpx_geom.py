"""Maps of HEALPix pixels, of the whole sky or a part of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from gammajax.maps import hpx_pixels, shapes
from gammajax.maps.arrays import frozen_array
from gammajax.maps.frames import FRAMES
from gammajax.maps.geom import Geom, MapCoord, coordinates, pair, sky_position
from gammajax.maps.map_axes import MapAxes
from gammajax.maps.masks import parse_regions
from gammajax.maps.wcs_area import unit_vectors


@dataclass(frozen=True, eq=False)
class HpxGeom(Geom):
    """HEALPix pixels, times further axes.

    Parameters
    ----------
    nside : int, or tuple of int
        A power of 2; the sky has ``12 nside**2`` pixels. A tuple has one for every image, in
        the order of a map's array, which then has as many places as the finest image; the
        others leave places empty.
    nest : bool
        Whether the pixels are in the nested order, and not in that of rings.
    frame : {"icrs", "galactic", "fk5"}
    axes : iterable of `MapAxis`
    ipix : array of int, or tuple of them, optional
        Numbers of the pixels that the map (or each image) has, increasing; by default the
        whole sky.
    disk : tuple of float, optional
        Longitude, latitude and radius (deg) of the disk that ``ipix`` are the pixels of.

    Examples
    --------
    >>> from gammajax.maps import HpxGeom
    >>> geom = HpxGeom.create(nside=8, frame="galactic")
    >>> geom.data_shape
    (768,)
    >>> round(float(geom.solid_angle().sum()), 6)
    12.566371
    """

    nside: Any
    nest: bool = True
    frame: str = "icrs"
    axes: MapAxes = MapAxes()  # noqa: RUF009 (it is immutable)
    ipix: Any = None
    disk: tuple[float, float, float] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "axes", MapAxes(self.axes))
        if self.frame not in FRAMES:
            raise ValueError(f"HpxGeom: frame is {self.frame!r}, expected {', '.join(FRAMES)}")
        if isinstance(self.nside, Iterable):
            sides = tuple(hpx_pixels.check_nside(n) for n in np.ravel(np.asarray(self.nside)))
            object.__setattr__(self, "nside", sides)
            if len(sides) != self.axes.size:
                raise ValueError(
                    f"HpxGeom: has {len(sides)} values of nside for {self.axes.size} images; "
                    "before an axis is changed, bring a map to one with to_nside"
                )
            lists = self.ipix or (None,) * len(sides)
            found = [self._checked(n, p) for n, p in zip(sides, lists, strict=True)]
            object.__setattr__(self, "ipix", tuple(found) if self.ipix else None)
            return
        object.__setattr__(self, "nside", hpx_pixels.check_nside(self.nside))
        object.__setattr__(self, "ipix", self._checked(self.nside, self.ipix))

    @staticmethod
    def _checked(nside: int, ipix: Any) -> np.ndarray | None:
        if ipix is None:
            return None
        ipix = frozen_array(ipix, np.int64)
        bad = not ipix.size or np.any(np.diff(ipix) <= 0)
        if bad or ipix[0] < 0 or ipix[-1] >= 12 * nside**2:
            raise ValueError(
                f"HpxGeom: ipix has to increase, between 0 and {12 * nside**2 - 1}"
            )
        return ipix

    @classmethod
    def create(
        cls,
        *,
        nside: Any = None,
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
        nside : int, or one for every image; optional
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
            nside = hpx_pixels.nside_of_size(pair(binsz, "deg", "HpxGeom: binsz")[0])
        geom = cls(nside, nest, frame, MapAxes(axes))
        return geom if width is None else geom.cutout(skydir, width)

    @cached_property
    def key(self) -> tuple[Any, ...]:
        """What tells one geometry from another."""
        lists = self.ipix if isinstance(self.ipix, tuple) else (self.ipix,)
        ipix = tuple(None if part is None else part.tobytes() for part in lists)
        return ("hpx", self.nside, self.nest, self.frame, self.axes, ipix)

    @property
    def is_regular(self) -> bool:
        """Whether all images have the same pixels."""
        return isinstance(self.nside, int)

    @cached_property
    def images(self) -> tuple[HpxGeom, ...]:
        """The geometry of each image, in the order of a map's array."""
        if self.is_regular:
            return (self.to_image(),) * self.axes.size
        lists = self.ipix or (None,) * len(self.nside)
        return tuple(
            HpxGeom(n, self.nest, self.frame, ipix=p, disk=self.disk)
            for n, p in zip(self.nside, lists, strict=True)
        )

    @property
    def npix(self) -> int:
        """Number of pixels that the map (or its finest image) has."""
        if not self.is_regular:
            return max(image.npix for image in self.images)
        return 12 * self.nside**2 if self.ipix is None else self.ipix.size

    @property
    def is_allsky(self) -> bool:
        """Whether the map has all pixels of the sky."""
        return self.ipix is None

    @property
    def is_image(self) -> bool:
        """Whether there are no axes besides the sky."""
        return not len(self.axes)

    @property
    def data_shape(self) -> tuple[int, ...]:
        """Shape of a map's array: the last axis first, then the pixels."""
        return (*self.axes.shape, self.npix)

    def regular(self) -> HpxGeom:
        """This geometry, if all of its images have the same pixels; else an error."""
        if not self.is_regular:
            raise ValueError(
                f"{self!r}: its images have different pixels; take one with slice_by_idx, or "
                "bring the map to one nside with to_nside"
            )
        return self

    @property
    def pixels(self) -> np.ndarray:
        """Numbers of the pixels that the map has."""
        return np.arange(self.npix) if self.regular().ipix is None else self.ipix

    @property
    def center_skydir(self) -> Any:
        """Middle of the disk, or of the pixels; the origin of the frame for the whole sky."""
        if self.disk is not None:
            return sky_position(self.disk[:2], self.frame)
        if self.is_allsky:
            return sky_position(None, self.frame)
        mean = np.concatenate([image.unit_vectors() for image in self.images]).mean(axis=0)
        lon, lat = np.arctan2(mean[1], mean[0]), np.arctan2(mean[2], np.hypot(*mean[:2]))
        return sky_position(np.degrees([lon, lat]), self.frame)

    def get_image_coord(self) -> MapCoord:
        """Longitude and latitude of the pixel centres in deg, shape (npix,)."""
        import healpy

        lon, lat = healpy.pix2ang(self.nside, self.pixels, nest=self.nest, lonlat=True)
        return MapCoord({"lon": lon, "lat": lat}, self.frame)

    def get_coord(self, *, sparse: bool = False) -> MapCoord:
        """Coordinates of all bins; NaN in the empty places of coarser images."""
        if self.is_regular:
            values = dict(self.get_image_coord())
        else:
            values = {"lon": np.full(self.data_shape, np.nan)}
            values["lat"] = values["lon"].copy()
            for place, image in zip(np.ndindex(*self.axes.shape), self.images, strict=True):
                for name, found in image.get_image_coord().items():
                    values[name][place][: image.npix] = found
        for name, center in self.axes.coords().items():
            values[name] = center[..., None]
        if not sparse:
            arrays = np.broadcast_arrays(*values.values())
            values = dict(zip(values, arrays, strict=True))
        return MapCoord(values, self.frame)

    def local(self, pixels: np.ndarray) -> np.ndarray:
        """Places in the map's array of pixels of the sky; -1 for those it does not have."""
        if self.regular().ipix is None:
            return pixels
        place = np.clip(np.searchsorted(self.ipix, pixels), 0, self.ipix.size - 1)
        return np.where(self.ipix[place] == pixels, place, -1)

    def coord_to_idx(self, coords: Any, *, clip: bool = False) -> tuple[np.ndarray, ...]:
        """The place in the map's array: pixel, then the axes; -1 outside.

        With ``clip``, points beyond the ends of an axis belong to its outermost bin.
        """
        import healpy

        found = coordinates(coords, self)
        axes = [axis.coord_to_idx(found[axis.name], clip=clip) for axis in self.axes]
        lon, lat, *axes = np.broadcast_arrays(found["lon"], found["lat"], *axes)
        if self.is_regular:
            pixels = healpy.ang2pix(self.nside, lon, lat, nest=self.nest, lonlat=True)
            return (self.local(np.asarray(pixels)), *axes)
        inside = np.all([index >= 0 for index in axes], axis=0)
        kept = tuple(np.where(inside, index, 0) for index in reversed(axes))
        number = np.where(inside, np.ravel_multi_index(kept, self.axes.shape), -1)
        pixels = np.full(lon.shape, -1)
        for place, image in enumerate(self.images):
            here = number == place
            pixels[here] = image.coord_to_idx((lon[here], lat[here]))[0]
        return (pixels, *axes)

    def contains(self, coords: Any) -> np.ndarray:
        """Whether each point lies in a bin."""
        inside = np.array(True)
        for index in self.coord_to_idx(coords):
            inside = inside & (index >= 0)
        return inside

    def solid_angle(self) -> np.ndarray:
        """Solid angle of each pixel in sr: all of an image are equal.

        Shape (npix,), or ``data_shape`` if the images differ, with 0 in empty places.
        """
        if self.is_regular:
            return np.full(self.npix, np.pi / (3 * self.nside**2))
        area = np.zeros((len(self.images), self.npix))
        for row, image in zip(area, self.images, strict=True):
            row[: image.npix] = image.solid_angle()
        return area.reshape(self.data_shape)

    def bin_volume(self) -> np.ndarray:
        """Solid angle (sr) times the widths of the other axes, shape ``data_shape``."""
        return self.axes.bin_volume()[..., None] * self.solid_angle()

    def unit_vectors(self) -> np.ndarray:
        """Unit vectors of the pixel centres in the frame, shape (npix, 3)."""
        coords = self.get_image_coord()
        return unit_vectors(coords["lon"], coords["lat"])

    def separation(self, center: Any) -> np.ndarray:
        """Distance of each pixel from a position in deg."""
        position = sky_position(center, self.frame)
        return self.get_image_coord().skycoord.separation(position).deg

    def region_mask(self, regions: Any, *, inside: bool = True) -> np.ndarray:
        """Whether the centre of each pixel lies in (or outside) any of the regions.

        Parameters
        ----------
        regions : `~regions.SkyRegion`, str in DS9's language, or list of them
            Their shapes are those of `RegionGeom`.
        inside : bool

        Returns
        -------
        mask : array of bool, shape ``data_shape``
        """
        mask = shapes.contains_any(parse_regions(regions), self.unit_vectors(), self.frame)
        return np.broadcast_to(mask == inside, self.data_shape).copy()

    def cutout(self, position: Any, width: Any) -> HpxGeom:
        """The pixels whose centres are within a disk of diameter ``width`` (deg)."""
        diameter, _ = pair(width, "deg", "HpxGeom: width")
        center = sky_position(position, self.frame).spherical
        disk = (float(center.lon.deg), float(center.lat.deg), diameter / 2)
        lists = []
        for image in self.images if not self.is_regular else [self.to_image()]:
            found = hpx_pixels.in_disk(image.nside, self.nest, disk)
            found = found if image.ipix is None else np.intersect1d(found, image.ipix)
            if not found.size:
                raise ValueError(f"cutout: {self!r} has no pixel around {position}")
            lists.append(found)
        ipix = lists[0] if self.is_regular else tuple(lists)
        return replace(self, ipix=ipix, disk=disk if self.is_allsky else None)

    def to_nside(self, nside: int) -> HpxGeom:
        """Other pixels that cover those of the map."""
        new, _, _ = hpx_pixels.family(self.regular().nside, self.pixels, self.nest, nside)
        return replace(self, nside=nside, ipix=None if self.is_allsky else new, disk=None)

    def to_swapped(self) -> HpxGeom:
        """The same pixels in the other order: nested, or by rings."""
        if self.is_allsky:
            return replace(self, nest=not self.nest)
        lists = [
            np.sort(hpx_pixels.swapped(image.nside, image.pixels, self.nest))
            for image in (self.images if not self.is_regular else [self.to_image()])
        ]
        ipix = lists[0] if self.is_regular else tuple(lists)
        return replace(self, nest=not self.nest, ipix=ipix)

    def to_image(self) -> HpxGeom:
        """The sky alone, without other axes."""
        return replace(self.regular(), axes=MapAxes())

    def slice_by_idx(self, slices: dict[str, int | slice]) -> HpxGeom:
        """Some bins of the axes; a number removes the axis."""
        return hpx_pixels.sliced(self, slices)

    def __repr__(self) -> str:
        order = "nested" if self.nest else "ring"
        axes = "".join(f", {axis!r}" for axis in self.axes)
        nside = self.nside if self.is_regular else f"{min(self.nside)} to {max(self.nside)}"
        return f"HpxGeom({self.frame}, nside {nside} {order}, {self.npix} pixels{axes})"
