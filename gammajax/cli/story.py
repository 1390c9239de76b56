"""What the demonstration does: simulate, fit, sample, and compare with the truth."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

LEVEL = 0.99
"""The truth counts as found if it lies in the part of the posterior that holds this much."""


@dataclass(frozen=True)
class Check:
    """The truth of one parameter beside what was found.

    ``pull`` is the distance from the posterior mean in standard deviations.
    """

    name: str
    unit: str
    truth: float
    fit: float
    error: float
    mean: float
    sd: float
    pull: float
    low: float
    high: float
    inside: bool


@dataclass(frozen=True, eq=False)
class Story:
    """Everything that the demonstration made."""

    truth: Any
    start: Any
    response: Any
    datasets: Any
    result: Any
    posterior: Any
    problems: list[str]
    checks: list[Check]
    level: float
    seed: int
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def found(self) -> bool:
        """Whether the truth lies inside the posterior, all parameters together."""
        return self.level < LEVEL

    @property
    def success(self) -> bool:
        """Whether everything went as it should."""
        return bool(self.result.success) and not self.problems and self.found


def source(amplitude: str, alpha: float, beta: float) -> Any:
    """A log-parabola at 1 TeV, called crab."""
    from gammajax.models import LogParabolaSpectralModel, Models, SkyModel

    spectrum = LogParabolaSpectralModel(
        amplitude=amplitude, reference="1 TeV", alpha=alpha, beta=beta
    )
    return Models(SkyModel(spectrum, name="crab"))


def tell(seed: int, *, chains: int, samples: int, progress: bool, say: Any) -> Story:
    """Run the demonstration; ``say`` is called with a line before each step."""
    from gammajax.cli.sample import Sampling, draw, find_problems
    from gammajax.inference import Fit, Likelihood
    from gammajax.simulate import TelescopeResponse, simulate_on_off

    clock = Clock()
    truth = source("3.85e-11 cm-2 s-1 TeV-1", alpha=2.5, beta=0.10)
    start = source("1e-11 cm-2 s-1 TeV-1", alpha=2.0, beta=0.0)
    response = TelescopeResponse()
    say("Simulating four observations of half an hour each")
    datasets = simulate_on_off(truth, response, n_observations=4, livetime="30 min", seed=seed)
    clock.lap("simulate")
    say("Fitting all four together, from a start far from the truth")
    result = Fit().run(Likelihood(datasets, start))
    clock.lap("fit")
    say(f"Sampling the posterior with {chains} chains of {samples} draws")
    posterior = draw(result, Sampling(chains, 300, samples, seed), progress=progress)
    clock.lap("sample")
    checks = [compare(name, truth, result, posterior) for name in posterior.names]
    values = np.array([truth.parameters[name].value for name in posterior.names])
    return Story(
        truth=truth,
        start=start,
        response=response,
        datasets=datasets,
        result=result,
        posterior=posterior,
        problems=find_problems(result, posterior),
        checks=checks,
        level=credible_level(posterior.flat, values),
        seed=seed,
        seconds=clock.laps,
    )


class Clock:
    """Seconds between laps."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        """Note the time since the last lap."""
        now = time.perf_counter()
        self.laps[name], self._last = now - self._last, now


def compare(name: str, truth: Any, result: Any, posterior: Any) -> Check:
    """The truth of one parameter, the fit, and the central 95 % of the posterior."""
    place = posterior.names.index(name)
    draws = posterior.flat[:, place]
    row, true = result.parameters[name], truth.parameters[name].value
    low, high = np.quantile(draws, (0.025, 0.975))
    mean, spread = draws.mean(), draws.std(ddof=1)
    return Check(
        name=name,
        unit=row.unit,
        truth=true,
        fit=row.value,
        error=row.error,
        mean=float(mean),
        sd=float(spread),
        pull=float((mean - true) / spread),
        low=float(low),
        high=float(high),
        inside=bool(low <= true <= high),
    )


def credible_level(draws: np.ndarray, point: np.ndarray) -> float:
    """The part of the draws that lie nearer to their centre than a point does.

    Distances are measured with the covariance of the draws (Mahalanobis), so that units
    and correlations do not matter. 0 is the centre; for a point drawn like the others
    every level is equally probable.

    Examples
    --------
    >>> import numpy as np
    >>> draws = np.random.default_rng(0).normal(size=(10_000, 1))
    >>> round(credible_level(draws, np.array([1.0])), 1)
    0.7
    """
    centre = draws.mean(axis=0)
    factor = np.linalg.cholesky(np.atleast_2d(np.cov(draws, rowvar=False)))
    distance = np.linalg.norm(np.linalg.solve(factor, (draws - centre).T), axis=0)
    return float(np.mean(distance < np.linalg.norm(np.linalg.solve(factor, point - centre))))
