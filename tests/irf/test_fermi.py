"""Point spread functions of Fermi-LAT: numbers, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from gammajax.fits import table, write_tables
from gammajax.irf import FermiPSF


def write(path, **changed) -> None:
    """A Gaussian of 0.1 deg at two energies."""
    theta = np.linspace(0, 1, 401)
    density = np.exp(-(theta**2) / 0.02) / (2 * np.pi * np.deg2rad(0.1) ** 2)
    columns = {
        "Energy": np.array([1e4, 1e5]),
        "Exposure": np.array([1e11, 2e11]),
        "Psf": np.stack([density, density]),
        "Theta": theta,
        **changed,
    }
    spectrum = {
        name: (f"{columns[name][0].size}D", None, columns[name]) for name in columns
        if name != "Theta"
    }  # fmt: skip
    hdus = [table("PSF", spectrum), table("THETA", {"Theta": ("D", None, columns["Theta"])})]
    write_tables({path: hdus}, overwrite=True)


def test_numbers_get_the_units_of_the_format(tmp_path) -> None:
    write(tmp_path / "psf.fits")
    psf = FermiPSF.read(tmp_path / "psf.fits")
    np.testing.assert_allclose(psf.energy, [0.01, 0.1])
    assert psf.quantity("exposure")[1].to_value("m2 s") == 2e7
    assert str(psf.quantity("psf").unit) == "1 / sr"
    np.testing.assert_allclose(psf.containment(0.1), 1 - np.exp(-0.5), rtol=1e-3)
    np.testing.assert_allclose(psf.containment(5.0), 1, rtol=1e-3)
    assert repr(psf) == "FermiPSF(2 energies from 0.01 to 0.1 TeV, 401 distances up to 1 deg)"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"Energy": np.array([1e5, 1e4])}, "energy has to increase"),
        ({"Theta": np.linspace(0, 1, 7)}, r"psf and exposure have the shapes \(\(2, 401\)"),
        ({"Exposure": np.array([np.nan, 1.0])}, "FermiPSF: exposure: the value at .* is nan"),
        ({"Psf": np.full((2, 401), -1.0)}, "FermiPSF: psf: the value at .* is -1"),
    ],
)
def test_broken_files_are_named(tmp_path, changed, message) -> None:
    write(tmp_path / "psf.fits", **changed)
    with pytest.raises(ValueError, match=rf"psf\.fits\[PSF\]: .*{message}"):
        FermiPSF.read(tmp_path / "psf.fits")


@pytest.mark.data
def test_psf_of_the_galactic_centre(data_path) -> None:
    """The numbers of gammapy 2.1, which takes the density as constant in bins of distance."""
    psf = FermiPSF.read(data_path("fermi-3fhl-gc/fermi-3fhl-gc-psf-cube.fits.gz"))
    assert psf.psf.shape == (11, 300)
    np.testing.assert_allclose(psf.exposure[0], 3.23131028e11, rtol=1e-8)
    expected = [0.50427584, 0.58702003, 0.63898714, 0.66382452, 0.67869069]
    np.testing.assert_allclose(psf.containment(0.1)[:5], expected, rtol=5e-3)
    np.testing.assert_allclose(psf.containment(10.0), 1, atol=5e-3)
    assert len(FermiPSF.read(data_path("fermi_3fhl/fermi_3fhl_psf_gc.fits.gz")).energy) == 17
