"""Maps of HEALPix pixels."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from gammajax.maps import hpx_pixels, resampling
from gammajax.maps.arrays import namespace
from gammajax.maps.core import Map
from gammajax.maps.geom import coordinates
from gammajax.maps.interpolation import linear


class HpxNDMap(Map):
    """Values on the pixels of a `HpxGeom`; see `Map`.

    Examples
    --------
    >>> from gammajax.maps import Map
    >>> found = Map.create(map_type="hpx", nside=4).fill_by_coord(([3, 3.1, 90], [2, 2, 45]))
    >>> float(found.data.max())
    2.0
    """

    def interp_by_coord(self, coords: Any) -> Any:
        """Values between the bin centres, differentiable in the map's values.

        Bilinear between the four pixels that HEALPix names, and linear in the scale of each
        axis; NaN where one of the pixels is not in the map. Positions are numbers, not traced.
        """
        found = coordinates(coords, self.geom)
        axes = [axis.coord_to_pix(found[axis.name]) for axis in self.geom.axes]
        lon, lat, *axes = np.broadcast_arrays(found["lon"], found["lat"], *axes)
        if self.geom.is_regular:
            return self._spatial(self.geom, self.data, lon, lat, tuple(reversed(axes)))
        rows = self.data.reshape(-1, self.geom.npix)
        images = [
            self._spatial(image, row, lon, lat, ())
            for image, row in zip(self.geom.images, rows, strict=True)
        ]
        values = namespace(self.data).stack(images).reshape(*self.geom.axes.shape, lon.size)
        place = np.arange(lon.size).reshape(lon.shape)
        return linear(values, (*reversed(axes), place))

    @staticmethod
    def _spatial(geom: Any, data: Any, lon: Any, lat: Any, axes: tuple[Any, ...]) -> Any:
        import healpy

        pixels, weights = healpy.get_interp_weights(
            geom.nside, lon, lat, nest=geom.nest, lonlat=True
        )
        result = 0.0
        for pixel, weight in zip(np.asarray(pixels), np.asarray(weights), strict=True):
            place = geom.local(pixel)
            known = np.where(place >= 0, place, np.nan)
            result = result + weight * linear(data, (*axes, known))
        return result

    def slice_by_idx(self, slices: dict[str, int | slice]) -> Self:
        """Some bins of the axes; a number removes the axis."""
        geom = self.geom.slice_by_idx(slices)
        parts = [slices.get(name, slice(None)) for name in reversed(self.geom.axes.names)]
        return self.with_data(self.data[(*parts, ..., slice(0, geom.npix))], geom=geom)

    def to_nside(self, nside: int, *, preserve_counts: bool = True) -> Self:
        """The map on larger or smaller pixels; also brings images that differ to one nside.

        Parameters
        ----------
        nside : int
        preserve_counts : bool
            Whether values are added and divided, and not averaged and repeated.
        """
        geom = self.geom
        if geom.is_regular:
            return self._to_nside(nside, preserve_counts)
        parts = []
        for image, row in zip(geom.images, self.data.reshape(-1, geom.npix), strict=True):
            part = type(self)(image, row[: image.npix], self.unit)
            parts.append(part._to_nside(nside, preserve_counts))
        if any(part.geom != parts[0].geom for part in parts):
            raise ValueError(
                f"to_nside: at nside {nside}, the images of {geom!r} do not cover the same "
                "pixels; choose that of the coarsest"
            )
        data = namespace(self.data).stack([part.data for part in parts])
        whole = parts[0].geom.with_axes(geom.axes)
        return self.with_data(data.reshape(whole.data_shape), geom=whole)

    def _to_nside(self, nside: int, preserve_counts: bool) -> Self:
        geom, wanted = self.geom, hpx_pixels.check_nside(nside)
        new, source, target = hpx_pixels.family(geom.nside, geom.pixels, geom.nest, wanted)
        data = hpx_pixels.summed(self.data[..., source], target, new.size)
        if self.is_mask:
            data = data > 0
        elif preserve_counts and wanted > geom.nside:
            data = data / (wanted // geom.nside) ** 2
        elif not preserve_counts and wanted < geom.nside:
            data = data / np.bincount(target, minlength=new.size)
        return self.with_data(data, geom=geom.to_nside(wanted))

    def downsample(
        self, factor: int, *, preserve_counts: bool = True, axis_name: str | None = None
    ) -> Self:
        """Pixels of ``nside / factor``, or bins of one axis joined."""
        if axis_name is not None:
            return resampling.downsample(self, factor, preserve_counts, axis_name)
        return self.to_nside(
            self.geom.regular().nside // factor, preserve_counts=preserve_counts
        )

    def upsample(
        self, factor: int, *, preserve_counts: bool = True, axis_name: str | None = None
    ) -> Self:
        """Pixels of ``nside * factor``, or bins of one axis divided."""
        if axis_name is not None:
            return resampling.upsample(self, factor, preserve_counts, axis_name)
        return self.to_nside(
            self.geom.regular().nside * factor, preserve_counts=preserve_counts
        )

    def to_swapped(self) -> Self:
        """The same map in the other order of pixels: nested, or by rings."""
        geom = self.geom
        pixels = hpx_pixels.swapped(geom.regular().nside, geom.pixels, geom.nest)
        return self.with_data(self.data[..., np.argsort(pixels)], geom=geom.to_swapped())

    def cutout(self, position: Any, width: Any) -> Self:
        """The pixels in a disk of diameter ``width`` (deg) around a position."""
        geom = self.geom.regular().cutout(position, width)
        return self.with_data(self.data[..., self.geom.local(geom.pixels)], geom=geom)

    def stack(self, other: Any, *, weights: Any = None) -> Self:
        """Add a map of the same nside, order and axes where the two overlap.

        ``weights`` multiply it: a mask, for example.
        """
        one, two = self.geom.regular(), other.geom.regular()
        same = [getattr(one, k) == getattr(two, k) for k in ("nside", "nest", "frame")]
        if not all(same) or not one.axes.is_close(two.axes):
            raise ValueError(
                f"stack: {two!r} has other pixels or axes than {one!r}; use to_nside, "
                "to_swapped or resample_axis first"
            )
        values = other.data if self.is_mask else other.to_unit(self.unit).data
        if weights is not None:
            values = values & weights.data if self.is_mask else values * weights.data
        place = one.local(two.pixels)
        there = place >= 0
        added = hpx_pixels.summed(values[..., there], place[there], one.npix)
        return self.with_data(self.data | (added > 0) if self.is_mask else self.data + added)

    def to_wcs(
        self, *, proj: str = "AIT", binsz: Any = None, preserve_counts: bool = False
    ) -> Any:
        """The map on the pixels of a projection; the axes stay.

        Parameters
        ----------
        proj : str
            For the whole sky; a part of it is shown in ``TAN``, if it is up to 60 deg wide.
        binsz : float, optional
            Size of a pixel in deg; by default half a HEALPix pixel.
        preserve_counts : bool
            Whether the values are counts, whose sum stays (to the accuracy of an
            interpolation), and not a density.

        Returns
        -------
        found : `WcsNDMap`
            NaN where the map has no value.
        """
        from gammajax.maps.hpx_to_wcs import to_wcs

        return to_wcs(self, proj, binsz, preserve_counts)

    def plot(self, ax: Any = None, *, proj: str = "AIT", **options: Any) -> Any:
        """Draw the image in a projection: see `to_wcs` and `gammajax.plots.plot_map`."""
        return self.to_wcs(proj=proj).plot(ax, **options)

    def plot_grid(self, *, proj: str = "AIT", **options: Any) -> Any:
        """Draw every image in a projection: see `gammajax.plots.plot_map_grid`."""
        return self.to_wcs(proj=proj).plot_grid(**options)
