"""Absorption by the extragalactic background light."""

import json
from pathlib import Path

import jax
import numpy as np
import pytest
from astropy.table import Table

from gammajax.models import EBLAbsorptionNormSpectralModel, PowerLawSpectralModel
from gammajax.models.spectral.ebl import BUILTIN, cubic

PEER = json.loads((Path(__file__).parents[2] / "peer" / "spectral_models.json").read_text())[
    "ebl"
]
ENERGY = np.array([0.01, 0.1, 1.0, 10.0])
DEPTH = np.array([[0, 0, 0, 0], [0, 0.3, 1.0, 9.0], [0.03, 0.8, 2.5, 25.0]])


def model(**options):
    return EBLAbsorptionNormSpectralModel(ENERGY, [0, 0.2, 0.5], DEPTH, **options)


def test_depth_is_that_of_the_table_at_its_nodes():
    for redshift, row in zip([0, 0.2, 0.5], DEPTH, strict=True):
        np.testing.assert_allclose(
            model(redshift=redshift)(ENERGY), np.exp(-row), rtol=1e-12, atol=0
        )


def test_survival_is_one_at_redshift_zero_and_never_more():
    energy = np.geomspace(1e-4, 1e3, 60)
    np.testing.assert_allclose(model(redshift=0.0)(energy), 1.0)
    for redshift in (1e-9, 1e-3, 0.1, 0.3, 0.9):
        survival = np.asarray(model(redshift=redshift)(energy))
        assert np.all(survival <= 1)
    assert float(model(redshift=1e-9)(10.0)) > 1 - 1e-6


def test_more_redshift_means_less_light():
    steps = [np.asarray(model(redshift=z)(ENERGY[1:])) for z in np.linspace(0, 1, 41)]
    assert np.all(np.diff(steps, axis=0) < 0)


def test_slope_by_redshift_is_continuous():
    def depth(redshift):
        return -jax.numpy.log(model().replace(redshift=redshift).evaluate(1.0))

    slope = jax.jit(jax.vmap(jax.grad(depth)))
    around = np.array([0.2 - 1e-9, 0.2 + 1e-9, 0.5 - 1e-9, 0.5 + 1e-9])
    before, after, end, beyond = np.asarray(slope(around))
    np.testing.assert_allclose(before, after, rtol=1e-6)
    np.testing.assert_allclose(end, beyond, rtol=1e-6)
    assert np.all(np.isfinite(slope(np.array([0.0, 0.2, 0.5]))))


def test_cubic_keeps_a_line_and_does_not_overshoot():
    nodes = np.array([0.0, 1.0, 2.0, 4.0])
    line = np.array([[0.0], [2.0], [4.0], [8.0]])
    for x in (-1.0, 0.3, 1.0, 3.9, 5.0):
        np.testing.assert_allclose(
            cubic(nodes, jax.numpy.asarray(line), x), [2 * x], atol=1e-14
        )
    step = jax.numpy.asarray([[0.0], [0.0], [1.0], [1.0]])
    values = np.array([float(cubic(nodes, step, x)[0]) for x in np.linspace(0, 4, 41)])
    assert values.min() >= 0
    assert values.max() <= 1


def test_alpha_norm_is_a_factor_on_the_depth():
    half = model(redshift=0.2, alpha_norm=0.5)(1.0)
    np.testing.assert_allclose(half, np.exp(-0.5), rtol=1e-12)


def test_survival_tables_get_redshift_zero():
    made = EBLAbsorptionNormSpectralModel.from_survival(
        ENERGY, [0.2, 0.5], np.exp(-DEPTH[1:]), redshift=0.2
    )
    np.testing.assert_allclose(made.param, [0, 0.2, 0.5])
    np.testing.assert_allclose(made.optical_depth, DEPTH, rtol=1e-12)
    np.testing.assert_allclose(made.values, np.exp(-DEPTH), rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: EBLAbsorptionNormSpectralModel(ENERGY, [0.1, 0.2], DEPTH[1:]),
            "starts at 0.1",
        ),
        (lambda: EBLAbsorptionNormSpectralModel(ENERGY, [0, 0.2], DEPTH), "got the shape"),
        (
            lambda: EBLAbsorptionNormSpectralModel(ENERGY[::-1], [0, 0.2, 0.5], DEPTH),
            "ascending",
        ),
        (
            lambda: EBLAbsorptionNormSpectralModel(ENERGY, [0, 0.2, 0.5], DEPTH * np.nan),
            "finite",
        ),
        (
            lambda: EBLAbsorptionNormSpectralModel.from_survival(
                ENERGY, [0, 0.2, 0.5], 2 - DEPTH
            ),
            "shares from 0 to 1",
        ),
        (lambda: EBLAbsorptionNormSpectralModel.read_builtin("gilmore"), "got 'gilmore'"),
    ],
)
def test_bad_tables_are_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_missing_data_folder_is_named(monkeypatch, tmp_path):
    monkeypatch.delenv("GAMMAPY_DATA", raising=False)
    with pytest.raises(ValueError, match="GAMMAPY_DATA is not set"):
        EBLAbsorptionNormSpectralModel.read_builtin()
    monkeypatch.setenv("GAMMAPY_DATA", str(tmp_path))
    with pytest.raises(ValueError, match="there is no file"):
        EBLAbsorptionNormSpectralModel.read_builtin()


def test_a_file_of_another_kind_is_an_error(tmp_path):
    path = tmp_path / "other.fits"
    Table({"x": [1.0]}).write(path)
    with pytest.raises(ValueError, match=r"other.fits: not an XSPEC table model"):
        EBLAbsorptionNormSpectralModel.read(path)


@pytest.mark.data
@pytest.mark.parametrize("name", PEER["survival"])
def test_survival_is_that_of_gammapy(name, data_path, monkeypatch):
    monkeypatch.setenv("GAMMAPY_DATA", str(data_path("ebl").parent))
    energy = np.array(PEER["energy"])
    read = EBLAbsorptionNormSpectralModel.read_builtin(name)
    assert read.filename.endswith(BUILTIN[name])
    for redshift, row in zip(PEER["redshift"], PEER["survival"][name], strict=True):
        depth = -np.log(np.asarray(read.replace(redshift=redshift)(energy)))
        # 0.525 lies between the nodes of some tables, where gammapy takes a line; the
        # redshifts of the nodes are rounded here, and float32 there.
        tolerance = 5e-4 if redshift == 0.525 else 5e-6
        np.testing.assert_allclose(depth, -np.log(row), rtol=tolerance, atol=1e-6)


@pytest.mark.data
def test_an_absorbed_spectrum_integrates_exactly(data_path):
    table = EBLAbsorptionNormSpectralModel.read(data_path("ebl/frd_abs.fits.gz"), redshift=0.3)
    absorbed = PowerLawSpectralModel() * table
    edges = np.geomspace(0.02, 20, 200)
    fine = np.asarray(absorbed.integral(edges[:-1], edges[1:])).sum()
    np.testing.assert_allclose(absorbed.integral(0.02, 20), fine, rtol=1e-10)
