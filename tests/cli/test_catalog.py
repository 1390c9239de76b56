"""``gammajax catalog``: what it shows, and the models that it writes."""

import pytest

from gammajax.models import Models


def test_the_catalogues(gammajax, monkeypatch):
    monkeypatch.delenv("GAMMAPY_DATA", raising=False)
    shown = gammajax("catalog").stdout
    assert "4fgl" in shown
    assert "gll_psc_v32.fit.gz" in shown
    run = gammajax("catalog", "5fgl")
    assert run.exit_code == 2
    assert "did you mean '4fgl'" in run.stderr


@pytest.mark.data
def test_a_source(gammajax, data_path):
    file = data_path("catalogs/3HWC.ecsv")
    shown = gammajax("catalog", "3hwc", "3HWC J0534+220", "--file", file).stdout
    assert "spectral.amplitude" in shown
    assert "1.4e-15" in shown
    run = gammajax("catalog", "3hwc", "3HWC J0534+221", "--file", file)
    assert run.exit_code == 2
    assert "did you mean 3HWC J0534+220" in run.stderr


@pytest.mark.data
def test_a_region_becomes_a_model_file(gammajax, data_path):
    file = data_path("catalogs/hgps_catalog_v1.fits.gz")
    region = ("--file", file, "--region", "galactic;circle(17.8, -0.7, 0.9)")
    assert "HESS J1825-137" in gammajax("catalog", "hgps", *region).stdout
    run = gammajax("catalog", "hgps", *region, "-o", "models.yaml")
    assert run.exit_code == 0, run.output
    models = Models.read("models.yaml")
    assert len(models) == 4  # HESS J1826-130 beside the three Gaussians
    spectral = [name for name in models.parameters.free_names if ".spectral." in name]
    assert len(spectral) == 5  # a power law with a cutoff, and a power law
    assert models.parameters["HESS J1825-137 HGPSC 065.spectral.index"].error > 0


@pytest.mark.data
def test_what_becomes_no_model_is_named(gammajax, data_path):
    run = gammajax(
        "catalog", "3hwc", "--file", data_path("catalogs/3HWC.ecsv"), "-o", "models.yaml"
    )
    assert run.exit_code == 1
    assert "64 components in models.yaml" in run.stdout
    assert "left out: 3hwc 3HWC J0659+147: the catalogue has no spectrum" in run.stderr
