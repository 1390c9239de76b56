"""The Crab spectra of three telescopes, against published and tabulated numbers.

The three log-parabolas are those of Nigro et al. 2019, A&A 625, A10 (whose beta is for a
base-10 logarithm), with the numbers of a fit of the same files by another code.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from gammajax.datasets import Datasets, read_ogip
from gammajax.inference import Fit, Likelihood
from gammajax.models import LogParabolaSpectralModel, Models, PowerLawSpectralModel, SkyModel

pytestmark = pytest.mark.data

SPECTRA = {
    "fermi": ("0.03 TeV", "2 TeV", ["pha_obs0"]),
    "magic": ("0.08 TeV", "30 TeV", ["pha_obs5029747", "pha_obs5029748"]),
    "hess": (
        "0.5 TeV",
        "30 TeV",
        ["pha_obs23523", "pha_obs23526", "pha_obs23559", "pha_obs23592"],
    ),
}

REFERENCE = {
    "fermi": ((4.0407e-11, 2.3721, 0.0594), (0.949e-11, 0.229, 0.0538), 33.6746),
    "magic": ((4.1444e-11, 2.6002, 0.1922), (0.297e-11, 0.095, 0.0485), 89.1711),
    "hess": ((4.4712e-11, 2.3933, 0.1611), (0.287e-11, 0.183, 0.0973), 143.2223),
}

PUBLISHED = {
    "fermi": ((4.044e-11, 2.372, 0.0593), (1.009e-11, 0.239)),
    "magic": ((4.145e-11, 2.600, 0.1922), (0.297e-11, 0.095)),
    "hess": ((4.474e-11, 2.393, 0.1615), (0.287e-11, 0.183)),
}

PUBLISHED_JOINT = ((3.849e-11, 2.505, 0.1026), (0.114e-11, 0.026, 0.0106))
"""The joint fit of five telescopes: the three here, VERITAS and FACT."""

PEER = json.loads((Path(__file__).parents[1] / "peer/data/joint_crab.json").read_text())


def log_parabola():
    spectrum = LogParabolaSpectralModel(amplitude=4e-11, reference=1.0, alpha=2.5, beta=0.1)
    return Models(SkyModel(spectrum, name="crab"))


@pytest.fixture(scope="module")
def spectra(data_path):
    def read(*telescopes):
        datasets = []
        for telescope in telescopes:
            low, high, names = SPECTRA[telescope]
            for name in names:
                path = data_path(f"joint-crab/spectra/{telescope}/{name}.fits")
                dataset = read_ogip(path, name=f"{telescope}-{name}")
                datasets.append(dataset.with_energy_range(low, high))
        return Datasets(datasets)

    return read


@pytest.fixture(scope="module")
def fits(spectra):
    found = {name: Fit().run(Likelihood(spectra(name), log_parabola())) for name in SPECTRA}
    found["joint"] = Fit().run(Likelihood(spectra(*SPECTRA), log_parabola()))
    return found


@pytest.fixture(scope="module")
def run_23523(data_path):
    dataset = read_ogip(data_path("joint-crab/spectra/hess/pha_obs23523.fits"))
    models = Models(SkyModel(PowerLawSpectralModel(index=2, amplitude=1e-12), name="crab"))
    return Likelihood([dataset], models)


def test_run_23523_at_the_start(run_23523):
    assert run_23523.n_bins == 41
    assert float(run_23523.stat(run_23523.start)) == pytest.approx(347.56767783, rel=1e-6)


def test_run_23523_fitted(run_23523):
    result = Fit().run(run_23523)
    assert result.success
    assert result.stat == pytest.approx(38.343504, rel=1e-6)
    values, errors = np.array([2.81711, 5.14236e-11]), np.array([0.14963, 0.64231e-11])
    assert result.names == ("crab.spectral.index", "crab.spectral.amplitude")
    assert np.all(np.abs(result.theta - values) < 0.01 * errors)
    np.testing.assert_allclose(result.errors, errors, rtol=0.02)


@pytest.mark.parametrize("telescope", SPECTRA)
def test_each_telescope_at_its_minimum(fits, telescope):
    values, errors, stat = REFERENCE[telescope]
    result = fits[telescope]
    assert result.success
    assert result.stat == pytest.approx(stat, rel=1e-6)
    assert np.all(np.abs(result.theta - values) < 0.01 * np.array(errors))


@pytest.mark.parametrize("telescope", ["magic", "hess"])
def test_errors_of_the_ground_based_telescopes(fits, telescope):
    np.testing.assert_allclose(fits[telescope].errors, REFERENCE[telescope][1], rtol=0.02)


def test_errors_of_fermi_are_those_of_the_statistic(fits):
    """The tabulated errors of Fermi-LAT are 3 to 6 % too small, and ours are not.

    They come from differences of the statistic over a wide step. With 0.1 standard
    deviations that gives 0.98 of the limit, 0.9986 with 0.03, and 1.000 with 0.01: the limit
    of a small step is our exact Hessian. The paper has 1.009e-11 and 0.239, as we do.
    """
    result = fits["fermi"]
    stat = result.likelihood.stat
    step = 0.01 * result.errors
    size = step.size
    hessian = np.zeros((size, size))
    for i in range(size):
        for j in range(size):
            for a, b in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
                moved = result.theta + a * step * np.eye(size)[i] + b * step * np.eye(size)[j]
                hessian[i, j] += a * b * float(stat(moved))
            hessian[i, j] /= 4 * step[i] * step[j]
    brute_force = np.sqrt(np.diag(2 * np.linalg.inv(hessian)))
    np.testing.assert_allclose(result.errors, brute_force, rtol=2e-3)
    np.testing.assert_allclose(result.errors[:2], PUBLISHED["fermi"][1], rtol=0.02)
    assert np.all(result.errors > np.array(REFERENCE["fermi"][1]))


@pytest.mark.parametrize("telescope", SPECTRA)
def test_each_telescope_as_published(fits, telescope):
    values, errors = PUBLISHED[telescope]
    result = fits[telescope]
    assert np.all(np.abs(result.theta - values) < 0.01 * result.errors)
    np.testing.assert_allclose(result.errors[:2], errors, rtol=0.02)


def test_the_joint_fit_is_the_peers(fits):
    result = fits["joint"]
    assert result.success
    assert result.likelihood.n_bins == 260
    assert result.stat == pytest.approx(PEER["stat"], rel=1e-6)
    errors = np.array(list(PEER["errors"].values()))
    assert np.all(np.abs(result.theta - list(PEER["values"].values())) < 0.01 * errors)
    np.testing.assert_allclose(result.errors, errors, rtol=0.02)


def test_each_statistic_at_the_start_is_the_peers(fits):
    """To 2e-5: the peer integrates a log-parabola over a bin by trapezia, which costs 4e-4."""
    likelihood = fits["joint"].likelihood
    arrays = likelihood.stat_arrays(likelihood.start)
    found = {name: float(np.sum(array)) for name, array in arrays.items()}
    assert found == pytest.approx(PEER["start"], rel=2e-5)


def test_the_joint_fit_is_compatible_with_the_published_one(fits):
    """Three of the five telescopes of the published fit, within twice the combined errors.

    Amplitude 4.166e-11 against 3.849e-11 (1.7 combined errors), alpha 2.449 against 2.505
    (1.4) and beta 0.092 against 0.103 (0.7): the two telescopes that are missing, VERITAS
    and FACT, pull the flux at 1 TeV down. The peer finds the same three numbers as we do.
    """
    result = fits["joint"]
    values, errors = (np.array(x) for x in PUBLISHED_JOINT)
    pulls = (result.theta - values) / np.hypot(result.errors, errors)
    assert np.all(np.abs(pulls) < 2)
    np.testing.assert_allclose(np.abs(pulls), [1.7, 1.4, 0.7], atol=0.06)
