"""The published catalogues: every row, and what each of them says about its own fluxes."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from regions import CircleSkyRegion

from gammajax import catalog
from gammajax.catalog import SourceCatalog, SourceCatalog3FHL
from gammajax.maps import WcsGeom

pytestmark = pytest.mark.data

FILES = {
    "3fgl": "catalogs/fermi/gll_psc_v16.fit.gz",
    "3fhl": "catalogs/fermi/gll_psch_v13.fit.gz",
    "2pc": "catalogs/fermi/2PC_catalog_v04.fits.gz",
    "hgps": "catalogs/hgps_catalog_v1.fits.gz",
    "gamma-cat": "catalogs/gammacat/gammacat.fits.gz",
    "3hwc": "catalogs/3HWC.ecsv",
    "1lhaaso": "catalogs/1LHAASO_catalog.fits",
}
Find = Callable[[str], SourceCatalog]


@lru_cache
def loaded(tag: str, path: Path) -> SourceCatalog:
    return catalog.load(tag, path)


@pytest.fixture
def find(data_path: Callable[[str], Path]) -> Find:
    return lambda tag: loaded(tag, data_path(FILES[tag]))


# How many sources, how many become a model, and why the others do not.
ROWS = {
    "3fgl": (3034, 3028, {"template": 6}),
    "3fhl": (1556, 1548, {"template": 8}),
    "2pc": (117, 114, {"no spectrum": 3}),
    "hgps": (78, 78, {}),
    "gamma-cat": (162, 73, {"no spectrum": 87, "no shape": 1, "no size": 1}),
    "3hwc": (65, 64, {"no spectrum": 1}),
    "1lhaaso": (90, 90, {}),
}


@pytest.mark.parametrize("tag", ROWS)
def test_every_row_becomes_a_model_or_says_why_not(find: Find, tag: str) -> None:
    sources = find(tag)
    size, good, reasons = ROWS[tag]
    problems = sources.problems()
    assert (len(sources), len(sources) - len(problems)) == (size, good)
    for reason, number in reasons.items():
        said = [name for name, text in problems.items() if reason in text and name in text]
        assert len(said) == number, reason
    assert sum(reasons.values()) == len(problems)
    models = sources.to_models(problems="leave out")
    assert {name.split(" HGPSC")[0] for name in models.names} == set(sources.names) - set(
        problems
    )
    assert np.isfinite([row.value for row in models.parameters]).all()
    if problems:
        with pytest.raises(ValueError, match=f"{len(problems)} of {size} sources"):
            sources.to_models()


def test_the_crab_of_3fhl(find: Find) -> None:
    source = find("3fhl")["Crab Nebula"]
    flux = source.spectral_model().energy_flux("1 TeV", "10 TeV")
    assert flux.to_value("erg cm-2 s-1") == pytest.approx(1.112798e-10, rel=1e-6)
    assert source.name == "3FHL J0534.5+2201"
    assert "3FGL J0534.5+2201i" in source.aliases
    assert source.position.separation(SkyCoord("05h34m31s", "22d01m")).deg < 0.1
    assert source.data["Pivot_Energy"].unit == "GeV"
    models = source.to_models()
    np.testing.assert_allclose(
        np.sqrt(np.diag(models.covariance)), [row.error for row in models.parameters]
    )


@pytest.mark.parametrize(
    ("tag", "column", "unit", "low", "high", "kind"),
    [
        ("3fhl", "Flux", "cm-2 s-1", 0.01, 1.0, "integral"),
        ("3fgl", "Energy_Flux100", "TeV cm-2 s-1", 1e-4, 0.1, "energy_flux"),
        ("hgps", "Flux_Spec_Int_1TeV", "cm-2 s-1", 1.0, 1e4, "integral"),
        ("2pc", "F100", "cm-2 s-1", 1e-4, 0.1, "integral"),
    ],
)
def test_models_have_the_flux_of_their_table(
    find: Find, tag: str, column: str, unit: str, low: float, high: float, kind: str
) -> None:
    sources = find(tag)
    expected = sources.numbers(column, unit)
    problems = sources.problems()
    ratios = []
    for row in range(0, len(sources), max(1, len(sources) // 60)):
        if sources.names[row] not in problems and np.isfinite(expected[row]):
            model = sources[row].spectral_model("PLEC1" if tag == "2pc" else None)
            ratios.append(float(getattr(model, kind)(low, high)) / expected[row])
    # The tables round, and their integrals come from fits of other kinds.
    assert np.median(np.abs(np.array(ratios) - 1)) < 0.01
    assert np.mean(np.abs(np.array(ratios) - 1) < 0.05) > 0.9


def test_regions(find: Find) -> None:
    sources = find("3fhl")
    centre = SkyCoord(0, 0, unit="deg", frame="galactic")
    near = sources.positions.separation(centre).deg < 3
    by_circle = sources.select(CircleSkyRegion(centre, 3 * u.deg))
    assert by_circle.names == [n for n, yes in zip(sources.names, near, strict=True) if yes]
    assert sources.select("galactic;circle(0, 0, 3)").names == by_circle.names
    geom = WcsGeom.create(skydir=(0, 0), width=(4, 4), binsz=0.1, frame="galactic")
    place = by_circle.positions.galactic
    inside = (np.abs(place.l.wrap_at("180d").deg) < 2) & (np.abs(place.b.deg) < 2)
    models = sources.to_models(geom)
    assert list(models.names) == [
        n for n, yes in zip(by_circle.names, inside, strict=True) if yes
    ]
    assert sources[near][0].name == by_circle.names[0]


def test_points_and_light_curves(find: Find) -> None:
    source = find("3fgl")["3FGL J0000.1+6545"]
    points = source.flux_points
    assert len(points) == 5
    curve = source.lightcurve()
    assert len(curve) == 48
    assert curve.time_min[0] == pytest.approx(51910.00074287 + 239330000 / 86400, abs=1e-6)
    np.testing.assert_allclose(curve.values()[0, 0], 6.3615673e-08, rtol=1e-6)
    assert (curve.energy_min.item(), curve.energy_max.item()) == (1e-4, 0.1)
    # The second month has no error below: it is half the way to a limit.
    assert not curve.is_limit[0, 0]
    assert curve.is_limit[1, 0]
    limits = find("3fhl")["3FHL J0001.2-0748"].flux_points
    assert limits.is_limit.any()
    assert np.all(limits.limit[limits.is_limit] > limits.value[limits.is_limit])
    with pytest.raises(ValueError, match="no light curves"):
        find("3fhl")[0].lightcurve()


@pytest.mark.parametrize("tag", ["3fgl", "3fhl", "hgps", "gamma-cat"])
def test_flux_points_of_all_rows(find: Find, tag: str) -> None:
    sources = find(tag)
    step = max(1, len(sources) // 150)
    for source in sources[::step]:
        if tag == "gamma-cat" and not source.number("sed_n_points") > 0:
            with pytest.raises(ValueError, match="no flux points of this source"):
                source.flux_points
        else:
            assert source.flux_points.is_usable.any()


def test_sources_of_the_plane_survey(find: Find) -> None:
    sources = find("hgps")
    source = sources["Vela X"]
    with pytest.raises(ValueError, match="sum of 3 components"):
        source.sky_model()
    models = source.to_models()
    assert models.names == tuple(f"HESS J0835-455 HGPSC 00{i}" for i in (1, 2, 3))
    # One spectrum between them: as many free parameters as one source has.
    free = [n for n in models.parameters.free_names if ".spectral." in n]
    assert len(free) == 3
    total = sum(m.spectral_model("1 TeV").value for m in models)
    assert total == pytest.approx(source.spectral_model()("1 TeV").value)
    assert total == pytest.approx(1.2089491e-11, rel=1e-3)  # Flux_Spec_ECPL_Diff_1TeV
    twice = models.set(free[1], value=2 * models.parameters[free[1]].value)
    assert sum(m.spectral_model("1 TeV").value for m in twice) == pytest.approx(2 * total)
    assert sources["Vela X"].spectral_model("PL").index == pytest.approx(1.8913707)


def test_the_large_scale_component(find: Find) -> None:
    band = find("hgps").large_scale_component
    rows = find("hgps").extra("HGPS_LARGE_SCALE_COMPONENT")
    peak = SkyCoord(rows["GLON"][0], rows["GLAT"][0], unit="deg", frame="galactic")
    assert band.evaluate(peak).value == pytest.approx(rows["Surface_Brightness"][0], rel=1e-5)
    away = SkyCoord(150, 0, unit="deg", frame="galactic")
    assert band.evaluate(away).value == 0
    geom = WcsGeom.create(skydir=(330, 0), width=(20, 6), binsz=0.1, frame="galactic")
    model = band.sky_model(geom)
    flux = model.spectral_model.integral("1 TeV", "1e6 TeV").to_value("cm-2 s-1")
    lon = np.linspace(320, 340, 400)
    area = band.peak_brightness(lon).value * band.peak_width(lon).value * np.sqrt(2 * np.pi)
    assert flux == pytest.approx(area.mean() * 20 * np.radians(1) ** 2, rel=0.01)


def test_what_is_shown(find: Find, data_path: Callable[[str], Path]) -> None:
    sources = SourceCatalog3FHL(data_path(FILES["3fhl"]))
    assert repr(sources).endswith("1556 sources")
    assert "and 1536 more" in sources._repr_html_()
    assert repr(sources["IC 443"]).startswith(
        "SourceCatalogObject3FHL: 3FHL J0617.2+2234e (IC 443"
    )
    assert "Pivot_Energy" in sources["IC 443"]._repr_html_()
    # A Gaussian is given by the radius that holds 68 % of it.
    assert sources["IC 443"].spatial_model().sigma == pytest.approx(0.27 / 1.5096, rel=1e-4)


def test_names(find: Find) -> None:
    sources = find("3fgl")
    assert sources["psr  j0534+2200"].name == "3FGL J0534.5+2201"
    assert sources[-1].name == sources.names[-1]
    with pytest.raises(ValueError, match=r"'2FGL J0534.5\+2201' stands for 3 sources"):
        sources["2FGL J0534.5+2201"]
    with pytest.raises(ValueError, match=r"did you mean .*Mkn 421"):
        sources["Mkn 42"]
    with pytest.raises(ValueError, match="row is 3034"):
        sources[3034]
    assert find("2pc")["PSR J0534+2200"].name == "J0534+2200"
    assert find("gamma-cat")["3C 144"].name == "Crab nebula"
