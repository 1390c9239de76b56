"""Catalogues whose files are not among the test data, as small tables in their format.

Column names and units are those of the published descriptions: 4FGL and its releases at the
Fermi Science Support Center, 2FHL and 2HWC in their papers, 3PC in its README files.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from gammajax.catalog import (
    SourceCatalog2FHL,
    SourceCatalog2HWC,
    SourceCatalog3PC,
    SourceCatalog4FGL,
    load,
)
from gammajax.maps import Map, WcsGeom

DENSITY = "cm-2 MeV-1 s-1"
FLUX = "cm-2 s-1"


def table(columns: dict, units: dict[str, str]) -> Table:
    return Table({name: np.array(values) for name, values in columns.items()}, units=units)


def write(path: Path, tables: dict[str, Table]) -> Path:
    hdus = [fits.PrimaryHDU()]
    for name, rows in tables.items():
        hdus.append(fits.table_to_hdu(rows))
        hdus[-1].name = name
    fits.HDUList(hdus).writeto(path)
    return path


def fourth(release: int) -> dict[str, Table]:
    """A power law, a log-parabola, a pulsar and two extended sources, as a release has them."""
    bands = 7 if release < 3 else 8
    ones = np.ones(5)
    names = ["4FGL J0534.5+2201i", "4FGL J1104.4+3812", "4FGL J0835.3-4510",
             "4FGL J0617.2+2234e", "4FGL J2051.0+3049e"]  # fmt: skip
    columns = {
        "Source_Name": names,
        "RAJ2000": [83.63, 166.12, 128.84, 94.31, 312.75],
        "DEJ2000": [22.01, 38.21, -45.18, 22.58, 30.67],
        "Conf_95_SemiMajor": [0.01, 0.01, 0.02, np.nan, np.nan],
        "Conf_95_SemiMinor": [0.01, 0.01, 0.01, np.nan, np.nan],
        "Conf_95_PosAng": [0.0, 0.0, 90.0, np.nan, np.nan],
        "Extended_Source_Name": ["", "", "", "IC 443", "Cygnus Loop"],
        "Pivot_Energy": [10e3, 1e3, 1e3, 1e3, 1e3],
        "SpectrumType": ["PowerLaw", "LogParabola", "PLSuperExpCutoff", "PowerLaw", "PowerLaw"],
        "PL_Flux_Density": 1e-12 * ones,
        "Unc_PL_Flux_Density": 1e-13 * ones,
        "PL_Index": 2.2 * ones,
        "Unc_PL_Index": 0.1 * ones,
        "LP_Flux_Density": 2e-12 * ones,
        "Unc_LP_Flux_Density": 2e-13 * ones,
        "LP_Index": 1.8 * ones,
        "Unc_LP_Index": 0.1 * ones,
        "LP_beta": 0.03 * ones,
        "Unc_LP_beta": 0.01 * ones,
        "PLEC_Flux_Density": 3e-12 * ones,
        "Unc_PLEC_Flux_Density": 3e-13 * ones,
        "PLEC_Exp_Index": 0.6667 * ones,
        "Unc_PLEC_Exp_Index": np.nan * ones,
        "Flux_Band": np.full((5, bands), 1e-9),
        "Unc_Flux_Band": np.tile([-1e-10, 2e-10], (5, bands, 1)),
        "Sqrt_TS_Band": np.full((5, bands), 5.0),
        "ASSOC1": ["Crab Nebula", "Mkn 421", "PSR J0835-4510", "", ""],
        "ASSOC_TEV": ["Crab", "Mkn 421", "", "IC 443", ""],
    }
    columns["Unc_Flux_Band"][0, -1, 0] = np.nan
    new = {"PLEC_IndexS": 2.1, "PLEC_ExpfactorS": 0.5}
    old = {"PLEC_Index": 1.3, "PLEC_Expfactor": 0.007}
    for name, value in (new if release > 2 else old).items():
        columns |= {name: value * ones, f"Unc_{name}": 0.01 * ones}
    years = {1: 8, 2: 10, 3: 12}[release]
    months = 48 if release == 1 else 0
    starts = {}
    for stem, hdu, sqrt_ts, number in (
        ("Flux_History", "Hist_Start", "Sqrt_TS_History", years),
        ("Flux2_History", "Hist2_Start", "Sqrt_TS2_History", months),
    ):
        if number:
            columns[stem] = np.full((5, number), 4e-8)
            columns[f"Unc_{stem}"] = np.tile([-4e-9, 4e-9], (5, number, 1))
            columns[sqrt_ts] = np.full((5, number), 10.0)
            edges = 239557417.0 + np.linspace(0, years * 365.25 * 86400, number + 1)
            starts[hdu] = table({"Hist_Start": edges}, {"Hist_Start": "s"})
            starts[hdu].meta |= {"MJDREFI": 51910, "MJDREFF": 7.428703703703703e-4}
    units = {name: DENSITY for name in columns if name.endswith("Flux_Density")}
    units |= {name: FLUX for name in columns if "Flux_Band" in name or "History" in name}
    units = {name: unit for name, unit in units.items() if not name.startswith("Sqrt")}
    units |= dict.fromkeys(("RAJ2000", "DEJ2000"), "deg") | {"Pivot_Energy": "MeV"}
    units |= {name: "deg" for name in columns if name.startswith("Conf_95")}
    extended = table(
        {
            "Source_Name": ["IC 443", "Cygnus Loop"],
            "RAJ2000": [94.31, 312.75],
            "DEJ2000": [22.58, 30.67],
            "Model_Form": ["2D Gaussian", "Ring"],
            "Model_SemiMajor": [0.27, 1.65],
            "Model_SemiMinor": [0.27, 1.65],
            "Model_PosAng": [0.0, 0.0],
            "Spatial_Filename": ["", "CygnusLoop.fits"],
        },
        {},
    )
    edges = np.array([50, 100, 300, 1e3, 3e3, 1e4, 3e4, 1e5, 1e6][: bands + 1])
    bounds = {"LowerEnergy": edges[:-1], "UpperEnergy": edges[1:]}
    return {
        "LAT_Point_Source_Catalog": table(columns, units),
        "ExtendedSources": extended,
        "EnergyBounds": table(bounds, dict.fromkeys(bounds, "MeV")),
        **starts,
    }


@pytest.mark.parametrize("release", [1, 2, 3])
def test_4fgl(tmp_path: Path, release: int) -> None:
    sources = SourceCatalog4FGL(write(tmp_path / "gll_psc.fit", fourth(release)))
    crab = sources["Crab Nebula"].to_models()
    assert crab.parameters["4FGL J0534.5+2201i.spectral.amplitude"].value == pytest.approx(1e-6)
    assert crab.parameters["4FGL J0534.5+2201i.spectral.reference"].value == pytest.approx(0.01)
    markarian = sources["mkn421"].spectral_model()
    assert (markarian.alpha, markarian.beta) == pytest.approx((1.8, 0.03))
    vela = sources["PSR J0835-4510"]
    name = type(vela.spectral_model()).__name__
    assert name == f"SuperExpCutoffPowerLaw4FGL{'DR3' if release > 2 else ''}SpectralModel"
    assert vela.spectral_model().index_1 == pytest.approx(2.1 if release > 2 else 1.3)
    assert float(vela.spectral_model()(1e-3)) == pytest.approx(3e-6)
    errors = vela.to_models().parameters
    assert errors["4FGL J0835.3-4510.spectral.index_2"].error == 0  # fixed in their fit
    # The major axis of the error ellipse points east.
    lat = errors["4FGL J0835.3-4510.spatial.lat_0"].error
    lon = errors["4FGL J0835.3-4510.spatial.lon_0"].error
    assert lat == pytest.approx(0.01 / 2.4477, rel=1e-4)
    assert lon * np.cos(np.radians(45.18)) == pytest.approx(0.02 / 2.4477, rel=1e-4)
    points = sources[0].flux_points
    assert len(points) == (7 if release < 3 else 8)
    assert (points.energy_min[0], points.energy_max[1]) == pytest.approx((5e-5, 3e-4))
    assert points.is_limit.tolist() == [False] * (len(points) - 1) + [True]
    assert points.limit[-1] == pytest.approx(1e-9 + 2 * 2e-10)
    curve = sources[0].lightcurve()
    assert len(curve) == {1: 8, 2: 10, 3: 12}[release]
    np.testing.assert_allclose(curve.values(), 4e-8)
    assert curve.time_min[0] == pytest.approx(54682.65603, abs=1e-4)
    if release == 1:
        assert len(sources[0].lightcurve("2-month")) == 48
    else:
        with pytest.raises(ValueError, match="this release has 1-year"):
            sources[0].lightcurve("2-month")


def test_templates(tmp_path: Path) -> None:
    path = write(tmp_path / "gll_psc.fit", fourth(3))
    sources = SourceCatalog4FGL(path)
    assert list(sources.problems()) == ["4FGL J2051.0+3049e"]
    with pytest.raises(ValueError, match=r"1 of 5 sources(.|\n)*template CygnusLoop.fits"):
        sources.to_models()
    assert len(sources.to_models(problems="leave out")) == 4
    geom = WcsGeom.create(skydir=(312.75, 30.67), width=2, binsz=0.1)
    ring = Map.from_geom(geom, data=np.ones(geom.data_shape))
    folder = tmp_path / "Extended_14years" / "Templates"
    ring.write(folder / "CygnusLoop.fits")
    shape = sources["Cygnus Loop"].spatial_model()
    total = np.sum(np.asarray(shape.map.data) * geom.solid_angle())
    assert total == pytest.approx(1, rel=1e-6)
    models = SourceCatalog4FGL(path, templates=folder).to_models()
    assert len(models) == 5


def test_2fhl(tmp_path: Path) -> None:
    names = ["50_171GeV", "171_585GeV", "585_2000GeV"]
    columns = {
        "Source_Name": ["2FHL J0534.5+2201", "2FHL J0617.2+2234e"],
        "RAJ2000": [83.63, 94.31],
        "DEJ2000": [22.01, 22.58],
        "Pos_err_68": [0.02, np.nan],
        "Flux50": [1.3e-9, 2e-11],
        "Unc_Flux50": [5e-11, 5e-12],
        "Spectral_Index": [2.13, 3.5],
        "Unc_Spectral_Index": [0.07, 0.5],
        "ASSOC": ["Crab Nebula", "IC 443"],
        "TeVCat_Name": ["Crab", "IC 443"],
    }
    units = dict.fromkeys(("RAJ2000", "DEJ2000", "Pos_err_68"), "deg")
    for name in ("Flux50", "Unc_Flux50"):
        units[name] = "photon cm-2 s-1"
    for name in names:
        columns |= {f"Flux{name}": [1e-10, 1e-12], f"Sqrt_TS{name}": [30.0, 3.0]}
        columns[f"Unc_Flux{name}"] = [[-1e-11, 1e-11], [np.nan, 1e-12]]
        units |= dict.fromkeys((f"Flux{name}", f"Unc_Flux{name}"), "photon cm-2 s-1")
    extended = {"Source_Name": ["IC 443"], "RAJ2000": [94.31], "DEJ2000": [22.58],
                "Model_Form": ["Disk"], "Model_SemiMajor": [0.27], "Model_SemiMinor": [0.135],
                "Model_PosAng": [30.0], "Spatial_Filename": [""]}  # fmt: skip
    path = write(
        tmp_path / "gll_psch_v09.fit",
        {"2FHL Source Catalog": table(columns, units), "Extended Sources": table(extended, {})},
    )
    sources = SourceCatalog2FHL(path)
    crab = sources["Crab"].spectral_model()
    assert float(crab.integral(0.05, 2.0)) == pytest.approx(1.3e-9)
    error = sources["Crab"].shape(None).errors["lat_0"]
    assert error == pytest.approx(0.02 / 1.5096, rel=1e-4)
    disk = sources["IC 443"].spatial_model()
    assert (disk.r_0, disk.e, disk.phi) == pytest.approx((0.27, np.sqrt(0.75), 30))
    assert sources[0].flux_points.energy_max == pytest.approx([0.171, 0.585, 2.0])
    assert sources[1].flux_points.is_limit.all()
    assert len(sources.to_models()) == 2


def test_3pc(tmp_path: Path) -> None:
    pulsars = {"PSRJ": ["J0007+7303", "J0030+0451", "J9999+0000"], "RAJD": [1.76, 7.61, 1.0],
               "DECJD": [73.05, 4.86, 0.0]}  # fmt: skip
    free, fixed = ["_bfr", "_b23"]
    columns: dict = {
        "NickName": ["PSRJ0007+7303", "PSRJ0030+0451"],
        "SpectrumType": ["PLSuperExpCutoff4", "PLSuperExpCutoff4"],
        "Flux_Band": np.full((2, 8), 1e-9),
        "Unc_Flux_Band": np.tile([-1e-10, 1e-10], (2, 8, 1)),
        "Sqrt_TS_Band": np.full((2, 8), 9.0),
    }
    for ending, sharp in ((free, 0.5), (fixed, 2 / 3)):
        values = {"PLEC_Flux_Density": 1e-11, "PLEC_IndexS": -2.0, "PLEC_ExpfactorS": 0.6,
                  "PLEC_Exp_Index": sharp}  # fmt: skip
        columns |= {f"{name}{ending}": [value] * 2 for name, value in values.items()}
        columns |= {
            f"Unc_{name}{ending}": [abs(value) / 10] * 2 for name, value in values.items()
        }
        columns[f"Pivot_Energy{ending}"] = [1000.0, 1000.0]
    columns["PLEC_Flux_Density_bfr"] = [1e-11, np.nan]
    units = {name: DENSITY for name in columns if "Flux_Density" in name}
    units |= {f"Pivot_Energy{ending}": "MeV" for ending in (free, fixed)}
    units |= dict.fromkeys(("Flux_Band", "Unc_Flux_Band"), FLUX)
    path = write(
        tmp_path / "3PC.fits",
        {
            "PULSARS_BIGFILE": table(pulsars, {"RAJD": "deg", "DECJD": "deg"}),
            "LAT_Point_Source_Catalog": table(columns, units),
        },
    )
    sources = SourceCatalog3PC(path)
    first = sources["PSR J0007+7303"]
    assert first.spectral_model().index_2 == pytest.approx(0.5)
    assert first.spectral_model("b 23").index_2 == pytest.approx(2 / 3)
    assert first.spectral_model().index_1 == pytest.approx(2.0)
    assert float(first.spectral_model()(1e-3)) == pytest.approx(1e-5)
    assert sources[1].spectral_model().index_2 == pytest.approx(2 / 3)
    with pytest.raises(ValueError, match="has no fit b free"):
        sources[1].spectral_model("b free")
    assert first.flux_points.energy_max[-1] == pytest.approx(1.0)
    assert "no spectrum of this pulsar" in sources.problems()["J9999+0000"]


def test_2hwc(tmp_path: Path) -> None:
    columns = {"source_name": ["2HWC J0534+220", "2HWC J1825-134"], "ra": [83.63, 276.46],
               "dec": [22.02, -13.40], "pos_err": [0.06, 0.09]}  # fmt: skip
    for stem, flux, radius in (
        ("spec0", [1.85e-13, 1.38e-13], 0.0),
        ("spec1", [np.nan, 2.5e-13], 0.9),
    ):
        columns |= {f"{stem}_dnde": flux, f"{stem}_dnde_err": [2e-15, 8e-15]}
        columns |= {f"{stem}_index": [-2.58, -2.58], f"{stem}_index_err": [0.01, 0.04]}
        columns[f"{stem}_radius"] = [radius, radius]
    units = {name: "cm-2 s-1 TeV-1" for name in columns if "dnde" in name}
    units |= {name: "deg" for name in columns if "radius" in name or name in ("ra", "dec")}
    table(columns, units).write(tmp_path / "2HWC.ecsv", format="ascii.ecsv")
    sources = SourceCatalog2HWC(tmp_path / "2HWC.ecsv")
    point, wide = sources[1].sky_model(), sources[1].sky_model("extended")
    assert type(point.spatial_model).__name__ == "PointSpatialModel"
    assert wide.spatial_model.r_0 == pytest.approx(0.9)
    assert wide.spectral_model.index == pytest.approx(2.58)
    assert float(wide.spectral_model(7.0)) == pytest.approx(2.5e-13)
    with pytest.raises(ValueError, match="no extended model"):
        sources[0].sky_model("extended")
    with pytest.raises(ValueError, match="which is 'wide', expected 'point', 'extended'"):
        sources[0].sky_model("wide")


def test_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="no catalogue '5fgl'; did you mean"):
        load("5fgl")
    monkeypatch.delenv("GAMMAPY_DATA", raising=False)
    with pytest.raises(ValueError, match="GAMMAPY_DATA is not set"):
        load("4FGL")
    with pytest.raises(ValueError, match="there is no file"):
        load("4fgl", tmp_path / "none.fit")
    tables = fourth(3)
    damaged = tmp_path / "damaged.fit"
    damaged.write_bytes(b"SIMPLE  = nonsense")
    with pytest.raises(ValueError, match="cannot read the table"):
        load("4fgl", damaged)
    with pytest.raises(ValueError, match="cannot read the table 'PULSAR_CATALOG'"):
        load("2pc", write(tmp_path / "other.fit", tables))
    tables["LAT_Point_Source_Catalog"].remove_column("PL_Index")
    broken = load("4fgl", write(tmp_path / "column.fit", tables))
    with pytest.raises(ValueError, match="no column 'PL_Index'; did you mean 'LP_Index'"):
        broken["Crab Nebula"].spectral_model()
    tables = fourth(3)
    tables["LAT_Point_Source_Catalog"]["SpectrumType"][0] = "Line"
    odd = load("4fgl", write(tmp_path / "odd.fit", tables))
    assert "SpectrumType is 'Line'" in odd.problems()["4FGL J0534.5+2201i"]
