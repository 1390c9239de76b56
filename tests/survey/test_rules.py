"""Which sources are in a fit, and what of them is free."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from gammajax.catalog import load
from gammajax.datasets import MapDataset
from gammajax.maps import HpxGeom, Map, MapAxis, WcsGeom
from gammajax.models import (
    ConstantSpatialModel,
    LogParabolaSpectralModel,
    Models,
    PointSpatialModel,
    PowerLawSpectralModel,
    SkyModel,
    TemplateNPredModel,
)
from gammajax.survey import catalog_column, catalog_ts, free_sources, region_models

ENERGY = MapAxis.from_energy_bounds("10 GeV", "1 TeV", nbin=2)


@pytest.fixture
def models() -> Models:
    parts: list = [
        SkyModel(PowerLawSpectralModel(), PointSpatialModel(lon, 0.0), name=name)
        for lon, name in ((0.0, "a"), (3.0, "b"), (359.0, "c"))
    ]
    parts.append(SkyModel(LogParabolaSpectralModel(), PointSpatialModel(0, 4), name="d"))
    parts.append(TemplateNPredModel(Map.create(npix=2, axes=[ENERGY]), name="iem"))
    parts.append(SkyModel(PowerLawSpectralModel(), ConstantSpatialModel(), name="iso"))
    return free_sources(Models(parts), free=False)


def freed(models: Models) -> set[str]:
    return {
        name for name in models.parameters.free_names if not name.startswith(("iem", "iso"))
    }


def test_diffuse_emission_is_left_as_it_is(models) -> None:
    assert freed(models) == set()
    assert "iem.spectral.norm" in models.parameters.free_names
    assert "iso.spectral.amplitude" in models.parameters.free_names


def test_the_spectrum_is_what_is_freed_without_pars(models) -> None:
    names = freed(free_sources(models, exclude=["b", "c", "d"]))
    assert names == {"a.spectral.amplitude", "a.spectral.index"}
    names = freed(free_sources(models, exclude=["[abc]"], pars=("shape", "position")))
    assert names == {
        "d.spectral.alpha", "d.spectral.beta", "d.spatial.lon_0", "d.spatial.lat_0",
    }  # fmt: skip
    names = freed(free_sources(models, pars="spectral.ind*"))
    assert names == {f"{n}.spectral.index" for n in "abc"}


def test_distance_is_on_the_sky_or_in_a_square(models) -> None:
    here = SkyCoord(0.5, 0.0, unit="deg")
    near = free_sources(models, pars="norm", skydir=here, distance="2 deg")
    assert freed(near) == {"a.spectral.amplitude", "c.spectral.amplitude"}
    square = free_sources(models, pars="norm", skydir=here, distance=4.1, square=True)
    assert freed(square) == {f"{n}.spectral.amplitude" for n in "abcd"}
    inside = free_sources(models, pars="norm", skydir=here, distance=4.01)
    assert freed(inside) == {f"{n}.spectral.amplitude" for n in "abc"}


def test_ranges_of_numbers(models) -> None:
    ts = {"a": 100.0, "b": 9.0, "c": float("nan")}
    strong = free_sources(models, pars="norm", minmax_ts=(25, None), ts=ts)
    assert freed(strong) == {"a.spectral.amplitude"}
    weak = free_sources(models, pars="norm", minmax_ts=(None, 25), ts=ts)
    assert freed(weak) == {"b.spectral.amplitude"}
    both = free_sources(
        models,
        pars="norm",
        minmax_variability=(80, None),
        variability={"a": 90.0, "b": 90.0},
        minmax_npred=(10, None),
        npred={"b": 12.0},
    )
    assert freed(both) == {"b.spectral.amplitude"}
    frozen = free_sources(free_sources(models), free=False, minmax_ts=(None, 25), ts=ts)
    assert not any(name.startswith("b.") for name in freed(frozen))
    assert "a.spectral.index" in freed(frozen)


def test_what_cannot_be_done_is_said(models) -> None:
    with pytest.raises(ValueError, match="minmax_ts needs ts"):
        free_sources(models, minmax_ts=(25, None))
    with pytest.raises(ValueError, match="distance needs skydir"):
        free_sources(models, distance=3)
    with pytest.raises(ValueError, match="'indx', which names no parameter of 'a'"):
        free_sources(models, pars="indx")


@pytest.mark.data
def test_a_catalogue_gives_sources_of_a_region_and_numbers_for_the_rules(data_path) -> None:
    catalog = load("3fhl", data_path("catalogs/fermi/gll_psch_v13.fit.gz"))
    geom = WcsGeom.create(
        skydir=(0, 0), frame="galactic", width=(8, 4), binsz=0.1, axes=[ENERGY]
    )
    sky = MapDataset.create(geom)
    sky = sky.replace(mask_safe=None)
    inside = region_models(catalog, sky, margin=0)
    wide = region_models(catalog, sky, margin="2 deg")
    galactic = catalog.positions.galactic
    l, b = galactic.l.wrap_at("180d").deg, galactic.b.deg  # noqa: E741
    assert len(inside) == np.sum((abs(l) < 4) & (abs(b) < 2))
    names = set(np.array(catalog.names)[(abs(l) < 6.1) & (abs(b) < 4.1)])
    assert set(inside.names) < set(wide.names) <= names
    ts = catalog_ts(catalog)
    strong = free_sources(
        free_sources(wide, free=False), pars="norm", minmax_ts=(100, None), ts=ts
    )
    assert 0 < len(strong.parameters.free_names) < len(wide)
    assert catalog_column(catalog, "Npred")[catalog.names[0]] > 0
    whole = MapDataset.create(HpxGeom.create(nside=8, axes=[ENERGY]), binsz_irf=5)
    assert len(region_models(catalog[:20], whole.replace(mask_safe=None))) == 20
    south = WcsGeom.create(skydir=(0, -90), width=1, binsz=0.1, axes=[ENERGY])
    with pytest.raises(ValueError, match="none of the 1556 sources of 3fhl"):
        region_models(catalog, MapDataset.create(south).replace(mask_safe=None), margin=0)
