"""Parameters of simulated counts cubes are recovered: a small run of benchmarks/recovery.py."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import chi2, kstest

from gammajax.inference import Likelihood

STUDY = Path(__file__).parents[2] / "benchmarks/recovery.py"
N_SETS = 20


@pytest.fixture(scope="module")
def study():
    spec = importlib.util.spec_from_file_location("recovery", STUDY)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.long
def test_three_overlapping_sources_are_recovered(study) -> None:
    """Pulls and likelihood ratios of 20 sets; the 320 pulls are not independent."""
    models, cube = study.truth(), study.empty_cube()
    counts = study.counts_of_sources(cube, models)
    assert min(counts[name] for name in ("point", "gauss", "disk")) > 1000
    likelihood = Likelihood([cube], models)
    assert likelihood.n_free == 16
    found = study.recover(likelihood, N_SETS, seed=1, held=False)
    good = found["converged"]
    assert good.sum() >= N_SETS - 1
    assert kstest(found["ratio"][good], chi2(likelihood.n_free).cdf).pvalue > 1e-3
    pulls = found["pulls"][good]
    assert np.all(np.abs(pulls.mean(axis=0)) < 4 / np.sqrt(N_SETS))
    assert np.all(np.abs(pulls) < 5)
    assert pulls.std() == pytest.approx(1, abs=0.15)


@pytest.mark.long
def test_roots_and_pulls_agree_with_this_many_counts(study) -> None:
    likelihood = Likelihood([study.empty_cube()], study.truth())
    found = study.recover(likelihood, 1, seed=2)
    known = np.isfinite(found["roots"])
    assert known.sum() >= 14
    np.testing.assert_allclose(found["pulls"][known], found["roots"][known], atol=0.3)
