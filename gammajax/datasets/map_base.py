"""What counts cubes of both kinds share: geometry, masks, responses, residuals."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from gammajax.datasets.base import Dataset
from gammajax.irf.edisp_map import EDispKernelMap
from gammajax.irf.psf_map import PSFMap
from gammajax.maps import Map, MapAxis

if TYPE_CHECKING:
    from gammajax.models import Models

MASKS = ("mask_safe", "mask_fit")


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class MapDatasetBase(Dataset):
    """Counts in pixels of the sky and energy bins with their responses.

    The fields are described in `MapDataset`. A class that builds on this one names in
    ``maps`` what it has in each bin besides counts. Of these, NaN outside of ``mask_safe``
    becomes 0: gammapy writes it where nothing is known.
    """

    name: str
    counts: Map
    exposure: Map
    psf: PSFMap | None = None
    edisp: EDispKernelMap | None = None
    mask_safe: Map | None = None
    mask_fit: Map | None = None
    gti: Any = None
    meta: dict[str, Any] = field(default_factory=dict)

    maps: ClassVar[tuple[str, ...]] = ()
    stat_type: ClassVar[str] = ""

    def __post_init__(self) -> None:
        label = f"dataset {self.name!r}"
        _check_axes(self.counts, "energy", f"{label}: counts")
        _check_axes(self.exposure, "energy_true", f"{label}: exposure")
        object.__setattr__(self, "exposure", self.exposure.to_unit("cm2 s"))
        for what in ("counts", *self.maps):
            object.__setattr__(
                self, what, _known_where_safe(getattr(self, what), self.mask_safe)
            )
        for what in ("counts", "exposure", *self.maps):
            _check_values(getattr(self, what), f"{label}: {what}")
        for what in (*self.maps, *MASKS):
            found = getattr(self, what)
            if found is not None and found.data.shape != self.counts.data.shape:
                raise ValueError(
                    f"{label}: {what} has shape {found.data.shape}, the counts have "
                    f"{self.counts.data.shape}"
                )
        for what in MASKS:
            found = getattr(self, what)
            if found is not None and not found.is_mask:
                object.__setattr__(self, what, found.with_data(np.asarray(found.data) != 0))
        self._check_edisp(label)

    def _check_edisp(self, label: str) -> None:
        if self.edisp is None:
            return
        for axis in (self.energy, self.energy_true):
            found = self.edisp.axis(axis.name)
            if not found.is_close(axis):
                raise ValueError(
                    f"{label}: the energy dispersion has {found!r}, the dataset {axis!r}"
                )

    @property
    def geom(self) -> Any:
        """The geometry of the counts."""
        return self.counts.geom

    @property
    def energy(self) -> MapAxis:
        """The axis of reconstructed energy."""
        return self.counts.geom.axes["energy"]

    @property
    def energy_true(self) -> MapAxis:
        """The axis of true energy."""
        return self.exposure.geom.axes["energy_true"]

    @property
    def mask(self) -> np.ndarray:  # pyright: ignore
        """The bins in a fit: safe, and in the fit range; shape of the counts."""
        mask = np.ones(self.counts.data.shape, dtype=bool)
        for found in (self.mask_safe, self.mask_fit):
            if found is not None:
                mask &= np.asarray(found.data)
        return mask

    @property
    def background_data(self) -> np.ndarray:
        """Background counts expected in all bins."""
        return np.zeros(self.counts.data.shape)

    @classmethod
    def read(cls, filename: str | Path, *, name: str | None = None) -> Self:
        """Read a file of gammapy; see `gammajax.datasets.read_map_dataset`.

        Raises
        ------
        ValueError
            If the file is damaged, or holds the other kind of counts cube.
        """
        from gammajax.datasets.map_io import read_map_dataset

        found: Any = read_map_dataset(filename, name=name)
        if not isinstance(found, cls):
            raise ValueError(
                f"{filename}: holds a {type(found).__name__}, expected a {cls.__name__}; use "
                "gammajax.datasets.read_map_dataset"
            )
        return found

    def write(self, filename: str | Path, *, overwrite: bool = False) -> None:
        """Write a file that gammapy opens; see `gammajax.datasets.write_map_dataset`."""
        from gammajax.datasets.map_io import write_map_dataset

        write_map_dataset(self, filename, overwrite=overwrite)

    def in_energy_range(self, energy_min: Any = None, energy_max: Any = None) -> np.ndarray:
        """Which energy bins lie wholly between two energies."""
        return self.energy.mask(energy_min, energy_max)

    def with_energy_range(self, energy_min: Any = None, energy_max: Any = None) -> Self:
        """The dataset with its fit range set to the bins wholly between two energies."""
        inside = self.energy.mask(energy_min, energy_max)
        shape = self.counts.data.shape
        data = np.broadcast_to(inside.reshape(-1, *[1] * (len(shape) - 1)), shape).copy()
        return self.replace(mask_fit=self.counts.with_data(data))

    def npred(self, models: Models | None = None) -> Map:
        """Predicted counts of models and background in all bins."""
        from gammajax.fold import npred_map

        return npred_map(self, models)

    def npred_signal(self, models: Models | None) -> Map:
        """Predicted counts of the sky models in all bins."""
        from gammajax.fold import npred_map

        return npred_map(self, models, background=False)

    def residuals(
        self, models: Models | None = None, *, method: str = "diff/sqrt(model)"
    ) -> Map:
        """Residuals of the counts summed over energy, in the mask.

        Parameters
        ----------
        models : `~gammajax.models.Models`, optional
            By default the background alone is predicted.
        method : {"diff", "diff/model", "diff/sqrt(model)"}

        Raises
        ------
        ValueError
            If the method is none of these.
        """
        powers = {"diff": 0.0, "diff/model": 1.0, "diff/sqrt(model)": 0.5}
        if method not in powers:
            raise ValueError(f"residuals: method is {method!r}, expected {', '.join(powers)}")
        mask = self.mask
        counts = np.where(mask, np.asarray(self.counts.data), 0.0).sum(axis=0)
        model = np.where(mask, np.asarray(self.npred(models).data), 0.0).sum(axis=0)
        positive = np.where(model > 0, model, 1.0)
        values = np.where(model > 0, (counts - model) / positive ** powers[method], 0.0)
        return Map.from_geom(self.geom.to_image(), data=values)

    def stack(self, *others: Any, name: str = "") -> Self:
        """This dataset and others, summed; see `Datasets.stack_reduce`.

        Counts, background and off counts are summed in the safe masks, exposures where the
        safe mask has any energy. Spread and dispersion are means weighted by the exposure,
        the dispersion in the safe masks. The acceptances of on-off data are those that keep
        the expected background. The safe mask holds what is in any mask.

        Parameters
        ----------
        *others : datasets of the same kind
            With the same axes, on pixels that fall on those of this one. What lies outside
            of this map is left out.
        name : str, optional
            By default the name of this one.

        Raises
        ------
        ValueError
            If kinds, axes or pixels do not fit.
        """
        from gammajax.datasets.map_stack import stack_maps

        return stack_maps([self, *others], name or self.name)

    def cutout(self, position: Any, width: Any, *, name: str = "") -> Self:
        """The part of the sky around a position, ``width`` (deg, one or two numbers) wide."""
        from gammajax.datasets.map_operations import cutout

        return cutout(self, position, width, name or self.name)

    def slice_by_energy(
        self, energy_min: Any = None, energy_max: Any = None, *, name: str = ""
    ) -> Self:
        """The bins of reconstructed energy wholly between two energies; others are gone.

        Raises
        ------
        ValueError
            If there are none.
        """
        from gammajax.datasets.map_operations import slice_by_energy

        return slice_by_energy(self, energy_min, energy_max, name or self.name)

    def resample_energy_axis(self, energy_axis: MapAxis, *, name: str = "") -> Self:
        """Neighbouring bins of reconstructed energy joined, summed in the safe mask.

        The dispersion counts only what is in the safe mask. A joined bin is in a mask if any
        of its bins is.

        Parameters
        ----------
        energy_axis : `~gammajax.maps.MapAxis`
            The edges nearest to its edges are kept.
        name : str, optional
        """
        from gammajax.datasets.map_operations import resample_energy_axis

        return resample_energy_axis(self, energy_axis, name or self.name)

    def to_image(self, *, name: str = "") -> Self:
        """One bin of reconstructed energy: see `resample_energy_axis`."""
        return self.resample_energy_axis(self.energy.squash(), name=name)

    def downsample(self, factor: int, *, name: str = "") -> Self:
        """``factor`` by ``factor`` pixels joined, summed in the safe mask."""
        from gammajax.datasets.map_operations import downsample

        return downsample(self, factor, name or self.name)

    def pad(self, pad_width: Any, *, name: str = "") -> Self:
        """More pixels on every side, outside of the safe mask; the exposure is continued."""
        from gammajax.datasets.map_operations import pad

        return pad(self, pad_width, name or self.name)

    def to_spectrum_dataset(
        self, on_region: Any, *, containment_correction: bool = False, name: str = ""
    ) -> Any:
        """The spectrum in a region.

        Counts and backgrounds are sums over pixels whose centres lie in the region and the
        safe mask; the exposure is the mean of these pixels, the dispersion that of the middle.

        Parameters
        ----------
        on_region : see `~gammajax.maps.RegionGeom.create`
            Wholly on the map; each energy bin is masked in all of it or nowhere.
        containment_correction : bool
            Multiply the exposure by the part of a point source in the middle of a circle
            that falls in it.
        name : str, optional

        Returns
        -------
        dataset : `SpectrumDataset` or `SpectrumDatasetOnOff`

        Raises
        ------
        ValueError
            If the region is a point or reaches beyond the map, a mask is mixed in it, or a
            correction is wanted without a circle or a `PSFMap`.
        """
        from gammajax.datasets.map_spectrum import spectrum_of

        return spectrum_of(self, on_region, containment_correction, name or self.name)

    def plot_residuals(self, models: Models | None = None, **options: Any) -> Any:
        """Maps of counts, prediction and residuals; see `gammajax.plots.plot_residual_maps`."""
        from gammajax.plots import plot_residual_maps

        return plot_residual_maps(self, models, **options)

    def info_dict(self) -> dict[str, Any]:
        """The numbers that describe the dataset, summed over the fit range."""
        mask = self.mask
        used = mask.any(axis=tuple(range(1, mask.ndim)))
        counts = float(np.asarray(self.counts.data)[mask].sum())
        background = float(self.background_data[mask].sum())
        low, high = self.energy.edges_min[used], self.energy.edges_max[used]
        return {
            "name": self.name,
            "livetime": float("nan") if self.gti is None else self.gti.time_sum.to_value("s"),
            "n_bins": int(mask.sum()),
            "energy_min": float(low.min()) if used.any() else float("nan"),
            "energy_max": float(high.max()) if used.any() else float("nan"),
            "counts": counts,
            "background": background,
            "excess": counts - background,
        }


def _check_axes(found: Map, name: str, where: str) -> None:
    if found.geom.axes.names != (name,):
        raise ValueError(
            f"{where}: the axes are {found.geom.axes.names}, expected one, {name!r}"
        )


def _known_where_safe(found: Map | None, mask_safe: Map | None) -> Map | None:
    """The map with 0 in bins that are no numbers and outside of the safe mask."""
    if found is None or mask_safe is None or mask_safe.data.shape != found.data.shape:
        return found
    unknown = np.isnan(np.asarray(found.data)) & (np.asarray(mask_safe.data) == 0)
    if not unknown.any():
        return found
    return found.with_data(np.where(unknown, 0.0, found.data))


def _check_values(found: Map | None, where: str) -> None:
    if found is None:
        return
    data = np.asarray(found.data)
    bad = ~np.isfinite(data) | (data < 0)
    if bad.any():
        place = tuple(int(i) for i in np.argwhere(bad)[0])
        raise ValueError(
            f"{where} is {data[place]:g} at {list(place)} ({int(bad.sum())} of {bad.size} bins "
            "are like this), expected finite numbers of 0 or more"
        )
