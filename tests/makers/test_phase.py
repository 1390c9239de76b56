"""Backgrounds from phases: events of a pulsar by hand."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from regions import CircleSkyRegion

from gammajax.data import EventList
from gammajax.datasets import MapDataset, SpectrumDataset
from gammajax.makers import MapDatasetMaker, PhaseBackgroundMaker, SpectrumDatasetMaker
from gammajax.maps import RegionGeom

from .conftest import CENTER, ENERGY, TRUE, make_run

ON = CircleSkyRegion(SkyCoord(*CENTER, unit="deg"), 0.5 * u.deg)
MAKER = PhaseBackgroundMaker(on_phase=[(0.95, 0.05), (0.4, 0.5)], off_phase=(0.6, 0.9))


@pytest.fixture(scope="module")
def pulsar():
    events = make_run().events
    phase = np.random.default_rng(3).uniform(-1, 1, len(events))
    return make_run(events=EventList({**events.columns, "PHASE": phase}))


def selected(run):
    phase = np.mod(run.events.columns["PHASE"], 1)
    on = (phase >= 0.95) | (phase < 0.05) | ((phase >= 0.4) & (phase < 0.5))
    return on, (phase >= 0.6) & (phase < 0.9)


def test_spectra(pulsar) -> None:
    empty = SpectrumDataset.create(RegionGeom.create(ON, axes=[ENERGY]), TRUE)
    reduced = SpectrumDatasetMaker().run(empty, pulsar)
    made = MAKER.run(reduced, pulsar)
    inside = pulsar.events.separation(ON.center) < 0.5
    for chosen, found in zip(selected(pulsar), (made.counts, made.counts_off), strict=True):
        energy = pulsar.events.columns["ENERGY"][inside & chosen]
        np.testing.assert_array_equal(found, np.histogram(energy, ENERGY.edges)[0])
        assert found.sum() > 0
    np.testing.assert_allclose(made.alpha, 2 / 3)
    np.testing.assert_array_equal(made.exposure, reduced.exposure)
    assert made.meta["off_phase"] == ((0.6, 0.9),)


def test_cubes(pulsar, geom) -> None:
    selection = ("counts", "exposure")
    made = MapDatasetMaker(selection).run(MapDataset.create(geom, TRUE, binsz_irf=1.0), pulsar)
    on, off = selected(pulsar)
    found = MAKER.run(made, pulsar)
    for mask, counts in ((on, found.counts), (off, found.counts_off)):
        run = pulsar.with_events(pulsar.events.select_mask(mask))
        expected = MapDatasetMaker.make_counts(geom, run)
        np.testing.assert_array_equal(counts.data, expected.data)
    np.testing.assert_allclose(found.alpha_data, 2 / 3)


@pytest.mark.parametrize(
    ("on", "off", "message"),
    [
        ((0.1, 0.1), (0.2, 0.3), "on_phase is .* a pair of different phases"),
        ((0.1, 1.2), (0.2, 0.3), "from 0 to 1"),
        ((0.1, 0.2), (), "off_phase is"),
        ((0.1, 0.2), [(0.15, 0.3)], "overlap around 0.15"),
        ([(0.9, 0.2), (0.1, 0.3)], (0.5, 0.6), "overlap around 0.1"),
    ],
)
def test_choices_are_checked(on, off, message) -> None:
    with pytest.raises(ValueError, match=message):
        PhaseBackgroundMaker(on_phase=on, off_phase=off)


def test_events_without_phases_are_an_error(run, geom) -> None:
    with pytest.raises(ValueError, match="run 7: its events have no column 'PHASE'"):
        MAKER.run(MapDataset.create(geom, TRUE, binsz_irf=1.0), run)
