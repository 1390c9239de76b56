"""Events drawn with the responses of real telescopes, against reduced predictions."""

import numpy as np
import pytest
from scipy import stats

from gammajax.data import DataStore
from gammajax.datasets import MapDataset
from gammajax.makers import MapDatasetMaker
from gammajax.maps import MapAxis, WcsGeom
from gammajax.models import PointSpatialModel, PowerLawSpectralModel, SkyModel
from gammajax.simulate import ObservationEventSampler

pytestmark = pytest.mark.data

FLUX = PowerLawSpectralModel(index=2.4, amplitude=5e-9)


def reduced(run, lon, lat, energy, **options):
    true = MapAxis(np.geomspace(0.2 * energy[0], 4 * energy[-1], 61), "energy_true")
    geom = WcsGeom.create(
        skydir=(lon, lat), width=2.0, binsz=0.1, proj="TAN", axes=[MapAxis(energy)]
    )
    return MapDatasetMaker(**options).run(MapDataset.create(geom, true, name="run"), run)


@pytest.mark.parametrize(
    ("folder", "number", "energy"),
    [
        ("hess-dl3-dr1", 23523, np.geomspace(0.5, 30, 6)),
        ("cta-1dc/index/gps", 110380, np.geomspace(0.1, 30, 6)),
    ],
)
def test_a_source_comes_back_from_real_responses(data_path, folder, number, energy):
    run = DataStore.from_dir(data_path(folder)).obs(number)
    pointing = run.pointing.icrs()
    place = pointing.ra.deg + 0.3, pointing.dec.deg + 0.5
    source = SkyModel(FLUX, PointSpatialModel(*place), name="source")
    drawn = ObservationEventSampler(seed=1, background=False).run(run, source)
    dataset = reduced(run, *place, energy, selection=("counts", "exposure", "psf", "edisp"))
    counts = np.asarray(MapDatasetMaker.make_counts(dataset.geom, drawn).data)
    mu = np.asarray(dataset.npred_signal([source]).data)
    assert mu.sum() > 10_000
    # what is binned is right to a few per mille, in true energy and in distance
    found, expected = counts.sum(axis=(1, 2)), mu.sum(axis=(1, 2))
    away = np.abs(found - expected) / np.sqrt(expected + (0.005 * expected) ** 2)
    assert away.max() < 4


def test_the_background_of_a_real_run_comes_back(data_path):
    run = DataStore.from_dir(data_path("hess-dl3-dr1")).obs(23523)
    pointing = run.pointing.icrs()
    # between two edges the maker takes one power law: there have to be many
    energy = np.geomspace(0.5, 30, 101)
    dataset = reduced(run, pointing.ra.deg, pointing.dec.deg, energy, selection=("background",))
    mu = np.asarray(dataset.background.data)
    sampler = (ObservationEventSampler(seed=seed, keep_truth=False) for seed in range(20))
    total = sum(
        np.asarray(MapDatasetMaker.make_counts(dataset.geom, one.run(run)).data)
        for one in sampler
    )
    image, expected = total.sum(axis=0), 20 * mu.sum(axis=0)
    chi2 = np.sum((image - expected) ** 2 / expected)
    assert expected.min() > 20
    assert 1e-4 < stats.chi2.sf(chi2, expected.size) < 1 - 1e-6
