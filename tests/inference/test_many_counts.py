"""Searches where the statistic is so large that it is rounded."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from gammajax.inference import Fit, Likelihood
from gammajax.inference import fit as fits
from gammajax.inference.newton_cg import excess_of
from gammajax.inference.problem import expand, predictions
from tests.datasets.test_map_on_off import crab, on_off
from tests.inference.test_newton_cg import cube, models

TRUTH = models([1e-11, 2e-11, 5e-12, 3e-11, 8e-12])


@pytest.fixture(scope="module")
def likelihood() -> Likelihood:
    """A hundred million counts: the statistic is -6e9, and is rounded at 1e-6."""
    data = cube()
    larger = {
        name: getattr(data, name).with_data(1e5 * np.asarray(getattr(data, name).data))
        for name in ("exposure", "background")
    }
    return Likelihood([data.replace(**larger).fake(TRUTH, seed=4)], models([3e-11] * 5))


def test_a_fit_reaches_its_tolerance(likelihood, monkeypatch) -> None:
    monkeypatch.setattr(fits, "MANY_OF_CUBES", 3)
    result = Fit(tolerance=1e-8).run(likelihood)
    assert result.success
    assert abs(result.stat) > 1e9
    assert result.edm < 1e-8
    assert result.stat == pytest.approx(float(likelihood.stat(result.theta)), abs=1e-5)


def test_points_are_compared_finer_than_the_statistic_is_rounded(likelihood) -> None:
    problem, term = likelihood.problem, likelihood.problem.terms[0]
    theta = np.array([TRUTH.parameters[name].value for name in likelihood.names])
    used = np.asarray(term.mask)[0, :-1]
    counts = np.asarray(term.counts)[0, used]

    @jax.jit
    def look(x):
        return excess_of(problem, x, expand(problem, x)), predictions(problem, x)[0][0]

    def at(step):
        excess, mu = look(problem.space.insert(theta * (1 + step), likelihood._index))
        return float(excess), np.asarray(mu, dtype=np.longdouble)

    first, old = at(0.0)
    for step in (1e-6, 3e-6, 1e-5):
        second, new = at(step)
        growth = (new - old)[:-1][used] / old[:-1][used]
        expected = 2 * (new - old)[-1] - 2 * np.sum(counts * np.log1p(growth))
        assert second - first == pytest.approx(float(expected), abs=2e-7)


def test_nothing_is_left_of_a_prediction_of_what_was_counted(likelihood) -> None:
    term = likelihood.problem.terms[0]
    counted = np.append(np.asarray(term.counts)[0], np.sum(term.counts))[None]
    left = np.asarray(term.stat_array(counted) - term.level())
    np.testing.assert_allclose(left, 0, atol=1e-6)


def test_nothing_is_left_of_a_signal_above_off_counts() -> None:
    term = Likelihood([on_off()], [crab()]).problem.terms[0]
    signal = np.asarray(term.counts - term.off.alpha * term.off.counts)[0]
    left = np.asarray(term.stat_array(np.append(signal, 0.0)[None]) - term.level())
    np.testing.assert_allclose(left[0, :-1], 0, atol=1e-9)
