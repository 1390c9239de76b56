"""Pictures of spectral models: what is drawn, in which unit."""

import matplotlib as mpl
import numpy as np
import pytest
from astropy import units as u
from matplotlib import pyplot as plt

from gammajax.models import LogParabolaSpectralModel, PowerLawNormSpectralModel
from gammajax.plots import plot_spectrum, plot_spectrum_error

MODEL = LogParabolaSpectralModel(amplitude=4e-11, reference=1, alpha=2.5, beta=0.1)
COVARIANCE = np.diag([1e-12, 0, 0.05, 0.03]) ** 2
BOUNDS = [0.05, 30] * u.TeV


@pytest.fixture(autouse=True)
def closed_figures():
    before = mpl.get_backend()
    plt.switch_backend("agg")
    yield
    plt.close("all")
    plt.switch_backend(before)


def line(ax):
    (drawn,) = ax.get_lines()
    return drawn.get_data()


def test_the_line_is_the_model():
    ax = MODEL.plot(BOUNDS, label="crab")
    energy, flux = line(ax)
    np.testing.assert_allclose([energy[0], energy[-1]], [0.05, 30])
    np.testing.assert_allclose(flux, MODEL(energy), rtol=1e-12)
    assert ax.get_xlabel() == "Energy [TeV]"
    assert "dN/dE" in ax.get_ylabel()
    assert "TeV^{-1}" in ax.get_ylabel()
    assert ax.get_xscale() == ax.get_yscale() == "log"
    assert ax.get_lines()[0].get_label() == "crab"


def test_an_sed_has_its_unit():
    ax = plot_spectrum(MODEL, (0.05, 30), sed_type="e2dnde", unit="erg cm-2 s-1")
    energy, sed = line(ax)
    expected = (energy**2 * np.asarray(MODEL(energy))) * u.Unit("TeV").to("erg")
    np.testing.assert_allclose(sed, expected, rtol=1e-12)
    assert "erg" in ax.get_ylabel()


def test_energy_powers_are_on_the_axis():
    ax = plot_spectrum(MODEL, (0.05, 30), energy_power=2)
    energy, flux = line(ax)
    np.testing.assert_allclose(flux, energy**2 * np.asarray(MODEL(energy)), rtol=1e-12)
    assert "E^{2}" in ax.get_ylabel()
    assert r"TeV\,cm^{-2}" in ax.get_ylabel()


@pytest.mark.parametrize(
    ("sed_type", "method"), [("flux", "integral"), ("eflux", "energy_flux")]
)
def test_bins_hold_integrals(sed_type, method):
    ax = MODEL.plot(BOUNDS, sed_type=sed_type)
    total = line(ax)[1].sum()
    np.testing.assert_allclose(total, getattr(MODEL, method)(0.05, 30), rtol=1e-10)


@pytest.mark.parametrize("sed_type", ["dnde", "e2dnde", "flux", "eflux"])
def test_the_band_holds_the_line(sed_type):
    ax = MODEL.plot(BOUNDS, sed_type=sed_type)
    assert MODEL.plot_error(BOUNDS, COVARIANCE, ax, sed_type=sed_type) is ax
    energy, value = line(ax)
    (band,) = ax.collections
    corners = band.get_paths()[0].vertices
    for e, v in zip(energy, value, strict=True):
        column = corners[np.isclose(corners[:, 0], e, rtol=1e-9), 1]
        assert column.min() < v < column.max()
        np.testing.assert_allclose(column.min() * column.max(), v**2, rtol=1e-9)


def test_two_sigma_are_twice_as_wide():
    heights = []
    for n_sigma in (1, 2):
        ax = plot_spectrum_error(MODEL, BOUNDS, COVARIANCE, n_sigma=n_sigma)
        corners = ax.collections[0].get_paths()[0].vertices
        column = corners[np.isclose(corners[:, 0], 30), 1]
        heights.append(np.log(column.max() / column.min()))
    np.testing.assert_allclose(heights[1], 2 * heights[0], rtol=1e-9)


def test_norms_have_no_unit():
    ax = PowerLawNormSpectralModel().plot(BOUNDS)
    assert ax.get_ylabel() == "$dN/dE$"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sed_type": "e3dnde"}, "sed_type: got 'e3dnde', expected one of dnde"),
        ({"energy_bounds": (3, 1)}, "got 3 to 1 TeV, expected 0 < min < max"),
        ({"unit": "TeV"}, "unit: got the unit"),
    ],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        plot_spectrum(MODEL, **{"energy_bounds": BOUNDS} | options)
