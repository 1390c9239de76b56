"""Flux points as a dataset of a fit."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from gammajax.data.flux_points import FluxPoints
from gammajax.data.flux_points_io import open_points, points_of, write_flux_points
from gammajax.datasets.base import Dataset
from gammajax.units import ENERGY, to_value

if TYPE_CHECKING:
    from gammajax.models import Models


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class FluxPointsDataset(Dataset):
    r"""Flux points with Gaussian errors; the statistic is chi-squared.

    .. math:: \chi^2 = ((x - m) / \sigma)^2

    with the model m at the reference energy, or its integral over the bin where the points
    are integrals. An upper limit u of one-sided confidence C is a measurement of 0 with the
    error u / z, where z is the quantile of C: the statistic rises from a model of nothing to
    one at the limit by z squared, as it does where such limits are found.

    Parameters
    ----------
    name : str
    data : `~gammajax.data.FluxPoints`
    mask_safe, mask_fit : array of bool, shape (point,), optional
        The points to trust, and those to fit. Points with neither value nor limit are left
        out of ``mask``; `info_dict` tells how many are used.
    limits : bool
        Whether upper limits take part.
    asymmetric : bool
        Whether the error below the value counts where the model is below, and that above
        where it is above; otherwise ``data.error`` counts on both sides.
    meta : dict

    Raises
    ------
    ValueError
        If a mask has another shape than the points.

    Examples
    --------
    >>> from gammajax.models import Models, PowerLawSpectralModel, SkyModel
    >>> points = FluxPoints(
    ...     sed_type="dnde", energy_ref=[1.0, 2.0], value=[1e-12, 4e-13], error=[1e-13, 1e-13]
    ... )
    >>> dataset = FluxPointsDataset(name="sed", data=points)
    >>> models = Models(SkyModel(PowerLawSpectralModel(index=2), name="source"))
    >>> round(dataset.stat_sum(models), 6)
    2.25
    """

    name: str
    data: FluxPoints
    mask_safe: Any = None
    mask_fit: Any = None
    limits: bool = True
    asymmetric: bool = False
    meta: dict[str, Any] = field(default_factory=dict)

    stat_type: ClassVar[str] = "chi2"

    def __post_init__(self) -> None:
        for what in ("mask_safe", "mask_fit"):
            given = getattr(self, what)
            mask = np.ones(len(self.data), bool) if given is None else np.asarray(given, bool)
            if mask.shape != (len(self.data),):
                raise ValueError(
                    f"dataset {self.name!r}: {what} has shape {mask.shape}, expected "
                    f"{(len(self.data),)}"
                )
            object.__setattr__(self, what, mask)

    @property
    def mask(self) -> np.ndarray:  # pyright: ignore
        """The points in a fit: safe, in the fit range, and with a value or a limit."""
        known = self.data.is_usable if self.limits else self.data.is_measured
        return self.mask_safe & self.mask_fit & known

    @property
    def gaussian(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The values with the errors below and above them; limits as values of 0."""
        from scipy.special import ndtri

        data = self.data
        width = data.limit / ndtri(data.confidence)
        errors = (data.error_low, data.error_high) if self.asymmetric else (data.error,) * 2
        low, high = (np.where(data.is_limit, width, error) for error in errors)
        return np.where(data.is_limit, 0.0, data.value), low, high

    @classmethod
    def read(cls, filename: str | Path, *, name: str | None = None, **options: Any) -> Self:
        """Read a table, with its masks if it has any; see `gammajax.data.read_flux_points`."""
        path = Path(filename)
        rows = open_points(path)
        masks = {
            key: np.ma.filled(rows[key], False).astype(bool).reshape(len(rows))
            for key in ("mask_safe", "mask_fit")
            if key in rows.colnames
        }
        sed_type, confidence = options.pop("sed_type", None), options.pop("confidence", None)
        try:
            data = points_of(rows, sed_type, confidence, str(path))
            return cls(name=name or path.name.split(".")[0], data=data, **masks, **options)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None

    def write(self, filename: str | Path, *, overwrite: bool = False) -> None:
        """Write a table with the masks, which gammapy opens as a dataset."""
        masks = {"mask_fit": self.mask_fit, "mask_safe": self.mask_safe}
        write_flux_points(self.data, filename, overwrite=overwrite, masks=masks)

    @property
    def energy(self) -> np.ndarray:
        """The reference energies, in TeV."""
        return self.data.energy_ref

    def in_energy_range(self, energy_min: Any = None, energy_max: Any = None) -> np.ndarray:
        """The points whose bins (or energies, without bins) lie between two energies."""
        data = self.data
        low, high = (
            np.where(np.isfinite(edge), edge, data.energy_ref)
            for edge in (data.energy_min, data.energy_max)
        )
        inside = np.ones(len(data), dtype=bool)
        if energy_min is not None:
            inside &= low >= to_value(energy_min, ENERGY, where="energy_min") * (1 - 1e-6)
        if energy_max is not None:
            inside &= high <= to_value(energy_max, ENERGY, where="energy_max") * (1 + 1e-6)
        return inside

    def with_energy_range(self, energy_min: Any = None, energy_max: Any = None) -> Self:
        """The dataset with its fit range set to the points between two energies."""
        return self.replace(mask_fit=self.in_energy_range(energy_min, energy_max))

    def slice_by_energy(
        self, energy_min: Any = None, energy_max: Any = None, *, name: str = ""
    ) -> Self:
        """The points between two energies; others are gone."""
        inside = self.in_energy_range(energy_min, energy_max)
        if not inside.any():
            raise ValueError(
                f"dataset {self.name!r}: no point lies between {energy_min} and {energy_max}"
            )
        masks = {"mask_safe": self.mask_safe[inside], "mask_fit": self.mask_fit[inside]}
        return self.replace(name=name or self.name, data=self.data[inside], **masks)

    def flux_pred(self, models: Models) -> np.ndarray:
        """What the models predict for each point, in ``data.unit``, shape (point,)."""
        from gammajax.fold import flux_prediction

        return flux_prediction(self, models)

    def stat_array(self, models: Models) -> np.ndarray:
        """The statistic of each point, masked ones included; NaN where nothing is known."""
        from gammajax.stats import chi2_asymmetric

        return np.asarray(chi2_asymmetric(*self.gaussian, self.flux_pred(models)))

    def residuals(self, models: Models, *, method: str = "diff") -> np.ndarray:
        """Differences of values and models; NaN for limits.

        Parameters
        ----------
        models : `~gammajax.models.Models`
        method : {"diff", "diff/model", "diff/error"}
        """
        model = self.flux_pred(models)
        scales = {"diff": 1.0, "diff/model": model, "diff/error": self.data.error}
        if method not in scales:
            raise ValueError(f"residuals: method is {method!r}, expected {', '.join(scales)}")
        values = (self.data.value - model) / scales[method]
        return np.where(self.data.is_limit, np.nan, values)

    def info_dict(self) -> dict[str, Any]:
        """The numbers that describe the dataset."""
        data, used = self.data, self.mask
        energy = data.energy_ref[used] if used.any() else np.array([np.nan])
        return {
            "name": self.name,
            "n_bins": int(used.sum()),
            "n_points": len(data),
            "n_limits": int((used & data.is_limit).sum()),
            "sed_type": data.sed_type,
            "energy_min": float(energy.min()),
            "energy_max": float(energy.max()),
        }
