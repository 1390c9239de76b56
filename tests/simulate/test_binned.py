"""Events drawn from the prediction of a counts cube."""

import numpy as np
import pytest
from scipy import stats

from gammajax.data import GTI
from gammajax.datasets import MapDataset
from gammajax.maps import Map, MapAxis, WcsGeom
from gammajax.models import (
    ConstantTemporalModel,
    FoVBackgroundModel,
    Models,
    PointSpatialModel,
    PowerLawNormSpectralModel,
    PowerLawSpectralModel,
    SkyModel,
    TemplateNPredModel,
)
from gammajax.simulate import MapDatasetEventSampler

ENERGY = MapAxis(np.geomspace(1, 10, 3))
GEOM = WcsGeom.create(skydir=(184.5, -5.8), npix=6, binsz=0.5, frame="galactic", axes=[ENERGY])
GTIS = GTI([0.0, 100.0], [60.0, 140.0])


def cube(**options):
    empty = MapDataset.create(GEOM, name="sky").replace(gti=GTIS)
    mean = np.random.default_rng(1).uniform(100, 200, GEOM.data_shape)
    return empty.replace(background=empty.counts.with_data(mean), **options)


def test_events_fill_the_bins_as_predicted():
    dataset = cube()
    protons = TemplateNPredModel(Map.from_geom(GEOM, data=150.0), name="protons")
    norm = FoVBackgroundModel(PowerLawNormSpectralModel(norm=2.0), datasets_names="sky")
    models = Models([protons, norm])
    events = MapDatasetEventSampler(seed=2).run(dataset, models)
    again = MapDatasetEventSampler(seed=2).run(dataset, models)
    np.testing.assert_array_equal(events.column("RA"), again.column("RA"))
    mu = 2 * np.asarray(dataset.background.data) + 150
    counts = np.asarray(Map.from_geom(GEOM).fill_by_coord(events.map_coord(GEOM)).data)
    assert counts.sum() == len(events)
    assert 1e-3 < stats.chi2.sf(np.sum((counts - mu) ** 2 / mu), mu.size) < 1 - 1e-3
    assert events.meta["MMN00000"] == "sky-bkg"
    assert events.meta["MMN00001"] == "protons"
    shares = np.bincount(events.column("MC_ID"))
    assert shares[1] == pytest.approx(150 * mu.size, abs=5 * np.sqrt(150 * mu.size))
    assert GTIS.contains(events.column("TIME")).all()
    lived = np.interp(events.column("TIME"), [0, 60, 100, 140], [0, 60, 60, 100])
    assert stats.kstest(lived / 100, "uniform").pvalue > 1e-3
    first = events.select_energy(1.0, ENERGY.edges[1]).energy.value
    assert stats.kstest(np.log(first) / np.log(ENERGY.edges[1]), "uniform").pvalue > 1e-3


def test_an_empty_cube_has_no_events_and_what_cannot_be_drawn_is_an_error():
    empty = MapDataset.create(GEOM, name="sky").replace(gti=GTIS)
    sampler = MapDatasetEventSampler()
    assert len(sampler.run(empty)) == 0
    with pytest.raises(ValueError, match="'sky' has no good time intervals"):
        sampler.run(empty.replace(gti=None))
    flux = PowerLawSpectralModel(amplitude=1e-12)
    flare = SkyModel(flux, PointSpatialModel(83.6, 22.0), ConstantTemporalModel(), name="flare")
    with pytest.raises(ValueError, match="'flare' changes with time"):
        sampler.run(cube(), flare)
