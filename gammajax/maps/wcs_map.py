"""Maps of pixels in a projection of the sky."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from gammajax.maps import filters, resampling, wcs_shape
from gammajax.maps.arrays import namespace
from gammajax.maps.core import Map
from gammajax.maps.interpolation import linear, nearest


class WcsNDMap(Map):
    """Values on the pixels of a `WcsGeom`; see `Map`.

    Examples
    --------
    >>> import jax
    >>> from gammajax.maps import Map
    >>> image = Map.create(npix=3, binsz=1.0)
    >>> middle = jax.grad(lambda m: m.interp_by_coord((0.0, 0.25)))(image)
    >>> middle.data[:, 1]
    Array([0.  , 0.75, 0.25], dtype=float64)
    """

    def interp_by_coord(
        self,
        coords: Any,
        *,
        method: str = "linear",
        fill_value: float | None = None,
        values_scale: str = "lin",
    ) -> Any:
        """Values between the bin centres, differentiable in the values and the coordinates.

        Parameters
        ----------
        coords : see `WcsGeom.coord_to_pix`
            Traced longitudes and latitudes are in deg, in the map's frame.
        method : {"linear", "nearest"}
            Linear in the pixels and in the scale of each axis.
        fill_value : float, optional
            For points outside the map; by default the outermost bins are continued.
        values_scale : {"lin", "log"}
            Interpolate the values, or their logarithms.
        """
        pix = self.geom.coord_to_pix(coords)
        return self.interp_by_pix(
            pix, method=method, fill_value=fill_value, values_scale=values_scale
        )

    def interp_by_pix(
        self,
        pix: Any,
        *,
        method: str = "linear",
        fill_value: float | None = None,
        values_scale: str = "lin",
    ) -> Any:
        """As `interp_by_coord` at pixel coordinates, which may be traced."""
        methods = {"linear": linear, "nearest": nearest}
        if method not in methods or values_scale not in ("lin", "log"):
            raise ValueError(
                f"interpolation: method is {method!r} and values_scale {values_scale!r}, "
                "expected 'linear' or 'nearest', and 'lin' or 'log'"
            )
        points = tuple(reversed(tuple(pix)))
        if values_scale == "lin":
            return methods[method](self.data, points, fill_value)
        xp = namespace(self.data, *points)
        tiny = np.finfo(np.float64).tiny
        if fill_value is not None:
            fill_value = float(np.log(max(fill_value, tiny)))
        logs = xp.log(xp.maximum(self.data, tiny))
        return xp.exp(methods[method](logs, points, fill_value))

    def reproject_to_geom(self, geom: Any, *, preserve_counts: bool = False) -> WcsNDMap:
        """The values interpolated on the pixels of another projection; the axes stay.

        Pixels that the map does not cover are NaN. Counts are turned into a density and
        back, which keeps their sum as far as the pixels resolve the map.

        Parameters
        ----------
        geom : `WcsGeom`
            Its sky is used; its axes have to be those of the map, or none.
        preserve_counts : bool
            Whether the values are counts, whose sum stays, and not a density.
        """
        return resampling.reproject(self, geom, preserve_counts)

    def sample_coord(self, n_events: int, rng: np.random.Generator) -> Any:
        """Coordinates of ``n_events`` points, drawn with the values as weights.

        Uniform within each pixel, and within each bin in the scale of its axis.
        """
        return resampling.sample(self, n_events, rng)

    def cutout(self, position: Any, width: Any) -> Self:
        """The part of the map around a position: see `WcsGeom.cutout`."""
        x, y = wcs_shape.cutout_slices(self.geom, position, width)
        geom = wcs_shape.cropped(self.geom, x, y)
        return self.with_data(self.data[..., y, x], geom=geom)

    def stack(self, other: Any, *, weights: Any = None) -> Self:
        """Add a map whose pixels are aligned with this one's, where they overlap.

        Parameters
        ----------
        other : `WcsNDMap`
            Of the same axes; its unit is converted.
        weights : `WcsNDMap`, optional
            Multiplies ``other``: a mask, for example.
        """
        return resampling.stack(self, other, weights)

    def pad(self, pad_width: Any, *, mode: str = "constant", cval: float = 0.0) -> Self:
        """More pixels on every side, of value ``cval``, or as NumPy's ``edge``, ``wrap``..."""
        x, y = wcs_shape.whole_pair(pad_width, "pad_width")
        sides = [(0, 0)] * len(self.geom.axes) + [(y, y), (x, x)]
        options = {"constant_values": cval} if mode == "constant" else {}
        data = namespace(self.data).pad(self.data, sides, mode=mode, **options)
        return self.with_data(data, geom=self.geom.pad((x, y)))

    def crop(self, crop_width: Any) -> Self:
        """Fewer pixels on every side."""
        x, y = wcs_shape.whole_pair(crop_width, "crop_width")
        geom = self.geom.crop((x, y))
        nx, ny = geom.npix
        return self.with_data(self.data[..., y : y + ny, x : x + nx], geom=geom)

    def downsample(
        self, factor: int, *, preserve_counts: bool = True, axis_name: str | None = None
    ) -> Self:
        """Join pixels (or bins of one axis) into their sum, or their mean."""
        return resampling.downsample(self, factor, preserve_counts, axis_name)

    def upsample(
        self, factor: int, *, preserve_counts: bool = True, axis_name: str | None = None
    ) -> Self:
        """Divide pixels (or bins of one axis), and their counts, into equal parts."""
        return resampling.upsample(self, factor, preserve_counts, axis_name)

    def smooth(self, width: Any, *, kernel: str = "gauss") -> Self:
        """Smooth each image.

        Parameters
        ----------
        width : float or quantity
            Sigma of a Gaussian, radius of a disk, side of a box, in deg.
        kernel : {"gauss", "disk", "tophat", "box"}
            A tophat is another name for the disk.
        """
        return self.convolve(filters.kernel(self.geom, width, kernel))

    def convolve(self, kernel: Any) -> Self:
        """Convolve each image with one kernel, or with one for each bin of the axes.

        Parameters
        ----------
        kernel : array, shape (..., odd, odd)
            The map is 0 outside.
        """
        return self.with_data(filters.convolve(self.data, kernel))

    def binary_erode(self, width: Any) -> Self:
        """A mask without the pixels that are within ``width`` (deg) of its border."""
        return ~(~self).binary_dilate(width)

    def binary_dilate(self, width: Any) -> Self:
        """A mask with the pixels added that are within ``width`` (deg) of it."""
        return self.with_data(filters.dilate(self, width))

    def to_region_nd_map(self, region: Any = None, *, func: str = "add") -> Any:
        """The pixels of a region reduced to one: a spectrum, for example.

        Parameters
        ----------
        region : see `RegionGeom.create`
            By default the whole map. At a point, the value is interpolated.
        func : {"add", "mean"}

        Returns
        -------
        found : `RegionNDMap`
            Of the map's axes. A pixel belongs to the region if its centre does.
        """
        return resampling.to_region(self, region, func)

    def to_region_sum(self, region: Any) -> np.ndarray:
        """The sum over the pixels in a region, in the shape of the axes."""
        mask = self.geom.to_image().region_mask(region)
        return namespace(self.data).where(mask, self.data, 0).sum(axis=(-2, -1))
