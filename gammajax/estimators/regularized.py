"""Regularised flux points: an unfolded spectrum that is as smooth as the data allow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gammajax.data import FluxNorms, FluxPoints
from gammajax.estimators.base import NormEstimator, Task
from gammajax.estimators.flux_points import flux_points, reference_fluxes
from gammajax.estimators.joint import joint_models, joint_parts, nodes_of, sums_of
from gammajax.estimators.penalised import Minimum, curvature_matrix, minimise
from gammajax.inference import Likelihood
from gammajax.inference.covariance import invert

STRENGTHS = np.geomspace(1e-3, 1e6, 28)
"""Strengths at which the evidence is looked at first."""

CONVERGED = 1e-6


@dataclass(frozen=True, kw_only=True)
class RegularizedFluxPointsEstimator(NormEstimator):
    r"""Flux points fitted together, with a penalty on the curvature of their logarithms.

    The spectrum of the source is multiplied by a factor that is a power law between the
    reference energies of neighbouring bins, and as far beyond the first and the last, so that
    events from beyond the edges have a place to come from. With :math:`u_i` the logarithms of
    the factor there, what is minimised is

    .. math:: -2 \ln L(u) + \lambda \int \left( \frac{d^2 u}{d(\ln E)^2} \right)^2 d\ln E

    so that a spectrum which is the reference times a power law costs nothing. The strength
    :math:`\lambda` is the one of the largest evidence in the Laplace approximation,

    .. math:: \ln Z(\lambda) = -\tfrac{1}{2} (S + \lambda R) + \tfrac{m - 2}{2} \ln \lambda
              - \tfrac{1}{2} \ln \det (\tfrac{1}{2} S'' + \lambda K)

    with :math:`R = u^T K u` and m energies (MacKay 1992, Neural Computation 4, 415). The
    covariance of u is the inverse of the matrix in the last term, so that errors contain the
    prior.

    Parameters
    ----------
    energy_edges, source, n_sigma, n_sigma_ul, reoptimize, sqrt_ts_threshold_ul, fold
        As in `FluxPointsEstimator`; there have to be three bins or more.
    strength : float, optional
        Given instead of the one of the largest evidence.

    Notes
    -----
    Norms are above 0 and their errors log-normal: ``norm_errp`` is
    :math:`n (e^{\sigma} - 1)`, and limits are :math:`n\,e^{n_\sigma \sigma}`. ``ts`` is
    the square of 1 over the error of the logarithm (Wald), not a ratio of likelihoods. Peaks
    that are narrower than the smoothness allows are flattened: errors do not cover that bias.

    Examples
    --------
    >>> from gammajax.models import Models, PowerLawSpectralModel, SkyModel
    >>> from gammajax.simulate import simulate_on_off
    >>> models = Models([SkyModel(PowerLawSpectralModel(amplitude=4e-11), name="crab")])
    >>> datasets = simulate_on_off(models, n_observations=2, livetime="30 min", seed=1)
    >>> estimator = RegularizedFluxPointsEstimator(energy_edges=[0.7, 1.5, 3, 6, 12])
    >>> points = estimator.run(datasets, models)
    >>> points.norms.covariance.shape, points.meta["strength"] > 0
    ((4, 4), True)
    """

    strength: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.strength is not None and not self.strength > 0:
            raise ValueError(
                f"RegularizedFluxPointsEstimator: strength is {self.strength}, expected a "
                "number above 0"
            )

    def run(self, datasets: Any, models: Any) -> FluxPoints:
        """Measure the points.

        Parameters
        ----------
        datasets : `~gammajax.datasets.Datasets`, or an iterable of datasets
        models : `~gammajax.models.Models`

        Returns
        -------
        points : `~gammajax.data.FluxPoints`
            With their covariance in ``points.norms.covariance``. ``points.meta`` has the
            ``strength``, the ``strengths`` looked at with their ``log_evidence``, and
            ``n_effective``, the number of parameters that the data determine.
        """
        task = self._task(datasets, models)
        if len(task.bins) < 3:
            raise ValueError(
                f"energy_edges: got {len(task.bins)} bins, and a curvature needs three or more"
            )
        nodes = with_neighbours(nodes_of(task.bins))
        made, names = joint_models(
            task.models, task.source, nodes, self.options, task.scaled, "log"
        )
        for name in names:
            made = made.set(name, 1.0, min=0.0, max=np.inf)
        likelihood = Likelihood(joint_parts(task.datasets, task.bins), made, self.fold)
        unfolding = _Unfolding(likelihood, names, nodes, task)
        strengths, evidence = unfolding.scan() if self.strength is None else ((), ())
        strength = self.strength or unfolding.best(strengths, evidence)
        found = unfolding.at(strength)
        norms, effective = self._norms(unfolding, found, strength, np.asarray(strengths))
        points = flux_points(norms, task.bins, task.source, self.sqrt_ts_threshold_ul)
        points.meta.update(
            strength=strength,
            strengths=np.asarray(strengths),
            log_evidence=np.asarray(evidence),
            n_effective=effective,
        )
        return points

    def _norms(
        self, unfolding: _Unfolding, found: Minimum, strength: float, strengths: np.ndarray
    ) -> tuple[FluxNorms, float]:
        places, task = unfolding.places[1:-1], unfolding.task
        precision = np.asarray(found.hessian) / 2 + strength * unfolding.matrix
        covariance = invert(precision)
        effective = float(np.trace(covariance @ np.asarray(found.hessian)) / 2)
        block = covariance[np.ix_(places, places)]
        norm, sigma = np.exp(np.asarray(found.u)[places]), np.sqrt(np.diag(block))
        best = unfolding.likelihood.models_at(unfolding.theta(found))
        sums = sums_of(unfolding.likelihood, best, task.bins, task.source)
        good = float(found.edm) < CONVERGED and bool(np.all(np.isfinite(sigma)))
        notes = _notes(unfolding, sums, good, strength, strengths)
        spectrum = task.models[task.source].spectral_model
        number = len(task.bins)
        fields: dict[str, Any] = {
            "norm": norm,
            "norm_err": norm * sigma,
            "norm_errn": norm * (1 - np.exp(-self.n_sigma * sigma)),
            "norm_errp": norm * (np.exp(self.n_sigma * sigma) - 1),
            "norm_ul": norm * np.exp(self.n_sigma_ul * sigma),
            "ts": 1 / sigma**2,
            "stat": np.full(number, float(found.stat)),
            "stat_null": np.full(number, np.nan),
            **reference_fluxes(spectrum, task.bins),
            **sums,
            "datasets": task.datasets.names,
            "norm_scan": np.zeros(0),
            "stat_scan": np.zeros((number, 0)),
            "success": np.full(number, good),
            "notes": notes,
            "covariance": block * np.outer(norm, norm),
        }
        made = FluxNorms(**fields, n_sigma=self.n_sigma, n_sigma_ul=self.n_sigma_ul)
        return made, effective


def with_neighbours(nodes: np.ndarray) -> np.ndarray:
    """The energies with one more on either side, in the same steps."""
    first, last = nodes[0] ** 2 / nodes[1], nodes[-1] ** 2 / nodes[-2]
    return np.concatenate([[first], nodes, [last]])


class _Unfolding:
    """A likelihood of norms in bins, and its penalty."""

    def __init__(
        self, likelihood: Likelihood, names: list[str], nodes: np.ndarray, task: Task
    ) -> None:
        self.likelihood, self.task = likelihood, task
        self.places = np.array([likelihood.names.index(name) for name in names])
        self.in_logs = np.zeros(likelihood.n_free, dtype=bool)
        self.in_logs[self.places] = True
        self.matrix = np.zeros((likelihood.n_free,) * 2)
        block = np.ix_(self.places, self.places)
        self.matrix[block] = curvature_matrix(np.log(nodes))
        start = np.array(likelihood.start)
        start[self.places] = 0.0
        self.start = start

    def at(self, strength: float, start: Any = None) -> Minimum:
        """The minimum for a strength."""
        start = self.start if start is None else start
        likelihood = self.likelihood
        return minimise(
            likelihood.problem, likelihood._index, self.in_logs, self.matrix, strength, start
        )

    def theta(self, found: Minimum) -> np.ndarray:
        """The free parameters at a minimum."""
        u = np.asarray(found.u)
        return np.where(self.in_logs, np.exp(np.where(self.in_logs, u, 0.0)), u)

    def log_evidence(self, strength: float, found: Minimum) -> float:
        """Up to a number that does not depend on the strength; -inf where there is none."""
        precision = np.asarray(found.hessian) / 2 + strength * self.matrix
        sign, logdet = np.linalg.slogdet(precision)
        if sign <= 0 or not float(found.edm) < CONVERGED:
            return -np.inf
        rank = self.places.size - 2
        total = float(found.stat) + strength * float(found.penalty)
        return -total / 2 + rank / 2 * np.log(strength) - logdet / 2

    def scan(self) -> tuple[list[float], list[float]]:
        """The evidence from the largest strength down, each fit from the one before."""
        start, evidence = self.start, []
        for strength in STRENGTHS[::-1]:
            found = self.at(float(strength), start)
            evidence.append(self.log_evidence(float(strength), found))
            if np.isfinite(evidence[-1]):
                start = found.u
        return STRENGTHS.tolist(), evidence[::-1]

    def best(self, strengths: Any, evidence: Any) -> float:
        """The strength of the largest evidence, refined between its neighbours."""
        from scipy.optimize import minimize_scalar

        if not np.any(np.isfinite(evidence)):
            raise ValueError(
                "RegularizedFluxPointsEstimator: no fit converged at any strength; look at the "
                "fit of the models, or take fewer bins"
            )
        top = int(np.argmax(evidence))
        if top in (0, len(strengths) - 1):
            return float(strengths[top])
        logs = np.log(strengths)

        def lost(log: float) -> float:
            return -self.log_evidence(float(np.exp(log)), self.at(float(np.exp(log))))

        found: Any = minimize_scalar(
            lost, bounds=(logs[top - 1], logs[top + 1]), method="bounded",
            options={"xatol": 0.02},
        )  # fmt: skip
        return float(np.exp(found.x))


def _notes(
    unfolding: _Unfolding, sums: Any, good: bool, strength: float, strengths: np.ndarray
) -> np.ndarray:
    """What is odd about each point, in words."""
    common = [] if good else ["the fit did not converge: errors are not to be trusted"]
    if strengths.size and strength == strengths[-1]:
        common.append(
            "the data ask for no curvature: points are a power law times the reference"
        )
    if strengths.size and strength == strengths[0]:
        common.append("the data ask for no smoothness: points are as without a penalty")
    made = []
    for counts, excess in zip(sums["counts"], sums["npred_excess"], strict=True):
        own = list(common)
        if not np.nansum(excess) > 0:
            own.append("no exposure here: the point follows from its neighbours alone")
        elif not np.nansum(counts) > 0:
            own.append("no counts here: the point follows mostly from its neighbours")
        made.append("; ".join(own))
    return np.array(made, dtype=object)
