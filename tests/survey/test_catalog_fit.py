"""Fits of catalogues: bounds, tables, memory, checkpoints."""

from __future__ import annotations

import numpy as np
import pytest

from gammajax.catalog import load
from gammajax.datasets import MapDataset
from gammajax.inference import Checkpoint
from gammajax.maps import Map
from gammajax.models import (
    Models,
    PowerLawNormSpectralModel,
    SkyModel,
    TemplateSpatialModel,
)
from gammajax.survey import CatalogFit, free_sources, memory_plan, region_models
from gammajax.survey.catalog_fit import bounded

ENDS = ("10 GeV", "500 GeV")


@pytest.fixture(scope="module")
def centre(data_path):
    """The counts of the Galactic centre, the catalogue, and the diffuse template."""
    folder = data_path("fermi-3fhl-gc")
    dataset = MapDataset.from_fermi(
        counts=folder / "fermi-3fhl-gc-counts-cube.fits.gz",
        exposure=folder / "fermi-3fhl-gc-exposure-cube.fits.gz",
        psf=folder / "fermi-3fhl-gc-psf-cube.fits.gz",
        name="gc",
    ).cutout((0, 0), (6, 4))
    template = Map.read(folder / "gll_iem_v06_gc.fits.gz")
    diffuse = SkyModel(
        PowerLawNormSpectralModel(), TemplateSpatialModel(template, normalize=False), name="iem"
    )
    return dataset, load("3fhl", data_path("catalogs/fermi/gll_psch_v13.fit.gz")), diffuse


@pytest.fixture(scope="module")
def fitted(centre, tmp_path_factory):
    dataset, catalog, diffuse = centre
    models = region_models(catalog, dataset, margin="0.2 deg") + Models([diffuse])
    fit = CatalogFit(dataset, models.freeze("*.spatial.*"), energy=ENDS)
    path = tmp_path_factory.mktemp("fit") / "fit.npz"
    return fit, fit.run(checkpoint=Checkpoint(path, every=0)), path


@pytest.mark.long
@pytest.mark.data
def test_real_counts_give_the_fluxes_of_the_catalogue(fitted) -> None:
    _, found, _ = fitted
    table = found.table
    assert found.success
    assert len(table) == len(found.ts) > 5
    strong = table["ts"] > 50
    assert strong.sum() >= 3
    # another reduction, another diffuse model and another region than the catalogue's
    ratio = (table["flux"] / table["catalog_flux"])[strong]
    assert np.all((ratio > 0.6) & (ratio < 1.4))
    assert np.all(table["catalog_flux_err"] > 0)
    assert np.all(table["npred"] > 0)
    np.testing.assert_allclose(table["sqrt_ts"] ** 2, table["ts"])
    assert table["flux"].unit == "cm-2 s-1"
    assert "converged" in repr(found)
    assert "<table" in found._repr_html_()


@pytest.mark.long
@pytest.mark.data
def test_a_run_that_was_interrupted_comes_to_the_same(fitted) -> None:
    fit, found, path = fitted
    again = fit.run(checkpoint=path, ts=False)
    np.testing.assert_array_equal(again.result.theta, found.result.theta)
    assert np.isnan(again.table["ts"]).all()


@pytest.mark.long
@pytest.mark.data
def test_memory_is_known_before_the_fit(fitted) -> None:
    fit, _, _ = fitted
    plan = memory_plan(fit.likelihood)
    assert plan.total == fit.memory.total == sum(size for _, size in plan.parts)
    names = [name for name, _ in plan.parts]
    assert "responses of shapes that stay" in names
    assert "derivatives of shapes that move" not in names
    assert repr(plan).startswith("MemoryPlan: ")
    assert 1e5 < plan.total < 1e9


@pytest.mark.long
@pytest.mark.data
def test_frozen_sources_are_in_the_table_and_say_so(centre) -> None:
    dataset, catalog, diffuse = centre
    models = region_models(catalog, dataset, margin=0) + Models([diffuse])
    models = free_sources(models, free=False).freeze("iem.spatial.*")
    found = CatalogFit(dataset, models, energy=ENDS).run()
    assert found.ts == {}
    assert set(found.table["note"]) == {"frozen"}
    np.testing.assert_allclose(found.table["flux"], found.table["catalog_flux"])


@pytest.mark.data
def test_bounds_are_set_where_there_are_none(centre) -> None:
    dataset, catalog, _ = centre
    models = region_models(catalog, dataset, margin=0).freeze("*.spatial.*")
    first, second = models.names[:2]
    models = models.set(f"{first}.spectral.amplitude", min=-1.0)
    models = models.freeze(f"{second}.spectral.index")
    found = bounded(models, (1.0, 5.0)).parameters
    assert found[f"{first}.spectral.amplitude"].min == -1
    assert found[f"{second}.spectral.amplitude"].min == 0
    assert found[f"{second}.spectral.index"].min == -np.inf
    assert (found[f"{first}.spectral.index"].min, found[f"{first}.spectral.index"].max) == (
        1,
        5,
    )


@pytest.mark.data
def test_what_cannot_be_fitted_is_said(centre) -> None:
    dataset, catalog, diffuse = centre
    with pytest.raises(ValueError, match="no source with a flux"):
        CatalogFit(dataset, Models([diffuse]))
    models = region_models(catalog, dataset, margin=0)
    with pytest.raises(ValueError, match=r"energy is 1 to 0\.1 TeV"):
        CatalogFit(dataset, models, energy=(1, 0.1))
