"""Model files: our own round trips."""

import math

import jax
import numpy as np
import numpyro.distributions as dist
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gammajax.models import (
    EBLAbsorptionNormSpectralModel,
    FoVBackgroundModel,
    LogParabolaSpectralModel,
    Models,
    PiecewiseNormSpectralModel,
    PowerLawSpectralModel,
    SkyModel,
    TemplateSpectralModel,
)
from gammajax.models.registry import SPECTRAL_MODELS
from gammajax.parameters import (
    GaussianPrior,
    GeneralizedGaussianPrior,
    LogNormalPrior,
    LogUniformPrior,
    NumpyroPrior,
    UniformPrior,
    WeightedPrior,
)

EBL = EBLAbsorptionNormSpectralModel(
    [0.1, 1, 10], [0, 0.5], np.array([[0, 0, 0], [0.1, 1.0, 10.0]]), redshift=0.5
)


def pair(**options):
    crab = SkyModel(PowerLawSpectralModel(index=2.3, amplitude=3e-11), name="crab", **options)
    return Models([crab, SkyModel(LogParabolaSpectralModel(), name="vela", **options)])


def same(one, other):
    """Whether two models agree in everything that a file holds."""
    assert one.names == other.names
    assert repr(one.parameters) == repr(other.parameters)
    for row, back in zip(one.parameters, other.parameters, strict=True):
        assert row == back or repr(row.prior) == repr(back.prior)
        assert (row.value, row.error, row.min, row.max) == (
            back.value,
            back.error,
            back.min,
            back.max,
        )
        assert (row.frozen, row.link) == (back.frozen, back.link)
    for component, back in zip(one, other, strict=True):
        assert component.datasets_names == back.datasets_names
        assert component.apply_irf == back.apply_irf
        same_leaves(component.spectral_model, back.spectral_model)
    return True


def same_leaves(one, other):
    """The same structure with the same numbers; tables may have been through a logarithm."""
    assert jax.tree_util.tree_structure(one) == jax.tree_util.tree_structure(other)
    leaves = (jax.tree_util.tree_leaves(model) for model in (one, other))
    for leaf, back in zip(*leaves, strict=True):
        np.testing.assert_allclose(back, leaf, rtol=1e-13, atol=1e-15)


def every_spectrum():
    for cls in SPECTRAL_MODELS:
        name = cls.__name__
        if name == "TemplateSpectralModel":
            yield TemplateSpectralModel([1, 2, 10.0], [1e-11, 1e-12, 2e-13])
        elif name == "PiecewiseNormSpectralModel":
            yield PowerLawSpectralModel() * PiecewiseNormSpectralModel([1, 9], norms=[1, 2])
        elif name == "EBLAbsorptionNormSpectralModel":
            yield PowerLawSpectralModel() * EBL
        elif name == "ScaleSpectralModel":
            yield 2 * LogParabolaSpectralModel()
        elif name == "CompoundSpectralModel":
            yield PowerLawSpectralModel() + LogParabolaSpectralModel() * EBL
        elif name != "TemplateNDSpectralModel":
            model = cls()
            yield PowerLawSpectralModel() * model if model.is_norm else model


@pytest.mark.parametrize("spectrum", list(every_spectrum()), ids=lambda s: type(s).__name__)
@pytest.mark.parametrize("full_output", [False, True])
def test_every_spectral_model_comes_back(spectrum, full_output):
    models = Models(SkyModel(spectrum, name="x"))
    back = Models.from_yaml(models.to_yaml(full_output=full_output))
    same_leaves(spectrum, back["x"].spectral_model)
    assert back.parameters == models.parameters


@pytest.mark.parametrize(
    "prior",
    [
        GaussianPrior(2.0, 0.1),
        GeneralizedGaussianPrior(2.0, 0.1, 0.3),
        UniformPrior(1.0, 4.0),
        LogUniformPrior(1e-3, 10.0),
        LogNormalPrior(0.5, 0.2),
        NumpyroPrior(dist.Gamma(4.0, 2.0)),
        NumpyroPrior(dist.StudentT(5.0, 2.0, 0.1)),
        WeightedPrior(GaussianPrior(2.0, 0.1), 3.0),
    ],
    ids=lambda prior: type(prior).__name__,
)
def test_every_prior_comes_back(prior):
    models = pair().set("crab.spectral.index", prior=prior)
    back = Models.from_yaml(models.to_yaml()).parameters["crab.spectral.index"].prior
    assert type(back) is type(prior)
    for value in (1.1, 2.0, 2.7):
        assert float(back.stat(value)) == pytest.approx(float(prior.stat(value)), rel=1e-12)


def test_a_prior_that_is_no_name_and_numbers_cannot_be_written():
    prior = NumpyroPrior(dist.TruncatedNormal(2.0, 0.1, low=0.0))
    with pytest.raises(ValueError, match=r"crab\.spectral\.index: a NumpyroPrior of .* form"):
        pair().set("crab.spectral.index", prior=prior).to_yaml()


def test_links_come_back_as_they_were():
    models = pair(datasets_names=["on", "110380", "it's: #1"], apply_irf={"psf": False})
    models = models.link("vela.spectral.reference", "crab.spectral.reference")
    models = models.link("crab.spectral.amplitude", "vela.spectral.amplitude", factor=3.0)
    models = models.link("vela.spectral.beta", "vela.spectral.alpha", factor=0.1, offset=-0.05)
    models = models.freeze("vela.spectral.beta")
    assert same(models, Models.from_yaml(models.to_yaml()))


def test_a_reader_without_our_links_sees_frozen_parameters_with_the_right_value():
    models = pair().link("vela.spectral.alpha", "crab.spectral.index", offset=0.5)
    text = models.to_yaml()
    plain = Models.from_yaml(text[: text.index("links:")] + text[text.index("metadata:") :])
    row = plain.parameters["vela.spectral.alpha"]
    assert (row.value, row.frozen, row.link) == (2.8, True, None)


def test_bounds_that_a_file_takes_away_are_none():
    text = pair().set("crab.spectral.index", min=1, max=4).to_yaml()
    row = Models.from_yaml(text.replace("min: 1.0", "min: .nan")).parameters[0]
    assert (row.min, row.max) == (-math.inf, 4.0)


def test_numbers_follow_their_units():
    text = """
components:
- name: x
  type: SkyModel
  spectral:
    type: pl
    parameters:
    - name: amplitude
      value: 2e-8
      unit: m-2 s-1 TeV-1
      error: 1e-9
      min: 1e-9
      max: .nan
      prior: {type: GaussianPrior, parameters: [{name: mu, value: 2e-8}, {name: sigma, value:
        3e-12, unit: cm-2 s-1 GeV-1}]}
    - {name: reference, value: 500, unit: GeV, frozen: no}
"""
    models = Models.from_yaml(text)
    row = models.parameters["x.spectral.amplitude"]
    assert (row.value, row.error, row.min, row.max) == pytest.approx(
        (2e-12, 1e-13, 1e-13, math.inf), rel=1e-12
    )
    assert float(row.prior.mu) == pytest.approx(2e-12, rel=1e-12)
    assert float(row.prior.sigma) == pytest.approx(3e-9, rel=1e-12)
    reference = models.parameters["x.spectral.reference"]
    assert (reference.value, reference.frozen) == (0.5, False)
    assert models.parameters["x.spectral.index"].value == 2.0


def test_a_covariance_may_know_a_name_that_the_models_lost(tmp_path):
    """gammapy writes backgrounds without their names, but the table has them."""
    models = Models(
        [SkyModel(PowerLawSpectralModel(), name="x"), FoVBackgroundModel(datasets_names="d")]
    )
    models = models.with_table(models.parameters, np.diag(np.arange(1.0, 7.0)))
    models.write(tmp_path / "m.yaml")
    text = (tmp_path / "m.yaml").read_text().replace("- name: d-bkg\n  type:", "- type:")
    assert "d-bkg" not in text
    (tmp_path / "m.yaml").write_text(text)
    table = (tmp_path / "m_covariance.dat").read_text()
    (tmp_path / "m_covariance.dat").write_text(table.replace("d-bkg", "other"))
    back = Models.read(tmp_path / "m.yaml")
    np.testing.assert_array_equal(np.diag(back.covariance), np.arange(1.0, 7.0))
    (tmp_path / "m_covariance.dat").write_text(table.replace("x.", "y."))
    with pytest.raises(ValueError, match=r"has a row 'y\.spectral\.index', which is no param"):
        Models.read(tmp_path / "m.yaml")


def test_the_covariance_comes_back_to_the_last_digit(tmp_path):
    models = pair()
    size = len(models.parameters)
    root = np.random.default_rng(2).normal(size=(size, size)) * 1e-11
    values = [row.value for row in models.parameters]
    models = models.with_values(values, root @ root.T)
    models.write(tmp_path / "fit.yaml")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "fit.yaml",
        "fit_covariance.dat",
    ]
    back = Models.read(tmp_path / "fit.yaml")
    np.testing.assert_array_equal(back.covariance, models.covariance)
    assert same(models, back)
    models.write(tmp_path / "plain.yaml", write_covariance=False)
    assert Models.read(tmp_path / "plain.yaml").covariance is None


def test_files_are_not_replaced_unless_asked(tmp_path):
    pair().write(tmp_path / "m.yaml")
    before = (tmp_path / "m.yaml").read_text()
    with pytest.raises(ValueError, match=r"m\.yaml: exists already; .* overwrite=True"):
        pair().freeze().write(tmp_path / "m.yaml")
    assert (tmp_path / "m.yaml").read_text() == before
    pair().freeze().write(tmp_path / "m.yaml", overwrite=True)
    assert Models.read(tmp_path / "m.yaml").parameters.free_names == ()


def test_a_failed_write_leaves_nothing(tmp_path):
    models = pair().set("*index", prior=NumpyroPrior(dist.TruncatedNormal(2.0, 0.1, low=0.0)))
    with pytest.raises(ValueError, match="no form in model files"):
        models.write(tmp_path / "m.yaml")
    assert list(tmp_path.iterdir()) == []


names = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1
).filter(lambda name: name.strip() == name and "." not in name)


@settings(max_examples=60, deadline=None)
@given(
    name=names,
    datasets=st.none() | st.lists(names, max_size=3),
    value=st.floats(-1e6, 1e6),
    width=st.none() | st.floats(0, 1e9),
    error=st.floats(0, 1e300),
    amplitude=st.floats(1e-30, 1e-2),
    frozen=st.booleans(),
)
def test_any_numbers_and_names_come_back(
    name, datasets, value, width, error, amplitude, frozen
):
    spectrum = PowerLawSpectralModel(index=value, amplitude=amplitude)
    models = Models(SkyModel(spectrum, name=name, datasets_names=datasets))
    low, high = (-math.inf, math.inf) if width is None else (value - width, value + width)
    index = models.parameters.names[0]
    table = models.parameters.change(
        index,
        lambda row: {"error": error, "min": low, "max": high, "frozen": frozen},
    )
    models = models.with_table(table)
    assert same(models, Models.from_yaml(models.to_yaml()))
