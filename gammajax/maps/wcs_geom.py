"""Maps of pixels in a projection of the sky."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from gammajax.maps import masks, wcs_area, wcs_shape
from gammajax.maps.geom import Geom, MapCoord, coordinates, sky_position
from gammajax.maps.map_axes import MapAxes


@dataclass(frozen=True, eq=False)
class WcsGeom(Geom):
    """Pixels in a projection of the sky, times further axes.

    Usually made by `create`. Two geometries are equal if their projections, sizes and axes
    are, so that a geometry may be static in compiled code.

    Parameters
    ----------
    wcs : `~astropy.wcs.WCS`
        A projection with two axes.
    npix : tuple of int
        Number of pixels in longitude and in latitude.
    axes : iterable of `MapAxis`

    Examples
    --------
    >>> from gammajax.maps import MapAxis, WcsGeom
    >>> energy = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=3)
    >>> geom = WcsGeom.create(skydir=(83.63, 22.01), width=(5, 4), binsz=0.1, axes=[energy])
    >>> geom.data_shape
    (3, 40, 50)
    >>> float(geom.solid_angle().sum() / (4 * 5 * (3.14159265 / 180) ** 2))
    0.9997...
    """

    wcs: Any
    npix: tuple[int, int]
    axes: MapAxes = MapAxes()  # noqa: RUF009 (it is immutable)

    def __post_init__(self) -> None:
        npix = tuple(int(number) for number in self.npix)
        object.__setattr__(self, "npix", npix)
        object.__setattr__(self, "axes", MapAxes(self.axes))
        if len(npix) != 2 or min(npix) < 1:
            raise ValueError(f"WcsGeom: npix is {self.npix}, expected two numbers above 0")
        if self.wcs.naxis != 2 or not self.wcs.has_celestial:
            raise ValueError(
                f"WcsGeom: the projection has {self.wcs.naxis} axes "
                f"{list(self.wcs.wcs.ctype)}, expected longitude and latitude"
            )

    @classmethod
    def create(
        cls,
        *,
        skydir: Any = None,
        npix: Any = None,
        width: Any = None,
        binsz: Any = 0.5,
        proj: str = "CAR",
        frame: str = "icrs",
        refpix: tuple[float, float] | None = None,
        axes: Any = (),
    ) -> WcsGeom:
        """A map around a position.

        Parameters
        ----------
        skydir : `~astropy.coordinates.SkyCoord` or pair in deg
            The centre; by default the origin of the frame.
        npix : int or pair
            Numbers of pixels. Without it and without ``width``, the whole sky.
        width : float or pair
            Size in deg; the number of pixels is rounded.
        binsz : float or pair
            Size of a pixel at the centre, in deg.
        proj : str
            Any projection of the FITS standard: ``CAR``, ``TAN``, ``AIT``, ...
        frame : {"icrs", "galactic", "fk5"}
        refpix : pair, optional
            The pixel of the centre, counted from 1, if it is not the map's middle.
        axes : iterable of `MapAxis`
        """
        npix = wcs_shape.number_of_pixels(npix, width, binsz)
        wcs = wcs_shape.projection(skydir, npix, binsz, proj, frame, refpix)
        return cls(wcs, npix, MapAxes(axes))

    @cached_property
    def key(self) -> tuple[Any, ...]:
        """What tells one geometry from another: projection, size and axes."""
        return ("wcs", wcs_shape.header_key(self.wcs), self.npix, self.axes)

    @property
    def frame(self) -> str:  # pyright: ignore
        """``icrs``, ``galactic`` or ``fk5``."""
        return wcs_shape.frame_of(self.wcs)

    @property
    def projection(self) -> str:
        """Code of the projection, such as ``CAR``."""
        return self.wcs.wcs.ctype[0][5:8]

    @property
    def is_image(self) -> bool:
        """Whether there are no axes besides the sky."""
        return not len(self.axes)

    @property
    def data_shape(self) -> tuple[int, ...]:
        """Shape of a map's array: the last axis first, then latitude, then longitude."""
        return (*self.axes.shape, self.npix[1], self.npix[0])

    @property
    def pixel_scales(self) -> np.ndarray:
        """Size of a pixel at the reference position in longitude and latitude, in deg."""
        from astropy.wcs.utils import proj_plane_pixel_scales

        return proj_plane_pixel_scales(self.wcs)

    @property
    def center_pix(self) -> tuple[float, float]:
        """The pixel coordinates of the map's middle."""
        return (self.npix[0] - 1) / 2, (self.npix[1] - 1) / 2

    @property
    def center_skydir(self) -> Any:
        """The position of the map's middle."""
        return sky_position(self.wcs.wcs_pix2world(*self.center_pix, 0), self.frame)

    @property
    def width(self) -> np.ndarray:
        """Number of pixels times their size at the reference position, in deg."""
        return self.pixel_scales * np.array(self.npix)

    def get_coord(self, *, mode: str = "center", sparse: bool = False) -> MapCoord:
        """Coordinates of all pixels; NaN where the projection has no sky.

        Parameters
        ----------
        mode : {"center", "edges"}
            Centres of the pixels, or their corners (on the sky only).
        sparse : bool
            Leave each coordinate in the smallest shape that broadcasts to the map's.
        """
        lon, lat = wcs_area.pixel_grid(self, corners=mode == "edges")
        values = {"lon": lon, "lat": lat}
        for name, center in self.axes.coords().items():
            values[name] = center[..., None, None]
        if not sparse:
            arrays = np.broadcast_arrays(*values.values())
            values = dict(zip(values, arrays, strict=True))
        return MapCoord(values, self.frame)

    def coord_to_pix(self, coords: Any) -> tuple[Any, ...]:
        """Pixel coordinates, 0 at the centre of the first: x, y, then the axes.

        NaN for positions that the projection does not show. Traced longitudes and latitudes
        (deg, in the geometry's frame) go through `SkyToPix`, and have derivatives.
        """
        found = coordinates(coords, self)
        x, y = wcs_shape.sky_to_pix(self, found["lon"], found["lat"])
        return (x, y, *(axis.coord_to_pix(found[axis.name]) for axis in self.axes))

    def pix_to_coord(self, pix: Any) -> tuple[Any, ...]:
        """Longitude and latitude in deg, then the axes, of pixel coordinates."""
        x, y, *rest = pix
        lon, lat = wcs_area.pix_to_sky(self, x, y)
        axes = zip(self.axes, rest, strict=True)
        return (lon, lat, *(axis.pix_to_coord(p) for axis, p in axes))

    def coord_to_idx(self, coords: Any, *, clip: bool = False) -> tuple[np.ndarray, ...]:
        """The bin of each point: x, y, then the axes; -1 outside, or the nearest one."""
        found = coordinates(coords, self)
        sky = wcs_shape.sky_to_pix(self, found["lon"], found["lat"])
        indices = [wcs_shape.nearest(p, n, clip) for p, n in zip(sky, self.npix, strict=True)]
        axes = [axis.coord_to_idx(found[axis.name], clip=clip) for axis in self.axes]
        return (*indices, *axes)

    def contains(self, coords: Any) -> np.ndarray:
        """Whether each point lies in a bin."""
        inside = np.array(True)
        for index in self.coord_to_idx(coords):
            inside = inside & (index >= 0)
        return inside

    def solid_angle(self) -> np.ndarray:
        """Solid angle of each pixel in sr, shape (lat, lon); 0 outside the projection."""
        return wcs_area.solid_angle(self)

    def bin_volume(self) -> np.ndarray:
        """Solid angle (sr) times the widths of the other axes, shape ``data_shape``."""
        return self.axes.bin_volume()[..., None, None] * self.solid_angle()

    def unit_vectors(self) -> np.ndarray:
        """Unit vectors of the pixel centres in the frame, shape (lat, lon, 3)."""
        return wcs_area.unit_vectors(*wcs_area.pixel_grid(self))

    def separation(self, center: Any) -> np.ndarray:
        """Distance of each pixel from a position in deg, shape (lat, lon)."""
        return masks.separation(self.get_image_coord(), center, self.frame)

    def get_image_coord(self) -> MapCoord:
        """Longitude and latitude of the pixels, shape (lat, lon)."""
        return MapCoord(
            dict(zip(("lon", "lat"), wcs_area.pixel_grid(self), strict=True)), self.frame
        )

    def region_mask(self, regions: Any, *, inside: bool = True) -> np.ndarray:
        """Whether the centre of each pixel lies in (or outside) any of the regions.

        Parameters
        ----------
        regions : `~regions.Region`, str in DS9's language, or list of them
        inside : bool

        Returns
        -------
        mask : array of bool, shape ``data_shape``
        """
        mask = masks.in_regions(self, regions)
        return np.broadcast_to(mask == inside, self.data_shape).copy()

    def boundary_mask(self, width: Any) -> np.ndarray:
        """The map without a margin of ``width`` (deg, one number or two), as bools."""
        return np.broadcast_to(masks.boundary(self, width), self.data_shape).copy()

    @property
    def footprint(self) -> Any:
        """The map's four corners as a `~astropy.coordinates.SkyCoord`."""
        (nx, ny), low = self.npix, -0.5
        x, y = [low, low, nx + low, nx + low], [low, ny + low, ny + low, low]
        return sky_position(wcs_area.pix_to_sky(self, x, y), self.frame)

    def cutout(self, position: Any, width: Any) -> WcsGeom:
        """The part of the map around a position, at most ``width`` (deg) wide.

        Raises
        ------
        ValueError
            If no pixel of the map is left.
        """
        return wcs_shape.cropped(self, *wcs_shape.cutout_slices(self, position, width))

    def pad(self, pad_width: Any) -> WcsGeom:
        """More pixels on every side: one number, or one for x and one for y."""
        x, y = wcs_shape.whole_pair(pad_width, "pad_width")
        return wcs_shape.shifted(self, (x, y), (self.npix[0] + 2 * x, self.npix[1] + 2 * y))

    def crop(self, crop_width: Any) -> WcsGeom:
        """Fewer pixels on every side: one number, or one for x and one for y."""
        x, y = wcs_shape.whole_pair(crop_width, "crop_width")
        return wcs_shape.shifted(self, (-x, -y), (self.npix[0] - 2 * x, self.npix[1] - 2 * y))

    def downsample(self, factor: int, axis_name: str | None = None) -> WcsGeom:
        """Join ``factor`` by ``factor`` pixels, or the bins of one axis."""
        if axis_name is not None:
            return super().downsample(factor, axis_name)
        return wcs_shape.coarser(self, factor)

    def upsample(self, factor: int, axis_name: str | None = None) -> WcsGeom:
        """Divide each pixel into ``factor`` by ``factor``, or the bins of one axis."""
        if axis_name is not None:
            return super().upsample(factor, axis_name)
        return wcs_shape.finer(self, factor)

    def is_aligned(self, other: WcsGeom, tolerance: float = 1e-6) -> bool:
        """Whether the pixels of both maps fall on each other."""
        return wcs_shape.offset(self, other, tolerance) is not None

    def __repr__(self) -> str:
        center = self.center_skydir.spherical
        size = "x".join(map(str, self.npix))
        axes = "".join(f", {axis!r}" for axis in self.axes)
        return (
            f"WcsGeom({self.frame} {self.projection}, {size} pixels of "
            f"{self.pixel_scales[0]:.4g} deg around ({center.lon.deg:.4f}, "
            f"{center.lat.deg:.4f}){axes})"
        )
