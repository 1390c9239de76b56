"""Fluxes relative to a reference, bin by bin, as a likelihood found them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from gammajax.units import DNDE, EFLUX, FLUX, to_quantity

REFERENCES = {"dnde": DNDE, "e2dnde": EFLUX, "flux": FLUX, "eflux": EFLUX}
"""Quantities that a norm scales, and their units."""

NORMS = ("norm", "norm_err", "norm_errn", "norm_errp", "norm_ul")

SCALARS = (*NORMS, "ts", "stat", "stat_null")


@dataclass(frozen=True, eq=False, kw_only=True)
class FluxNorms:
    r"""What a fit of a norm in each of many bins gave.

    The flux in a bin is ``norm`` times that of a reference spectrum. Bins have any shape S:
    energies, times and energies, distances and energies.

    Parameters
    ----------
    norm, norm_err, norm_errn, norm_errp, norm_ul : array, shape S
        Best fit; its error from the curvature; distances to where the statistic has risen
        by ``n_sigma`` squared; where it has risen by ``n_sigma_ul`` squared. NaN where there
        is no such number: ``notes`` say why.
    ts : array, shape S
        The statistic without the source minus that at the best fit.
    stat, stat_null : array, shape S
        -2 ln L at the best fit, and with a norm of 0.
    ref_dnde, ref_e2dnde, ref_flux, ref_eflux : array, shape S
        The reference spectrum, in canonical units.
    counts, npred, npred_excess : array, shape (\*S, dataset)
        Counts, predicted ones with the background, and those of the source alone. NaN for
        datasets without a bin there.
    datasets : tuple of str
    norm_scan : array, shape (value,)
    stat_scan : array, shape (\*S, value)
        The statistic at these norms.
    success : array of bool, shape S
        Whether all fits of a bin converged, away from bounds.
    notes : array of str, shape S
        What is unusual about a bin, in words; empty for most.
    n_sigma, n_sigma_ul : float
    covariance : array, shape (bin, bin), optional
        Of the norms, where they were fitted together.
    samples : array, shape (\*S, draw), optional
        Draws from the posterior of the norms, which the numbers above are then quantiles of;
        see `with_samples`.
    """

    norm: Any
    norm_err: Any
    norm_errn: Any
    norm_errp: Any
    norm_ul: Any
    ts: Any
    stat: Any
    stat_null: Any
    ref_dnde: Any
    ref_e2dnde: Any
    ref_flux: Any
    ref_eflux: Any
    counts: Any
    npred: Any
    npred_excess: Any
    datasets: tuple[str, ...]
    norm_scan: Any
    stat_scan: Any
    success: Any
    notes: Any
    n_sigma: float = 1.0
    n_sigma_ul: float = 2.0
    covariance: Any = None
    samples: Any = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the bins."""
        return np.shape(self.norm)

    @property
    def sqrt_ts(self) -> np.ndarray:
        """The root of the test statistic, with the sign of the norm."""
        return np.sign(self.norm) * np.sqrt(np.maximum(self.ts, 0.0))

    @property
    def confidence(self) -> float:
        """One-sided confidence level of the upper limits."""
        from scipy.special import ndtr

        return float(ndtr(self.n_sigma_ul))

    def is_limit(self, sqrt_ts: float) -> np.ndarray:
        """Bins that are quoted as limits: a significance below ``sqrt_ts``, or no value."""
        low = ~(self.sqrt_ts >= sqrt_ts) | ~np.isfinite(self.norm_err)
        return low & np.isfinite(self.norm_ul) & (np.asarray(self.norm_ul) > 0)

    def values(self, name: str, sed_type: str = "dnde") -> np.ndarray:
        """``norm``, ``norm_err`` and so on times the reference of a kind, canonical units."""
        if sed_type not in REFERENCES:
            raise ValueError(f"sed_type is {sed_type!r}, expected {', '.join(REFERENCES)}")
        return np.asarray(getattr(self, name)) * getattr(self, f"ref_{sed_type}")

    def quantity(self, name: str, sed_type: str = "dnde") -> Any:
        """As `values`, as a `~astropy.units.Quantity`."""
        return to_quantity(self.values(name, sed_type), REFERENCES[sed_type])

    def with_samples(self, samples: Any) -> Self:
        r"""The norms as a posterior has them, instead of as the likelihood does.

        ``norm`` is the median, ``norm_err`` the standard deviation, ``norm_errn`` and
        ``norm_errp`` the distances to the quantiles :math:`\Phi(\mp n_\sigma)`, ``norm_ul``
        the quantile at `confidence`. Test statistics stay those of the likelihood.

        Parameters
        ----------
        samples : array, shape (\*S, draw)
            NaN where there is none.

        Raises
        ------
        ValueError
            If the shape does not fit.
        """
        from scipy.special import ndtr

        samples = np.asarray(samples, dtype=np.float64)
        if samples.shape[:-1] != self.shape or samples.shape[-1:] < (2,):
            raise ValueError(
                f"with_samples: got the shape {samples.shape}, expected {self.shape} and two "
                "draws or more"
            )
        side = float(ndtr(self.n_sigma))
        levels = (1 - side, 0.5, side, self.confidence)
        low, middle, high, limit = np.quantile(samples, levels, axis=-1)
        covariance = None
        if len(self.shape) == 1:
            covariance = np.cov(samples).reshape(samples.shape[0], -1)
        return dataclasses.replace(
            self, norm=middle, norm_err=samples.std(axis=-1, ddof=1), norm_errn=middle - low,
            norm_errp=high - middle, norm_ul=limit, covariance=covariance, samples=samples,
        )  # fmt: skip

    def reshape(self, *shape: int) -> Self:
        """The same bins in another shape."""
        return self._each(lambda array, inner: array.reshape(*shape, *inner))

    def __getitem__(self, where: Any) -> Self:
        """Some of the bins."""
        found = self._each(lambda array, inner: array[where])
        if self.covariance is None:
            return found
        return dataclasses.replace(found, covariance=self.covariance[where][:, where])

    def _each(self, change: Any) -> Self:
        """Every array by bin changed; ``inner`` is its shape within a bin."""
        fields = {}
        for field in dataclasses.fields(self):
            array = getattr(self, field.name)
            if isinstance(array, np.ndarray) and field.name not in ("norm_scan", "covariance"):
                fields[field.name] = change(array, array.shape[len(self.shape) :])
        return dataclasses.replace(self, **fields)
