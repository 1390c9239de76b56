"""New sources, found round after round."""

from __future__ import annotations

import numpy as np
import pytest

from gammajax.datasets import MapDataset
from gammajax.irf.psf_map import PSFMap
from gammajax.maps import Map, MapAxis, WcsGeom
from gammajax.models import (
    FoVBackgroundModel,
    Models,
    PointSpatialModel,
    PowerLawSpectralModel,
    SkyModel,
)
from gammajax.survey import SourceFinder

PLACES = {"known": (83.6, 22.0), "second": (83.2, 22.2), "third": (84.0, 21.75)}
AMPLITUDES = {"known": 2e-11, "second": 1e-11, "third": 8e-12}


def source(name: str) -> SkyModel:
    law = PowerLawSpectralModel(amplitude=AMPLITUDES[name], index=2.3)
    return SkyModel(law, PointSpatialModel(*PLACES[name]), name=name)


@pytest.fixture(scope="module")
def sky() -> MapDataset:
    energy = MapAxis.from_energy_bounds("1 TeV", "30 TeV", nbin=3)
    true = energy.rename("energy_true")
    geom = WcsGeom.create(skydir=(83.63, 22.01), width=1.6, binsz=0.05, axes=[energy])
    empty = MapDataset(
        name="sky",
        counts=Map.from_geom(geom, data=np.zeros(geom.data_shape)),
        exposure=Map.from_geom(geom.to_image().to_cube([true]), data=3e13, unit="cm2 s"),
        background=Map.from_geom(geom, data=0.2 * np.ones(geom.data_shape)),
        psf=PSFMap.from_gauss(true, sigma=0.08),
    )
    return empty.fake(Models([source(name) for name in PLACES]), seed=2)


def known() -> Models:
    models = Models([source("known"), FoVBackgroundModel(datasets_names="sky")])
    return models.freeze("known.spatial.*").set("known.*.amplitude", min=0)


@pytest.fixture(scope="module")
def found(sky):
    lines = []
    result = SourceFinder(kernel_width=0.5, min_distance="0.2 deg").run(
        sky, known(), say=lines.append
    )
    return result, lines


def test_what_the_models_lack_is_found_where_it_is(found) -> None:
    result, lines = found
    assert len(result.names) == 2
    truth = np.array([PLACES["second"], PLACES["third"]])
    for name in result.names:
        place = result.models[name].spatial_model
        distance = np.hypot(*(truth - [float(place.lon_0), float(place.lat_0)]).T)
        assert distance.min() < 0.03
        assert result.ts[name] > 25
    assert result.rounds[0].highest > 10
    assert result.rounds[-1].added == ()
    assert result.rounds[-1].highest < 5
    assert len(lines) == len(result.rounds)
    assert "nothing to add" in lines[-1]


def test_fluxes_are_those_that_were_simulated(found) -> None:
    result, _ = found
    table = result.table(("1 TeV", "10 TeV"))
    law = PowerLawSpectralModel(amplitude=1e-11, index=2.3)
    truth = float(law.integral(1.0, 10.0))
    row = table[[name.startswith("PS J0532") for name in table["name"]]][0]
    assert row["flux"] == pytest.approx(truth, abs=4 * row["flux_err"])
    assert row["flux_err"] < 0.2 * truth
    assert row["name"].startswith("PS J0532.")


def test_nothing_is_found_where_there_is_nothing(sky) -> None:
    models = Models([source(name) for name in PLACES])
    finder = SourceFinder(kernel_width=0.5, threshold=6)
    nothing = finder.run(sky, models)
    assert nothing.names == ()
    assert nothing.result is None
    assert len(nothing.rounds) == 1
    with pytest.raises(ValueError, match="nothing was found"):
        nothing.table(("1 TeV", "10 TeV"))


def test_choices_that_make_no_sense_are_errors() -> None:
    with pytest.raises(ValueError, match="threshold is 0"):
        SourceFinder(threshold=0)
    with pytest.raises(ValueError, match="most_rounds is 0"):
        SourceFinder(most_rounds=0)
