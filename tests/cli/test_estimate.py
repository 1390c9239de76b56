"""``gammajax flux-points``, ``light-curve`` and ``ts-map``."""

from __future__ import annotations

import json

import numpy as np
import pytest
from astropy.table import Table
from astropy.time import Time, TimeDelta

from gammajax.data import GTI, FluxPoints, LightCurve
from gammajax.datasets import Datasets, MapDataset
from gammajax.estimators import FluxMaps, FluxPointsEstimator
from gammajax.irf import PSFMap
from gammajax.maps import Map, MapAxis, WcsGeom
from gammajax.models import (
    FoVBackgroundModel,
    Models,
    PointSpatialModel,
    PowerLawSpectralModel,
    SkyModel,
)


def cube() -> MapDataset:
    """A cube of two energies with a flat exposure and background, and no counts."""
    energy = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=2)
    true = energy.rename("energy_true")
    geom = WcsGeom.create(
        skydir=(83.63, 22.01), width=1.6, binsz=0.05, proj="TAN", axes=[energy]
    )
    response = geom.to_image().to_cube([true])
    return MapDataset(
        name="one",
        counts=Map.from_geom(geom, data=np.zeros(geom.data_shape)),
        exposure=Map.from_geom(response, data=np.full(response.data_shape, 2e12), unit="cm2 s"),
        background=Map.from_geom(geom, data=np.full(geom.data_shape, 0.02)),
        psf=PSFMap.from_gauss(true, sigma=0.07),
    )


def test_flux_points_are_those_of_python(gammajax, files, inputs, tmp_path) -> None:
    run = gammajax("flux-points", *files, "-o", "out", "--edges", "1, 3, 10 TeV")
    assert run.exit_code == 0, run.stderr
    assert "Flux points" in run.stdout
    points = FluxPoints.read(tmp_path / "out" / "flux_points.fits")
    datasets = Datasets.read(inputs / "datasets.yaml")
    expected = FluxPointsEstimator(energy_edges=[1, 3, 10]).run(
        datasets, Models.read(inputs / "models.yaml")
    )
    np.testing.assert_allclose(points.value, expected.value)
    assert FluxPoints.read(tmp_path / "out" / "flux_points.ecsv").sed_type == "dnde"
    described = json.loads((tmp_path / "out" / "flux_points.json").read_text())
    assert [point["notes"] for point in described] == ["", ""]
    assert (tmp_path / "out" / "flux_points.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--edges", "3,1"], "ascend"),
        (["--edges", "one"], "--edges one"),
        (["--source", "vela"], "no component"),
        (["--method", "both"], "method is"),
    ],
)
def test_bad_options_write_nothing(gammajax, files, tmp_path, options, words) -> None:
    run = gammajax("flux-points", *files, "-o", "out", *options)
    assert run.exit_code == 2
    assert words in run.stderr
    assert not (tmp_path / "out").exists()


def test_light_curves_of_files_with_times(gammajax, files, inputs, tmp_path) -> None:
    run = gammajax("light-curve", *files, "-o", "out")
    assert run.exit_code == 2
    assert "no good time intervals" in run.stderr
    start = Time("2020-01-01T20:00:00", scale="utc")
    timed = []
    for i, dataset in enumerate(Datasets.read(inputs / "datasets.yaml")):
        low = start + TimeDelta(i * 86400.0, format="sec")
        gti = GTI.create(low, low + TimeDelta(1800, format="sec"))
        timed.append(dataset.replace(gti=gti))
    Datasets(timed).write(tmp_path / "timed" / "datasets.yaml")
    arguments = ["-d", "timed/datasets.yaml", "-m", inputs / "models.yaml", "--no-cache"]
    run = gammajax("light-curve", *arguments, "-o", "out", "--intervals", "night", "-q")
    assert run.exit_code == 0, run.stderr
    curve = LightCurve.read(tmp_path / "out" / "light_curve.fits")
    assert len(curve) == 2
    assert (tmp_path / "out" / "light_curve.png").exists()


def test_a_map_with_its_peaks(gammajax, tmp_path) -> None:
    crab = SkyModel(
        PowerLawSpectralModel(index=2.3, amplitude=3e-11),
        PointSpatialModel(83.63, 22.01),
        name="crab",
    )
    models = Models([crab, FoVBackgroundModel(datasets_names="one")]).freeze("*.spatial.*")
    Datasets([cube().fake(models, 1)]).write(tmp_path / "cube" / "datasets.yaml")
    models.write(tmp_path / "models.yaml")
    arguments = ["-d", "cube/datasets.yaml", "-m", "models.yaml", "--no-cache"]
    run = gammajax("ts-map", *arguments, "-o", "out", "--source", "crab", "--kernel-width",
                   "0.6 deg")  # fmt: skip
    assert run.exit_code == 0, run.stderr
    peaks = Table.read(tmp_path / "out" / "peaks.ecsv")
    assert peaks["ra"][0] == pytest.approx(83.63, abs=0.06)
    maps = FluxMaps.read(tmp_path / "out" / "ts_map.fits")
    assert np.nanmax(maps["sqrt_ts"].data) == pytest.approx(peaks["value"][0])
    assert maps.model.name == "crab"
    assert (tmp_path / "out" / "sqrt_ts.png").exists()
