"""Responses on the sky: reduced forms, at traced positions."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from gammajax.irf import EDispKernel, EDispKernelMap, EDispMap, PSFKernel, PSFMap, RecoPSFMap
from gammajax.maps import Map, MapAxis, WcsGeom

TRUE = MapAxis.from_energy_bounds("0.5 TeV", "20 TeV", nbin=6, name="energy_true")
RECO = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=3)


def varied(axes, unit: str) -> Map:
    """Values that rise from west to east."""
    geom = WcsGeom.create(skydir=(10, 20), npix=(5, 4), binsz=0.5, proj="TAN", axes=axes)
    data = np.ones(geom.data_shape) * (1 + 0.1 * np.arange(5))
    return Map.from_geom(geom, data=data, unit=unit)


def direction(lon: float, lat: float) -> np.ndarray:
    lon, lat = np.deg2rad([lon, lat])
    return np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])


@pytest.mark.parametrize("kind", [PSFMap, RecoPSFMap, EDispKernelMap, EDispMap])
def test_values_at_a_traced_direction(kind) -> None:
    axes = {
        "rad": MapAxis.from_bounds(0, 1, nbin=4, name="rad", unit="deg", interp="lin"),
        "migra": MapAxis.from_bounds(0.2, 3, nbin=7, name="migra", unit="", interp="lin"),
        "energy": RECO,
        "energy_true": TRUE,
    }
    irf = kind(varied([axes[name] for name in kind.axes_names], kind.unit))
    at = jax.jit(lambda n: irf.at(n).sum())
    pixels = irf.table.sum(axis=(0, 1))
    middle = irf.geom.to_image().get_coord()
    lon, lat = (float(np.asarray(middle[name])[1, 3]) for name in ("lon", "lat"))
    assert float(at(direction(lon, lat))) == pytest.approx(pixels[1, 3])
    # the gradient is that of finite differences, and what lies outside is constant
    n, step = direction(lon - 0.1, lat), 1e-6
    slope = jax.grad(at)(n)
    for i in range(3):
        moved = np.eye(3)[i] * step
        change = (float(at(n + moved)) - float(at(n - moved))) / (2 * step)
        assert float(slope[i]) == pytest.approx(change, abs=1e-4 * np.abs(slope).max())
    assert float(at(direction(10 - 30, 20))) == pytest.approx(pixels[:, -1].max())


def test_gaussian_containment_and_kernel() -> None:
    psf = PSFMap.from_gauss(TRUE, sigma=0.1)
    np.testing.assert_allclose(psf.containment_radius(0.68).value, 0.15096, atol=2e-4)
    np.testing.assert_allclose(psf.containment(0.2), 1 - np.exp(-2), atol=2e-4)
    geom = WcsGeom.create(npix=20, binsz=0.05, proj="TAN")
    kernel = psf.get_psf_kernel(geom)
    assert isinstance(kernel, PSFKernel)
    np.testing.assert_allclose(kernel.data.sum(axis=(1, 2)), 1)
    middle = kernel.data[0, kernel.data.shape[1] // 2, kernel.data.shape[2] // 2]
    assert middle == pytest.approx(0.05**2 / (2 * np.pi * 0.1**2), rel=0.03)


def test_dispersion_of_migra_is_that_of_the_kernel() -> None:
    edges = np.linspace(0.2, 3, 600)
    migra = MapAxis(edges, "migra", "", "lin")
    sigma = 0.15
    centers = migra.center
    density = np.exp(-0.5 * (np.log(centers) / sigma) ** 2) / centers
    geom = WcsGeom.create(npix=(2, 1), binsz=180, axes=[migra, TRUE])
    data = np.broadcast_to(density[:, None, None], geom.data_shape).copy()
    found = EDispMap(Map.from_geom(geom, data=data)).to_edisp_kernel_map(RECO)
    expected = EDispKernel.from_gauss(TRUE, RECO, sigma)
    np.testing.assert_allclose(found.get_edisp_kernel().matrix, expected.matrix, atol=1e-4)


def test_pixels_without_exposure_take_the_nearest_that_has_some() -> None:
    axes = [MapAxis.from_bounds(0, 1, nbin=4, name="rad", unit="deg", interp="lin"), TRUE]
    values = varied(axes, "sr-1")
    data = np.asarray(values.data).copy()
    data[..., 0] = 0.0
    psf = PSFMap(values.with_data(data))
    np.testing.assert_allclose(psf.table[..., 0], psf.table[..., 1])


@pytest.mark.parametrize("kind", [PSFMap, EDispKernelMap])
def test_files_go_both_ways(kind, tmp_path) -> None:
    rad = MapAxis.from_bounds(0, 1, nbin=4, name="rad", unit="deg", interp="lin")
    first = rad if kind is PSFMap else RECO
    irf = kind(varied([first, TRUE], kind.unit))
    irf.write(tmp_path / "irf.fits")
    again = kind.read(tmp_path / "irf.fits")
    np.testing.assert_allclose(again.table, irf.table)
    assert again.geom.axes.names == kind.axes_names


def test_errors_name_axis_and_value() -> None:
    with pytest.raises(ValueError, match=r"PSFMap: the axes are .*energy_true"):
        PSFMap(varied([TRUE], "sr-1"))
    rad = MapAxis.from_bounds(0, 1, nbin=4, name="rad", unit="deg", interp="lin")
    values = varied([rad, TRUE], "sr-1")
    with pytest.raises(ValueError, match="not finite"):
        PSFMap(values.with_data(np.full(values.data.shape, np.nan)))
    even = Map.from_geom(WcsGeom.create(npix=(4, 3), binsz=0.1), data=1.0)
    with pytest.raises(ValueError, match="odd"):
        PSFKernel(even)


@pytest.mark.data
def test_responses_of_an_array_of_tanks(data_path) -> None:
    from gammajax.data import DataStore

    run = DataStore.from_dir(data_path("tests/format/swgo")).get_observations()[0]
    assert isinstance(run.psf, PSFMap)
    assert isinstance(run.edisp, EDispKernelMap)
    assert np.isfinite(run.psf.table).all()
