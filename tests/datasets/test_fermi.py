"""Counts cubes of the Fermi-LAT from the files of its tools, against gammapy."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from gammajax.datasets import Datasets, MapDataset
from gammajax.inference import Fit, Likelihood
from gammajax.irf import EDispKernel, FermiPSF, PSFMap
from gammajax.maps import HpxGeom, Map, MapAxis, WcsGeom
from gammajax.models import (
    Models,
    PointSpatialModel,
    PowerLawSpectralModel,
    SkyModel,
    create_fermi_diffuse_model,
)

PEER = json.loads((Path(__file__).parents[1] / "peer/data/fermi.json").read_text())
ENERGY = MapAxis(np.geomspace(0.01, 0.1, 4))
NODES = MapAxis.from_nodes(np.geomspace(0.01, 0.1, 4), name="energy_true")


def cube(axis: MapAxis, data=1.0, unit: str = "", npix=(6, 4)) -> Map:
    geom = WcsGeom.create(npix=npix, binsz=0.1, frame="galactic", axes=[axis])
    return Map.from_geom(geom, data=np.asarray(data), unit=unit)


def psf() -> FermiPSF:
    rad = np.linspace(0, 1, 50)
    table = np.exp(-0.5 * (rad / 0.1) ** 2) * np.ones((4, 1)) * 5e4
    return FermiPSF(NODES.center, rad, table, np.full(4, 2e11))


def test_exposure_is_a_power_law_between_its_nodes() -> None:
    law = 1e11 * (NODES.center / 0.01) ** 0.5
    wide = cube(NODES, law[:, None, None], "cm2 s", npix=(30, 20))
    data = MapDataset.from_fermi(cube(ENERGY, 3), wide, psf(), name="lat")
    expected = 1e11 * (ENERGY.center / 0.01) ** 0.5
    np.testing.assert_allclose(data.exposure.data[:, 5, 5], expected)
    assert data.exposure.geom.npix == (30, 20)
    np.testing.assert_array_equal(data.energy_true.edges, ENERGY.edges)
    np.testing.assert_allclose(data.edisp.table[..., 0, 0], np.eye(3))
    assert data.counts.data.dtype == np.float64


def test_finer_true_energies_and_a_dispersion() -> None:
    true = MapAxis(np.geomspace(0.01, 0.1, 7), "energy_true")
    options = {"energy_true": true, "edisp": EDispKernel.from_gauss(true, ENERGY, 0.1)}
    exposure = cube(NODES, 1e11, "cm2 s")
    data = MapDataset.from_fermi(cube(ENERGY), exposure, **options)
    assert data.edisp.table.shape[:2] == (6, 3)
    assert data.psf is None
    fine = MapDataset.from_fermi(cube(ENERGY), exposure, energy_true=true)
    np.testing.assert_allclose(fine.edisp.table[..., 0, 0], np.repeat(np.eye(3), 2, axis=0))


def test_exposure_on_healpix_pixels() -> None:
    geom = HpxGeom.create(nside=16, frame="galactic", axes=[NODES])
    exposure = Map.from_geom(geom, data=2e11, unit="cm2 s")
    data = MapDataset.from_fermi(cube(ENERGY), exposure)
    assert data.exposure.geom.npix == (6, 4)
    np.testing.assert_allclose(data.exposure.data, 2e11)


def test_the_spread_is_weighed_when_stacked() -> None:
    exposure = cube(NODES, 1e11, "cm2 s")
    one, two = (
        MapDataset.from_fermi(cube(ENERGY), exposure, psf(), name=name) for name in "ab"
    )
    both = Datasets([one, two]).stack_reduce()
    np.testing.assert_allclose(both.edisp.values.data, one.edisp.values.data)
    np.testing.assert_allclose(both.psf.values.data, one.psf.values.data)
    assert both.psf.exposure.data.max() == 4e11


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"counts": cube(NODES)}, "counts have the axes .*energy_true.*, expected one"),
        ({"exposure": cube(ENERGY, 1.0, "cm2 s")}, "exposure has the axes"),
        (
            {"energy_true": MapAxis(np.geomspace(0.001, 0.1, 4), "energy_true")},
            "exposure is known from 0.01 to 0.1 TeV, and",
        ),
        ({"exposure": cube(NODES, 1.0, "cm2")}, "does not convert"),
        ({"psf": "nowhere.fits"}, "there is no such file"),
    ],
)
def test_what_does_not_fit_is_named(change: dict, message: str) -> None:
    given = {"counts": cube(ENERGY), "exposure": cube(NODES, 1e11, "cm2 s"), **change}
    with pytest.raises(ValueError, match=message):
        MapDataset.from_fermi(**given)


@pytest.mark.data
class TestGalacticCentre:
    @pytest.fixture
    def files(self, data_path) -> list[Path]:
        name = "fermi-3fhl-gc/fermi-3fhl-gc-{}-cube.fits.gz"
        return [data_path(name.format(part)) for part in ("counts", "exposure", "psf")]

    def test_dataset_is_that_of_gammapy(self, files) -> None:
        data = MapDataset.from_fermi(*files)
        assert data.counts.data.sum() == PEER["counts"]
        mean = data.exposure.data.mean(axis=(1, 2))
        # between nodes the exposure is linear there
        np.testing.assert_allclose(mean, PEER["exposure"], rtol=1e-3)
        nodes = np.log(data.psf.energy.center)
        radius = data.psf.containment_radius(0.68).to_value("deg")
        found = np.interp(np.log(data.energy_true.center), nodes, radius)
        np.testing.assert_allclose(found, PEER["radius"], rtol=0.03)
        assert len(data.gti) == 38961
        assert isinstance(data.psf, PSFMap)

    def test_fit_with_the_diffuse_template(self, files, data_path) -> None:
        counts = Map.read(files[0]).slice_by_idx({"energy": slice(5, None)})
        data = MapDataset.from_fermi(counts, *files[1:])
        data = data.cutout(data.geom.center_skydir, 2.0)
        template = data_path("fermi-3fhl-gc/gll_iem_v06_gc.fits.gz")
        source = SkyModel(
            PowerLawSpectralModel(2.7, "5e-10 cm-2 s-1 TeV-1", "100 GeV"),
            PointSpatialModel(-0.05, -0.05, frame="galactic"),
            name="gc",
        )
        models = Models([source, create_fermi_diffuse_model(template, name="iem")])
        result = Fit().run(Likelihood([data], models.freeze("*.spatial.*")))
        assert result.success
        for name, (value, error) in PEER["fit"].items():
            row = result.models.parameters[name]
            # the peer puts the source on four pixels before it is spread
            assert row.value == pytest.approx(value, abs=0.25 * error)
            assert row.error == pytest.approx(error, rel=0.05)
