"""Flux points: the norm of a spectrum in bins of energy."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from gammajax.config import program
from gammajax.data import FluxNorms, FluxPoints
from gammajax.estimators.base import NormEstimator
from gammajax.estimators.energy_bins import EnergyBin
from gammajax.estimators.joint import joint_models, joint_norms, joint_parts, nodes_of
from gammajax.estimators.posterior import (
    independent,
    posterior_of,
    sampling_options,
    with_prior,
)
from gammajax.inference import Likelihood
from gammajax.parameters import Prior


@dataclass(frozen=True, kw_only=True)
class FluxPointsEstimator(NormEstimator):
    """Flux points of a source, in one batch of compiled fits.

    In each bin of reconstructed energy the spectrum of the source is multiplied by a norm,
    which is fitted to the data of the bin alone. A point is the norm times the spectrum at
    the reference energy.

    Parameters
    ----------
    energy_edges : array in TeV, or `~astropy.units.Quantity`
        Moved to the nearest edges of the datasets, where these all have the same.
    source : str, optional
        Its name; needed where there are several.
    n_sigma, n_sigma_ul : float
        Of asymmetric errors, and of upper limits.
    selection_optional : "all", None, or list of {"errn-errp", "ul", "scan"}
    reoptimize : bool, str or list of str
        Which other free parameters are fitted again in each bin: none, all, or those that
        match globs. The spectral parameters of the source never are.
    method : {"independent", "joint"}
        ``joint`` fits all points at once, as the nodes of one factor that is a straight line
        in energy between them, with the covariance of all (``points.norms.covariance``).
        Its errors contain what neighbours share through the energy dispersion. Its norms
        stay above 0, unless ``norm_min`` says how far below they may go.
    norm_scan : array, optional
        Norms of the likelihood scan; 11 from 0.2 to 5 by default.
    norm_min, norm_max : float
        Bounds of the norm; none by default, so that a bin with too few counts has a norm
        below 0.
    sqrt_ts_threshold_ul : float
        Points that are less significant are marked as limits.
    fold : `~gammajax.fold.FoldOptions`, optional
    progress : bool

    Examples
    --------
    >>> from gammajax.maps import MapAxis
    >>> from gammajax.models import Models, PowerLawSpectralModel, SkyModel
    >>> from gammajax.simulate import simulate_on_off
    >>> models = Models([SkyModel(PowerLawSpectralModel(amplitude=4e-11), name="crab")])
    >>> datasets = simulate_on_off(models, n_observations=2, livetime="30 min", seed=1)
    >>> points = FluxPointsEstimator(energy_edges=[1, 3, 10]).run(datasets, models)
    >>> len(points), points.norms.notes.tolist()
    (2, ['', ''])
    """

    def run(self, datasets: Any, models: Any) -> FluxPoints:
        """Measure the points.

        Parameters
        ----------
        datasets : `~gammajax.datasets.Datasets`, or an iterable of datasets
            Counts of any kind: spectra, cubes, or both.
        models : `~gammajax.models.Models`
            At their best fit; `FitResult.models` of a fit.

        Returns
        -------
        points : `~gammajax.data.FluxPoints`
            Differential fluxes; ``points.norms`` has everything else, and
            ``points.to_sed_type`` other kinds of flux.
        """
        task = self._task(datasets, models)
        bins, source = task.bins, task.source
        spectrum = task.models[source].spectral_model
        if self.method == "joint":
            found = joint_norms(
                task.datasets, task.models, source, bins, self.options, task.scaled, self.fold
            )
        else:
            found = self._apart(task, [b.inside for b in bins])
        fields: dict[str, Any] = found | reference_fluxes(spectrum, bins)
        norms = FluxNorms(
            **fields,
            n_sigma=self.n_sigma,
            n_sigma_ul=self.n_sigma_ul,
        )
        return flux_points(norms, bins, source, self.sqrt_ts_threshold_ul)

    def sample(
        self, datasets: Any, models: Any, *, prior: Prior | None = None, **options: Any
    ) -> FluxPoints:
        r"""Measure the points by draws from the posterior of their norms.

        Values are medians, errors standard deviations and quantiles, limits the quantile at
        :math:`\Phi(n_{\sigma, ul})`: the Bayesian limit. What is refitted is marginalised.
        Test statistics, counts and scans are those of the likelihood, as `run` has them.

        Parameters
        ----------
        datasets, models
            As in `run`.
        prior : `~gammajax.parameters.Prior`, optional
            Of each norm; flat above 0 by default. Other parameters have the priors of the
            models.
        **options
            For `~gammajax.inference.sample`: ``n_chains``, ``n_samples``, ``seed``, ...

        Returns
        -------
        points : `~gammajax.data.FluxPoints`
            With all draws in ``points.norms.samples``, which `~gammajax.plots.plot_violins`
            draws, and the `~gammajax.inference.Posterior` in ``points.meta``.
        """
        points = self.run(datasets, models)
        task = self._task(datasets, models)
        measured = cast(FluxNorms, points.norms)
        used = np.isfinite(measured.norm)
        if self.method == "joint":
            made, names = joint_models(
                task.models, task.source, nodes_of(task.bins), self.options, task.scaled
            )
            for name in names:
                made = with_prior(made, name, prior)
            likelihood = Likelihood(joint_parts(task.datasets, task.bins), made, self.fold)
            names = [name for name, use in zip(names, used, strict=True) if use]
        else:
            masks = [b.inside for b in task.bins]
            likelihood, names = independent(task, masks, used, prior, self.fold)
        options = sampling_options(options, self.progress)
        norms, posterior = posterior_of(measured, likelihood, names, used, options)
        found = flux_points(norms, task.bins, task.source, self.sqrt_ts_threshold_ul)
        return dataclasses.replace(found, meta={**found.meta, "posterior": posterior})


def reference_fluxes(spectrum: Any, bins: Sequence[EnergyBin]) -> dict[str, np.ndarray]:
    """The fluxes of a spectrum that norms in energy bins scale, shape (bin,)."""
    if spectrum.is_norm:
        raise ValueError(
            f"source: its {type(spectrum).__name__} is a factor without a flux unit, so there "
            "is no flux to scale"
        )
    low, high, ref = (
        np.array([getattr(b, name) for b in bins])
        for name in ("energy_min", "energy_max", "energy_ref")
    )
    dnde, flux, energy_flux = (np.asarray(part) for part in _fluxes(spectrum, low, high, ref))
    return {
        "ref_dnde": dnde,
        "ref_e2dnde": ref**2 * dnde,
        "ref_flux": flux,
        "ref_eflux": energy_flux,
    }


@program
def _fluxes(spectrum: Any, low: Any, high: Any, ref: Any) -> tuple[Any, Any, Any]:
    """All three in one program, which takes a third of the time to compile."""
    return (
        spectrum.evaluate(ref),
        spectrum.evaluate_integral(low, high),
        spectrum.evaluate_energy_flux(low, high),
    )


def flux_points(
    norms: FluxNorms, bins: Sequence[EnergyBin], source: str, sqrt_ts: float
) -> FluxPoints:
    """A table of differential fluxes from norms."""
    return FluxPoints.from_norms(
        norms,
        energy_min=np.array([b.energy_min for b in bins]),
        energy_max=np.array([b.energy_max for b in bins]),
        sqrt_ts=sqrt_ts,
        meta={"source": source},
    )
