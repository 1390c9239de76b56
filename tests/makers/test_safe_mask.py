"""Safe masks: each rule against the table that it comes from."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from gammajax.data import DataStore, write_dl3
from gammajax.datasets import MapDataset
from gammajax.irf import EnergyDispersion2D, formula_irfs
from gammajax.makers import MapDatasetMaker, SafeMaskMaker
from gammajax.maps import MapAxis

from .conftest import CENTER, make_run

FINE = MapAxis(np.geomspace(0.1, 10, 41))


@pytest.fixture(scope="module")
def data(run, geom):
    cube = geom.to_image().to_cube([FINE])
    return MapDatasetMaker(selection=("counts", "background", "exposure")).run(
        MapDataset.create(cube, binsz_irf=1.0), run
    )


def kept_energies(dataset) -> np.ndarray:
    return dataset.energy.edges_min[dataset.mask.any(axis=(1, 2))]


def test_offset_max(data, run) -> None:
    masked = SafeMaskMaker(methods=["offset-max"], offset_max="1.2 deg").run(data, run)
    near = data.geom.to_image().separation(run.pointing.icrs()) < 1.2
    np.testing.assert_array_equal(masked.mask, np.broadcast_to(near, masked.mask.shape))


def test_aeff_default_is_the_range_of_the_file(data, tmp_path) -> None:
    run = make_run(energy_range=(0.5, 5.0))
    write_dl3([run], tmp_path)
    again = DataStore.from_dir(tmp_path).obs(7)
    assert again.energy_range == (0.5, 5.0)
    for each in (run, again):
        masked = SafeMaskMaker().run(data, each)
        kept = masked.energy.mask(0.5, 5.0)
        np.testing.assert_array_equal(masked.mask.all(axis=(1, 2)), kept)
        assert kept.any()
        assert not kept.all()
    assert SafeMaskMaker().run(data, make_run()).mask.all()


def test_aeff_max(data, run) -> None:
    position = SkyCoord(CENTER[0], CENTER[1] + 0.5, unit="deg")
    maker = SafeMaskMaker(methods=["aeff-max"], aeff_percent=2.0, position=position)
    low, high = maker.energy_range(data, run)
    energy = run.aeff.axis("energy_true").center
    area = run.aeff.evaluate(energy_true=energy, offset=0.0).value
    there = run.aeff.evaluate(energy_true=low, offset=0.0).value
    assert there == pytest.approx(0.02 * area.max(), rel=1e-6)
    assert high == np.inf
    assert kept_energies(maker.run(data, run)).min() >= low


def test_edisp_bias(data) -> None:
    edges = np.geomspace(0.05, 50, 31)
    flat = EnergyDispersion2D.from_gauss(edges, 0.1, 0.0)
    energy = flat.axis("energy_true").center
    migra = flat.axis("migra").center
    shift = 0.3 * (energy / 0.2) ** -1.0
    density = np.exp(-0.5 * ((migra - 1 - shift[:, None]) / 0.1) ** 2)
    density = np.repeat((density / (density.sum(axis=1) * 0.01)[:, None])[..., None], 2, -1)
    table = EnergyDispersion2D(flat.axes, density)
    run = make_run(irfs={**formula_irfs(), "edisp": table})
    maker = SafeMaskMaker(methods=["edisp-bias"], bias_percent=10, fixed_offset=0.5)
    # 0.3 (E / 0.2)^-1 is 0.1 at 0.6 TeV
    assert maker.energy_range(data, run)[0] == pytest.approx(0.6, rel=0.02)
    with pytest.raises(ValueError, match="its energy bias is above"):
        SafeMaskMaker(methods=["edisp-bias"], bias_percent=1e-9).energy_range(data, run)


def test_bkg_peak(data, run) -> None:
    values = np.asarray(data.background.data) * (1 + 1e6 * (np.arange(40) == 12))[:, None, None]
    peaked = data.replace(background=data.background.with_data(values))
    low, _ = SafeMaskMaker(methods=["bkg-peak"]).energy_range(peaked, run)
    assert low == FINE.edges[12]


def test_rules_are_joined_and_bins_lie_wholly_inside(data) -> None:
    run = make_run(energy_range=(0.52, 5.0))
    once = SafeMaskMaker(methods=["aeff-default"]).run(data, run)
    twice = SafeMaskMaker(methods=["offset-max"], offset_max=1.0).run(once, run)
    both = SafeMaskMaker(methods=["offset-max", "aeff-default"], offset_max=1.0)
    np.testing.assert_array_equal(twice.mask, both.run(data, run).mask)
    assert kept_energies(once).min() >= 0.52


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"methods": ["offset"]}, "methods are .* expected a list of some of offset-max"),
        ({"methods": "offset-max"}, "expected a list"),
        ({"position": 1, "fixed_offset": 1}, "both given"),
        ({"offset_max": "2 TeV"}, "offset_max"),
    ],
)
def test_choices_are_checked(options, message) -> None:
    with pytest.raises(ValueError, match=message):
        SafeMaskMaker(**options)
