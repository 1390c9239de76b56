"""What the demonstration does: simulate, reduce, fit, sample, and compare with the truth."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
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


@dataclass(frozen=True)
class Found:
    """The truth of one parameter beside a fit; ``pull`` is in errors of the fit."""

    name: str
    unit: str
    truth: float
    fit: float
    error: float
    pull: float


@dataclass(frozen=True, eq=False)
class Story:
    """Everything that the demonstration made.

    ``sky`` is the fit of the counts cube, ``result`` that of the spectra, and ``posterior``
    belongs to the spectra.
    """

    truth: Any
    runs: Any
    sky: Any
    result: Any
    posterior: Any
    problems: list[str]
    checks: list[Check]
    sky_checks: list[Found]
    level: float
    sky_level: float
    seed: int
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def datasets(self) -> Any:
        """The spectra."""
        return self.result.likelihood.datasets

    @property
    def cube(self) -> Any:
        """The counts cube."""
        return self.sky.likelihood.datasets[0]

    @property
    def found(self) -> bool:
        """Whether the truth lies where fit and posterior say, all parameters together."""
        return self.level < LEVEL and self.sky_level < LEVEL

    @property
    def success(self) -> bool:
        """Whether everything went as it should."""
        fitted = bool(self.result.success) and bool(self.sky.success)
        return fitted and not self.problems and self.found


def tell(
    folder: Path, seed: int, *, chains: int, samples: int, progress: bool, say: Any
) -> Story:
    """Run the demonstration; runs are written to ``folder``.

    ``say`` is called with a line before each step.
    """
    from gammajax.cli import scene
    from gammajax.cli.sample import Sampling, draw, find_problems
    from gammajax.inference import Fit, Likelihood

    clock, truth = Clock(), scene.sky_truth()
    say("Simulating four runs of half an hour each, and writing them as DL3 files")
    runs = scene.observe(truth, folder / "dl3", seed)
    clock.lap("simulate")
    say("Reducing them to a counts cube, and to spectra with off regions")
    cube = scene.reduce_to_sky(runs, progress=progress)
    spectra = scene.reduce_to_spectra(runs, progress=progress)
    clock.lap("reduce")
    say("Fitting both sources in the cube: where, how large, how bright")
    start = scene.sky_start()
    sky = Fit().run(Likelihood(cube, start))
    clock.lap("fit the cube")
    say("Fitting the four spectra of the first source together")
    result = Fit().run(Likelihood(spectra, scene.spectrum_only(start)))
    clock.lap("fit the spectra")
    say(f"Sampling the posterior of the spectra with {chains} chains of {samples} draws")
    posterior = draw(result, Sampling(chains, 300, samples, seed), progress=progress)
    clock.lap("sample")
    values = np.array([truth.parameters[name].value for name in posterior.names])
    return Story(
        truth=truth,
        runs=runs,
        sky=sky,
        result=result,
        posterior=posterior,
        problems=find_problems(result, posterior),
        checks=[compare(name, truth, result, posterior) for name in posterior.names],
        sky_checks=[beside(name, truth, sky) for name in sky.names],
        level=credible_level(posterior.flat, values),
        sky_level=confidence_level(sky, truth),
        seed=seed,
        seconds=clock.laps,
    )


def true_value(name: str, truth: Any) -> float:
    """The true value of a parameter; that of the factor of the background is 1."""
    return truth.parameters[name].value if name in truth.parameters.names else 1.0


def beside(name: str, truth: Any, result: Any) -> Found:
    """The truth of one parameter beside a fit."""
    row, true = result.parameters[name], true_value(name, truth)
    return Found(name, row.unit, true, row.value, row.error, (row.value - true) / row.error)


def confidence_level(result: Any, truth: Any) -> float:
    """The probability that the errors of a fit give to what is nearer than the truth is."""
    from scipy.special import chdtr

    away = [result.parameters[name].value - true_value(name, truth) for name in result.names]
    scale = np.asarray(result.errors)
    covariance = np.asarray(result.covariance) / np.outer(scale, scale)
    pulls = np.array(away) / scale
    return float(chdtr(pulls.size, pulls @ np.linalg.solve(covariance, pulls)))


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
