"""``gammajax catalog-fit`` and ``gammajax find-sources``."""

from __future__ import annotations

import json

import numpy as np
import pytest
from astropy.table import Table

from gammajax.datasets import Datasets, MapDataset
from gammajax.irf.psf_map import PSFMap
from gammajax.maps import Map, MapAxis, WcsGeom
from gammajax.models import (
    FoVBackgroundModel,
    Models,
    PointSpatialModel,
    PowerLawSpectralModel,
    SkyModel,
)


def cube(skydir, frame: str) -> MapDataset:
    energy = MapAxis.from_energy_bounds("10 GeV", "500 GeV", nbin=3)
    true = energy.rename("energy_true")
    geom = WcsGeom.create(skydir=skydir, frame=frame, width=2.4, binsz=0.1, axes=[energy])
    return MapDataset(
        name="sky",
        counts=Map.from_geom(geom, data=np.zeros(geom.data_shape)),
        exposure=Map.from_geom(geom.to_image().to_cube([true]), data=3e11, unit="cm2 s"),
        background=Map.from_geom(geom, data=0.3 * np.ones(geom.data_shape)),
        psf=PSFMap.from_gauss(true, sigma=0.1),
    )


@pytest.fixture(scope="module")
def crab(tmp_path_factory, data_path):
    """Counts of the sources of 3FHL around the Crab, which are drawn, and the catalogue."""
    from gammajax.catalog import load
    from gammajax.survey import region_models

    file = data_path("catalogs/fermi/gll_psch_v13.fit.gz")
    folder = tmp_path_factory.mktemp("crab")
    empty = cube((83.6, 22.0), "icrs")
    truth = region_models(load("3fhl", file), empty, margin=0.5)
    Datasets([empty.fake(truth, seed=1)]).write(folder / "datasets.yaml")
    Models([FoVBackgroundModel(datasets_names="sky")]).write(folder / "background.yaml")
    return folder, file


@pytest.mark.data
@pytest.mark.slow
def test_a_catalogue_is_fitted(gammajax, crab, tmp_path) -> None:
    folder, file = crab
    files = ("-d", folder / "datasets.yaml", "-m", folder / "background.yaml", "--no-cache")
    run = gammajax(
        "catalog-fit", "3fhl", "--file", file, *files, "--margin", "0.5 deg", "--min-ts", "25",
        "-o", "fit", "--checkpoint", "fit.npz",
    )  # fmt: skip
    assert run.exit_code == 0, run.output
    assert "MemoryPlan" in run.stdout
    names = sorted(path.name for path in (tmp_path / "fit").iterdir())
    assert names == [
        "fit.json", "fluxes.png", "index.html", "models.yaml", "models_covariance.dat",
        "residuals_sky.png", "sources.ecsv",
    ]  # fmt: skip
    table = Table.read("fit/sources.ecsv")
    strong = table[np.argmax(table["ts"])]
    assert strong["ts"] > 1000
    assert abs(strong["change"]) < 4
    page = (tmp_path / "fit" / "index.html").read_text()
    assert "The fit converged." in page
    assert strong["name"] in page
    assert "residuals_sky.png" in page
    assert json.loads((tmp_path / "fit" / "fit.json").read_text())["success"]
    assert (tmp_path / "fit.npz").exists()


@pytest.mark.data
def test_what_cannot_be_fitted_ends_in_one_line(gammajax, crab) -> None:
    folder, file = crab
    files = ("-d", folder / "datasets.yaml", "-o", "fit", "--no-cache")
    run = gammajax("catalog-fit", "3fgh", *files)
    assert run.exit_code == 2
    assert "3fgl" in run.stderr
    run = gammajax("catalog-fit", "3fhl", "--file", file, *files, "--fluxes", "2, 1")
    assert run.exit_code == 2
    assert "energy is 2 to 1 TeV" in run.stderr


@pytest.mark.long
def test_sources_are_found(gammajax, tmp_path) -> None:
    law = PowerLawSpectralModel(amplitude=3e-9, index=2.2, reference="0.03 TeV")
    truth = Models([SkyModel(law, PointSpatialModel(10.4, -0.3, frame="galactic"), name="a")])
    empty = cube((10, 0), "galactic")
    Datasets([empty.fake(truth, seed=1)]).write("datasets.yaml")
    Models([FoVBackgroundModel(datasets_names="sky")]).write("background.yaml")
    files = ("-d", "datasets.yaml", "-m", "background.yaml", "--no-cache")
    run = gammajax("find-sources", *files, "-o", "new", "--kernel-width", "0.7 deg")
    assert run.exit_code == 0, run.output
    table = Table.read("new/sources.ecsv")
    assert len(table) == 1
    found = Models.read("new/models.yaml")
    assert len(found) == 2
    place = found[table["name"][0]].spatial_model
    assert float(place.lon_0) == pytest.approx(10.4, abs=0.05)
    assert "nothing to add" in (tmp_path / "new" / "index.html").read_text()
    again = ("-m", "new/models.yaml", "-d", "datasets.yaml", "--no-cache", "-o", "none")
    run = gammajax("find-sources", *again, "--kernel-width", "0.7 deg", "-q")
    assert run.exit_code == 0, run.output
    assert "None." in (tmp_path / "none" / "index.html").read_text()
