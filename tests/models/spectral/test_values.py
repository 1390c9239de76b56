"""Values against published formulas, written out again, and against gammapy's."""

import json
from pathlib import Path

import numpy as np
import pytest

from gammajax.models import (
    BrokenPowerLawSpectralModel,
    ExpCutoffPowerLawSpectralModel,
    GaussianSpectralModel,
    LogParabola2SpectralModel,
    LogParabolaNormSpectralModel,
    LogParabolaSpectralModel,
    MeyerCrabSpectralModel,
    PiecewiseNormSpectralModel,
    PowerLaw2SpectralModel,
    PowerLawSpectralModel,
    SmoothBrokenPowerLawSpectralModel,
    SuperExpCutoffPowerLaw4FGLDR3SpectralModel,
    SuperExpCutoffPowerLaw4FGLSpectralModel,
    TemplateSpectralModel,
    create_crab_spectral_model,
    spectral_model_class,
)

PEER = json.loads((Path(__file__).parents[2] / "peer" / "spectral_models.json").read_text())
ENERGY = np.array(PEER["energy"])


@pytest.mark.parametrize("row", PEER["cases"], ids=lambda row: row["tag"])
def test_values_are_those_of_gammapy(row):
    model = spectral_model_class(row["tag"])(**row["parameters"])
    # gammapy's expansion of the 4FGL-DR3 form around index_2 = 0 ends at the third order.
    near_zero = row["parameters"].get("index_2", 1) < 1e-3
    np.testing.assert_allclose(model(ENERGY), row["value"], rtol=1e-8 if near_zero else 1e-12)
    if "integral" in row:
        np.testing.assert_allclose(model.integral(0.3, 20), row["integral"], rtol=1e-12)
    if "energy_flux" in row:
        np.testing.assert_allclose(model.energy_flux(0.3, 20), row["energy_flux"], rtol=1e-12)


@pytest.mark.parametrize("interp", ["log", "lin"])
def test_tables_are_those_of_gammapy(interp):
    peer = PEER["tables"]
    model = PiecewiseNormSpectralModel(peer["nodes"], peer["norms"], interp=interp)
    np.testing.assert_allclose(model(ENERGY), peer[f"piecewise-{interp}"], rtol=1e-12)
    template = TemplateSpectralModel(peer["nodes"], peer["fluxes"], interp=interp)
    np.testing.assert_allclose(template(ENERGY), peer[f"template-{interp}"], rtol=1e-12)


@pytest.mark.parametrize("name", PEER["crab"])
def test_crab_spectra_are_those_of_gammapy(name):
    flux = create_crab_spectral_model(name)(ENERGY)
    np.testing.assert_allclose(flux, PEER["crab"][name], rtol=1e-12)


def test_meyer_polynomial_is_the_published_one():
    log = np.log10(3.0)
    power = -10.2708 - 0.53616 * log - 0.179475 * log**2 + 0.0473174 * log**3
    power += -0.00449161 * log**5
    flux = MeyerCrabSpectralModel()("3 TeV") * 9
    np.testing.assert_allclose(flux.to_value("erg TeV-2 cm-2 s-1"), 10**power, rtol=1e-12)


def test_unknown_crab_reference_is_named():
    with pytest.raises(ValueError, match="got 'veritas', expected one of meyer, hegra"):
        create_crab_spectral_model("veritas")


def test_published_formulas():
    e, b = 3.0, 0.7
    model = SuperExpCutoffPowerLaw4FGLSpectralModel(reference=2e-3, expfactor=0.01, index_2=b)
    cut = np.exp(0.01 * (2000.0**b - 3e6**b))
    np.testing.assert_allclose(model.evaluate(e), 1e-12 * (e / 2e-3) ** -1.5 * cut, rtol=1e-12)
    model = SuperExpCutoffPowerLaw4FGLDR3SpectralModel(expfactor=0.2, index_2=b)
    flux = 1e-12 * e ** (-1.5 + 0.2 / b) * np.exp(0.2 / b**2 * (1 - e**b))
    np.testing.assert_allclose(model.evaluate(e), flux, rtol=1e-12)
    model = SmoothBrokenPowerLawSpectralModel(index1=1.5, index2=3, ebreak=2, beta=0.5)
    flux = 1e-12 * e**-1.5 * (1 + (e / 2) ** 3.0) ** -0.5
    np.testing.assert_allclose(model.evaluate(e), flux, rtol=1e-12)
    model = LogParabola2SpectralModel(reference=2, escale=0.5)
    flux = 1e-12 * (e / 2) ** (-2 - np.log(e / 0.5))
    np.testing.assert_allclose(model.evaluate(e), flux, rtol=1e-12)


class TestLimits:
    def test_power_law_at_index_1_and_2(self):
        model = PowerLawSpectralModel(index=1.0)
        np.testing.assert_allclose(model.integral(1, 10), 1e-12 * np.log(10), rtol=1e-14)
        model = PowerLawSpectralModel(index=2.0)
        np.testing.assert_allclose(model.energy_flux(1, 10), 1e-12 * np.log(10), rtol=1e-14)

    @pytest.mark.parametrize("index", [1.0, 1 + 1e-12, 1 + 1e-6])
    def test_power_law_2_at_index_1(self, index):
        model = PowerLaw2SpectralModel(index=index, emin=1, emax=10)
        np.testing.assert_allclose(model(2.0), 1e-12 / (2 * np.log(10)), rtol=1e-5)
        np.testing.assert_allclose(model.integral(1, 10), 1e-12, rtol=1e-14)

    def test_smooth_broken_power_law_without_a_break(self):
        model = SmoothBrokenPowerLawSpectralModel(beta=0.5)
        np.testing.assert_allclose(model(3.0), 1e-12 / 9 * 2**-0.5, rtol=1e-12)

    def test_smooth_break_becomes_sharp(self):
        options = {"index1": 1.5, "index2": 3.0, "amplitude": 1e-12}
        smooth = SmoothBrokenPowerLawSpectralModel(**options, beta=1e-4)
        sharp = BrokenPowerLawSpectralModel(**options)
        low, high = np.array([0.01, 0.9]), np.array([10, 1.1])
        np.testing.assert_allclose(
            smooth.integral(low, high), sharp.integral(low, high), rtol=1e-4
        )

    def test_no_cutoff_and_no_curvature_are_power_laws(self):
        energy = np.array([0.1, 1, 10])
        expected = PowerLawSpectralModel(index=1.5)(energy)
        cutoff = ExpCutoffPowerLawSpectralModel(lambda_=0.0)
        np.testing.assert_allclose(cutoff(energy), expected, rtol=1e-14)
        parabola = LogParabolaSpectralModel(reference=1, alpha=1.5, beta=0.0)
        np.testing.assert_allclose(parabola(energy), expected, rtol=1e-14)

    def test_4fgl_dr3_at_index_2_zero_is_a_log_parabola(self):
        energy = np.array([0.01, 1, 100])
        model = SuperExpCutoffPowerLaw4FGLDR3SpectralModel(expfactor=0.2, index_2=0.0)
        parabola = LogParabolaSpectralModel(reference=1, alpha=1.5, beta=0.1)
        np.testing.assert_allclose(model(energy), parabola(energy), rtol=1e-12)

    def test_gaussian_far_from_its_line(self):
        from scipy.stats import norm

        model = GaussianSpectralModel(mean=1.0, sigma=0.1)
        np.testing.assert_allclose(model.integral(2, 5), 1e-12 * norm.sf(10), rtol=1e-9)
        np.testing.assert_allclose(
            model.integral(0.01, 5), 1e-12 * (norm.cdf(40) - norm.cdf(-9.9)), rtol=1e-12
        )


@pytest.mark.parametrize(
    ("cls", "options"),
    [
        (LogParabolaSpectralModel, {"reference": 1.0}),
        (LogParabola2SpectralModel, {"reference": 1.0}),
        (LogParabolaNormSpectralModel, {"reference": 1.0}),
    ],
)
def test_curvature_of_a_base_10_logarithm(cls, options):
    model = cls.from_log10(beta=0.24, alpha=2.0, **options)
    norm = model(1.0)
    np.testing.assert_allclose(model(10.0), norm * 10.0 ** (-2.0 - 0.24), rtol=1e-12)


@pytest.mark.parametrize(
    "model",
    [
        LogParabolaSpectralModel(reference=1, alpha=2.3, beta=0.2),
        LogParabola2SpectralModel(reference=2, alpha=2.3, beta=0.2, escale=0.5),
        ExpCutoffPowerLawSpectralModel(index=1.5, lambda_=0.2, alpha=0.8),
    ],
)
def test_sed_peaks_where_the_index_is_2(model):
    np.testing.assert_allclose(model.spectral_index(model.e_peak), 2.0, rtol=1e-12)


def test_an_sed_without_a_peak_has_a_nan():
    assert np.isnan(LogParabolaSpectralModel(beta=0).e_peak)
    assert np.isnan(ExpCutoffPowerLawSpectralModel(index=2.5).e_peak)
