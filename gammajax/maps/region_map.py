"""Maps of one region: spectra and other functions of the axes."""

from __future__ import annotations

from typing import Any, Self

from gammajax.maps import resampling
from gammajax.maps.core import Map
from gammajax.maps.interpolation import linear, nearest


class RegionNDMap(Map):
    """Values on the axes of a `RegionGeom`; see `Map`.

    Examples
    --------
    >>> from gammajax.maps import Map, MapAxis
    >>> energy = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=2)
    >>> found = Map.create(map_type="region", region="icrs;circle(83, 22, 1)", axes=[energy])
    >>> found = found.fill_by_coord(([83, 83.5, 90], [22, 22, 22], [2, 4, 4]))
    >>> found.data[:, 0, 0]
    array([1., 1.])
    """

    def interp_by_coord(
        self, coords: Any, *, method: str = "linear", fill_value: float | None = None
    ) -> Any:
        """Values between the bin centres of the axes; NaN outside the region.

        Parameters
        ----------
        coords : see `WcsGeom.coord_to_pix`
        method : {"linear", "nearest"}
        fill_value : float, optional
            For points beyond the ends of an axis, instead of its outermost bins continued,
            and for those outside the region.
        """
        methods = {"linear": linear, "nearest": nearest}
        if method not in methods:
            raise ValueError(
                f"interpolation: method is {method!r}, expected 'linear' or 'nearest'"
            )
        pix = self.geom.coord_to_pix(coords)
        return methods[method](self.data, tuple(reversed(pix)), fill_value)

    def downsample(
        self, factor: int, *, preserve_counts: bool = True, axis_name: str = "energy"
    ) -> Self:
        """Join bins of one axis into their sum, or their mean."""
        return resampling.downsample(self, factor, preserve_counts, axis_name)

    def upsample(
        self, factor: int, *, preserve_counts: bool = True, axis_name: str = "energy"
    ) -> Self:
        """Divide bins of one axis, and their counts, into equal parts."""
        return resampling.upsample(self, factor, preserve_counts, axis_name)

    def stack(self, other: Any, *, weights: Any = None) -> Self:
        """Add a map of the same region and axes; ``weights`` multiply it: a mask, say."""
        if other.geom.to_image() != self.geom.to_image():
            raise ValueError(f"stack: {other.geom!r} is not the region of {self.geom!r}")
        added = other if weights is None else other * weights.data
        return self | added if self.is_mask else self + added

    def plot(self, ax: Any = None, **options: Any) -> Any:
        """Draw the values over one axis: see `gammajax.plots.plot_region_map`."""
        from gammajax.plots import plot_region_map

        return plot_region_map(self, ax, **options)

    def plot_region(self, ax: Any = None, **options: Any) -> Any:
        """Draw the region on the sky: see `gammajax.plots.plot_region`."""
        from gammajax.plots import plot_region

        return plot_region(self.geom, ax, **options)
