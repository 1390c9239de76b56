"""Responses like those of the Fermi-LAT, against files of its tools."""

from __future__ import annotations

import numpy as np
import pytest

from gammajax.irf.fermi import FermiPSF
from gammajax.irf.lat_like import (
    FARTHEST,
    acceptance,
    containment_radius,
    lat_like_edisp,
    lat_like_exposure,
    lat_like_psf,
    resolution,
)
from gammajax.maps import HpxGeom, Map, MapAxis, WcsGeom

TRUE = MapAxis.from_energy_bounds("100 MeV", "1 TeV", nbin=9, name="energy_true")


@pytest.mark.parametrize("shape", ["king", "gauss"])
def test_the_spread_holds_68_percent_where_the_formula_says(shape) -> None:
    psf = lat_like_psf(TRUE, shape=shape)
    found = psf.containment_radius(0.68).to_value("deg")
    # a King profile is cut at 8 radii (less at low energies), where it has 3 % beyond
    room = 0.05 if shape == "king" else 0.01
    np.testing.assert_allclose(found, containment_radius(TRUE.center), rtol=room)
    assert psf.rad.center[-1] <= FARTHEST
    ratio = psf.containment_radius(0.95).to_value("deg") / found
    assert np.all((ratio > 2.3) & (ratio < 3.1))


def test_numbers_that_are_known() -> None:
    assert containment_radius("100 MeV") == pytest.approx(5.0, rel=1e-3)
    assert 0.1 <= containment_radius("100 GeV") < 0.11
    assert acceptance("10 GeV") == pytest.approx(2.45e4, rel=0.01)
    assert acceptance("100 MeV") / acceptance("10 GeV") == pytest.approx(0.2, abs=0.01)
    assert resolution("10 GeV") == pytest.approx(0.06, abs=0.005)


def test_a_shape_that_is_none_is_an_error() -> None:
    with pytest.raises(ValueError, match="'moffat', expected king or gauss"):
        lat_like_psf(TRUE, shape="moffat")


def test_dispersion_loses_nothing_and_is_as_wide_as_the_formula() -> None:
    energy = MapAxis.from_energy_bounds("1 MeV", "100 TeV", nbin=1600)
    true = MapAxis.from_energy_bounds("99 MeV", "101 MeV", nbin=1, name="energy_true")
    matrix = lat_like_edisp(true, energy).table[..., 0, 0]
    assert matrix.sum() == pytest.approx(1, abs=1e-12)
    x = np.log(energy.center / true.center[0])
    mean = matrix[0] @ x
    width = np.sqrt(matrix[0] @ x**2 - mean**2)
    # cut at 3.5 widths, which takes 0.3 % off
    assert width == pytest.approx(float(resolution("100 MeV")), rel=0.02)
    assert mean == pytest.approx(0, abs=0.005)


def test_wide_true_bins_are_averaged() -> None:
    energy = MapAxis.from_energy_bounds("100 MeV", "1 GeV", nbin=4)
    wide = MapAxis.from_energy_bounds("50 MeV", "2 GeV", nbin=4, name="energy_true")
    fine = MapAxis.from_energy_edges(
        np.geomspace(*wide.edges[[0, -1]], 401), name="energy_true"
    )
    found = lat_like_edisp(wide, energy).table[..., 0, 0]
    parts = lat_like_edisp(fine, energy).table[..., 0, 0].reshape(4, 100, 4)
    flux = np.diff(-1 / fine.edges).reshape(4, 100)
    mean = np.einsum("tf,tfe->te", flux, parts) / flux.sum(axis=1)[:, None]
    np.testing.assert_allclose(found, mean, atol=2e-3)


def test_exposure_of_the_sky_has_the_mean_of_an_even_survey() -> None:
    geom = HpxGeom.create(nside=16, frame="galactic")
    exposure = np.asarray(lat_like_exposure(geom, TRUE, livetime="1 yr").data)
    year = 365.25 * 86400
    mean = acceptance(TRUE.center) / (4 * np.pi) * 0.76 * year
    np.testing.assert_allclose(exposure.mean(axis=1), mean, rtol=1e-3)
    assert exposure[0].min() / mean[0] == pytest.approx(0.925, abs=1e-3)
    assert exposure[0].max() / mean[0] == pytest.approx(1.15, abs=1e-3)


@pytest.mark.data
def test_it_is_like_the_files_of_the_lat_tools(data_path) -> None:
    psf = FermiPSF.read(data_path("fermi_3fhl/fermi_3fhl_psf_gc.fits.gz"))
    radius = psf.to_psf_map().containment_radius(0.68).to_value("deg")
    ratio = containment_radius(psf.energy) / radius
    below = psf.energy < 1
    assert np.all((ratio[below] > 0.95) & (ratio[below] < 1.3))
    cube = Map.read(data_path("fermi-3fhl-gc/fermi-3fhl-gc-exposure-cube.fits.gz"))
    geom = WcsGeom.create(skydir=(0, 0), frame="galactic", npix=(1, 1), binsz=1)
    # 3FHL has seven years
    ours = lat_like_exposure(geom, cube.geom.axes[0], livetime="7 yr").data[:, 0, 0]
    np.testing.assert_allclose(ours, np.asarray(cube.data)[:, 100, 200], rtol=0.1)
