"""Responses by formulas: the tables are the formulas, and gammapy reads what is written."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from gammajax.irf import (
    Background2D,
    Background3D,
    EffectiveAreaTable2D,
    EnergyDependentMultiGaussPSF,
    EnergyDispersion2D,
    PSFKing,
    formula_irfs,
    read_irf,
    write_irfs,
)

PEER = Path(__file__).parents[1] / "peer" / "data" / "irfs.json"


@pytest.fixture(scope="module", params=["king", "gauss"])
def irfs(request):
    return formula_irfs(psf=request.param, resolution=0.2, bias=0.05)


def test_tables_are_the_formulas(irfs) -> None:
    field = np.exp(-(1.0**2) / 8)
    area = irfs["aeff"].evaluate(energy_true=2.0, offset=1.0).to_value("cm2")
    np.testing.assert_allclose(area, 2.3e9 * 2**0.45 / (1 + 0.15**4) * field, rtol=5e-3)
    rate = irfs["bkg"].evaluate(energy=2.0, fov_lon=0.6, fov_lat=0.8).value
    np.testing.assert_allclose(rate, 0.1 * 2**-2.7 * field, rtol=5e-3)
    mean, spread = np.exp(0.05 + 0.02), np.exp(0.07) * np.sqrt(np.expm1(0.04))
    np.testing.assert_allclose(irfs["edisp"].bias(2.0, 1.0), mean - 1, atol=2e-3)
    np.testing.assert_allclose(irfs["edisp"].resolution(2.0, 1.0), spread, rtol=5e-3)


def test_psf_has_the_radius_of_its_formula(irfs) -> None:
    width = 0.06 * 2**-0.2 * np.sqrt(1.25)
    radius = irfs["psf"].containment_radius(fraction=0.68, energy_true=2.0, offset=1.0).value
    king = np.sqrt(4 * (1 / 0.32 - 1))
    factor = king if type(irfs["psf"]).__name__ == "PSFKing" else np.sqrt(-2 * np.log(0.32))
    np.testing.assert_allclose(radius, factor * width, rtol=2e-3)
    irfs["psf"].check_normalisation()


def test_one_file_holds_all(irfs, tmp_path) -> None:
    write_irfs(irfs, tmp_path / "irfs.fits")
    for name, irf in irfs.items():
        back = read_irf(tmp_path / "irfs.fits", name)
        np.testing.assert_allclose(back.values, irf.values, rtol=1e-13)


def test_every_class_has_its_formula(irfs) -> None:
    options = {"energy_edges": [0.1, 1.0, 10.0], "offset_max": 2.0}
    for name, kind, extra in (
        ("edisp", EnergyDispersion2D, {"resolution": 0.1}),
        ("psf", PSFKing, {"psf_width": 0.1}),
        ("psf", EnergyDependentMultiGaussPSF, {"psf_width": 0.1}),
        ("bkg", Background3D, {"background": 2.0}),
    ):
        made = kind.from_parametrization(**options, **extra)
        psf = "gauss" if kind is EnergyDependentMultiGaussPSF else "king"
        expected = formula_irfs(psf=psf, **options, **extra)[name]
        assert type(made) is kind
        np.testing.assert_array_equal(made.values, expected.values)
    flat = Background2D.from_parametrization(**options)
    at = flat.evaluate(energy=0.5, offset=1.0).value
    np.testing.assert_allclose(at, 0.1 * 0.5**-2.7 * np.exp(-1 / 8), rtol=0.02)
    area = EffectiveAreaTable2D.from_parametrization("CTAO", [0.1, 1.0])
    again = EffectiveAreaTable2D.from_parametrization("CTA", [0.1, 1.0])
    np.testing.assert_array_equal(area.values, again.values)


def test_psf_is_checked() -> None:
    with pytest.raises(ValueError, match="psf is 'moffat'"):
        formula_irfs(psf="moffat")


@pytest.mark.parametrize("kind", ["king", "gauss"])
def test_gammapy_read_the_same_from_our_file(kind) -> None:
    """Frozen by ``tests/peer/freeze_irfs.py``."""
    frozen = json.loads(PEER.read_text())[kind]
    irfs = formula_irfs(psf=kind)
    units = {"aeff": "m2", "edisp": "", "bkg": "s-1 TeV-1 sr-1", "psf": "sr-1"}
    for name, unit in units.items():
        part = frozen[name]
        found = irfs[name].evaluate(**part["coords"]).to_value(unit)
        np.testing.assert_allclose(found, part["values"], rtol=2e-6, err_msg=name)
