"""Four H.E.S.S. runs on the Crab, from events to fits, beside another code's numbers.

Reduction and fits are those of its tutorials; where we differ from it, a test says why.
"""

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from gammajax.data import DataStore
from gammajax.datasets import MapDataset
from gammajax.inference import Fit, Likelihood
from gammajax.makers import FoVBackgroundMaker, MapDatasetMaker, SafeMaskMaker
from gammajax.maps import Map, MapAxis, WcsGeom
from gammajax.models import (
    FoVBackgroundModel,
    GaussianSpatialModel,
    LogParabolaSpectralModel,
    Models,
    SkyModel,
)

from .cash_by_brute_force import cash, predicted

pytestmark = pytest.mark.data

CENTER = SkyCoord(83.633, 22.014, unit="deg")

REDUCED = {
    23523: (5413, 2109, 2107.28, 370040, 3.644129e12),
    23526: (4992, 1791, 1636.05, 369920, 3.660740e12),
    23559: (3586, 1854, 1873.51, 296747, 2.505148e12),
    23592: (3984, 1575, 1454.49, 269840, 2.527619e12),
}
"""Counts, counts in the mask, background in it, its bins, exposure at the centre (cm2 s)."""

NAMES = ("amplitude", "alpha", "beta", "lon_0", "lat_0", "sigma")
JOINT = (4.508e-11, 2.245, 0.226, 83.6198, 22.0244, 0.0128)
JOINT_ERRORS = (0.337e-11, 0.205, 0.102, 0.003, 0.003, 0.0061)
STACKED = (4.5899e-11, 2.2943, 0.20823, 83.619894, 22.024580, 0.010956)
"""Minimum of the peer for the stacked maps."""


def crab(*datasets) -> Models:
    spectrum = LogParabolaSpectralModel(amplitude=3e-11, reference=1.0, alpha=2.3, beta=0.1)
    source = SkyModel(spectrum, GaussianSpatialModel(83.63, 22.01, "0.03 deg"), name="crab")
    return Models([source, *(FoVBackgroundModel(datasets_names=d.name) for d in datasets)])


@pytest.fixture(scope="module")
def raw(data_path):
    """The runs without a scaled background, in the safe mask."""
    energy = MapAxis.from_energy_bounds("0.5 TeV", "30 TeV", nbin=12)
    true = MapAxis.from_energy_bounds("0.3 TeV", "60 TeV", nbin=24, name="energy_true")
    geom = WcsGeom.create(skydir=CENTER, width=4, binsz=0.02, proj="TAN", axes=[energy])
    store = DataStore.from_dir(data_path("hess-dl3-dr1"))
    safe = SafeMaskMaker(methods=("offset-max", "aeff-default"), offset_max="2.5 deg")
    made = []
    for number in REDUCED:
        run = store.obs(number)
        empty = MapDataset.create(geom, true, name=f"run-{number}")
        made.append(safe.run(MapDatasetMaker().run(empty, run), run))
    return made


@pytest.fixture(scope="module")
def scaled(raw):
    image = raw[0].geom.to_image()
    maker = FoVBackgroundMaker(
        exclusion_mask=Map.from_geom(image, data=image.separation(CENTER) > 0.4)
    )
    return [maker.run(dataset) for dataset in raw]


@pytest.fixture(scope="module")
def joint(scaled):
    return Fit().run(Likelihood(scaled, crab(*scaled)))


@pytest.fixture(scope="module")
def stacked(scaled):
    return scaled[0].stack(*scaled[1:], name="stacked")


@pytest.fixture(scope="module")
def stacked_fit(stacked):
    return Fit().run(Likelihood([stacked], crab(stacked)))


def of_crab(result) -> tuple[np.ndarray, np.ndarray]:
    place = [next(i for i, n in enumerate(result.names) if n.endswith("." + name)) for name in
             NAMES]  # fmt: skip
    return result.theta[place], result.errors[place]


def brute_force(dataset, norm: float, values) -> float:
    source = {**dict(zip(NAMES, values, strict=True)), "reference": 1.0}
    return cash(dataset, predicted(dataset, source) + norm * dataset.background_data)


@pytest.mark.parametrize("place", range(4), ids=lambda i: str(list(REDUCED)[i]))
def test_each_run_is_reduced_to_the_numbers_of_the_peer(raw, place) -> None:
    dataset = raw[place]
    counts, in_mask, background, bins, exposure = REDUCED[list(REDUCED)[place]]
    info = dataset.info_dict()
    assert np.sum(dataset.counts.data) == counts
    assert (info["counts"], info["n_bins"]) == (in_mask, bins)
    # the peer goes on along a line in the outer half bin of the background's table
    assert info["background"] == pytest.approx(background, rel=3e-5)
    found = dataset.exposure.interp_by_coord({"skycoord": CENTER, "energy_true": 1 * u.TeV})
    assert float(found) == pytest.approx(exposure, rel=1e-5)


def test_the_background_is_scaled_outside_of_the_source(scaled) -> None:
    norms = [dataset.meta["background"]["norm"] for dataset in scaled]
    np.testing.assert_allclose(norms, [0.930731, 1.002716, 0.900224, 1.002166], rtol=3e-5)


def test_the_joint_fit_is_the_peers(joint) -> None:
    """All but sigma within a tenth of the errors, and the errors within 3 %."""
    assert joint.success
    values, errors = of_crab(joint)
    pulls = (values - JOINT) / JOINT_ERRORS
    assert np.all(np.abs(pulls[:-1]) < 0.2)
    np.testing.assert_allclose(errors[:3], JOINT_ERRORS[:3], rtol=0.05)
    np.testing.assert_allclose(errors[3:5], 0.003, rtol=0.06)
    # the peer stops at 82205.2: its source is not integrated over the pixels
    assert joint.stat == pytest.approx(82203.37, abs=0.1)


def test_the_stacked_fit_agrees_with_the_joint_one(joint, stacked_fit) -> None:
    assert stacked_fit.success
    values, errors = of_crab(stacked_fit)
    known, known_errors = of_crab(joint)
    assert np.all(np.abs(values - known) < 0.15 * known_errors)
    np.testing.assert_allclose(errors, known_errors, rtol=0.03)


def test_the_stacked_fit_beside_the_peers(stacked, stacked_fit) -> None:
    """Within 0.35 of our errors; by brute force our minimum is the lower one.

    The peer says 2.294 +- 0.177 for alpha, and 2.245 +- 0.205 in its joint fit of the same
    data. Its own profile of alpha rises by 1 at 0.208 from its minimum, which is the error
    that we find: the 0.177 comes from steps in a statistic that is not smooth.
    """
    values, errors = of_crab(stacked_fit)
    assert np.all(np.abs(values - STACKED) < 0.35 * errors)
    assert errors[1] == pytest.approx(0.208, rel=0.02)
    norm = float(stacked_fit.theta[stacked_fit.names.index("stacked-bkg.spectral.norm")])
    ours = brute_force(stacked, norm, values)
    assert ours == pytest.approx(stacked_fit.stat, abs=0.1)
    assert ours < brute_force(stacked, 1.000292, STACKED) - 0.05


def test_sigma_is_that_of_brute_force(stacked, stacked_fit) -> None:
    """The others held, both have their minimum at the same sigma, to 2 % of its error."""
    values, errors = of_crab(stacked_fit)
    likelihood, theta = stacked_fit.likelihood, stacked_fit.theta
    place = stacked_fit.names.index("crab.spatial.sigma")
    norm = float(theta[stacked_fit.names.index("stacked-bkg.spectral.norm")])
    steps = errors[-1] * np.array([-0.6, 0.0, 0.6])
    stats = [brute_force(stacked, norm, [*values[:-1], values[-1] + s]) for s in steps]
    ours = [float(likelihood.stat(theta + s * (np.arange(theta.size) == place))) for s in steps]
    bend, _, _ = np.polyfit(steps, stats, 2)
    assert 1 / np.sqrt(bend) == pytest.approx(errors[-1], rel=0.1)
    apart = np.polyfit(steps, np.subtract(stats, ours), 2)[1] / (2 * bend)
    assert abs(apart) < 0.02 * errors[-1]
