"""Model files that gammapy wrote (see ``tests/peer/freeze_models_yaml.py``)."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from gammajax.models import Models
from gammajax.models.registry import SPECTRAL_MODELS, spectral_model_class
from gammajax.parameters import WeightedPrior, get_values, slots
from gammajax.units import conversion_factor

PEER = Path(__file__).parents[1] / "peer" / "data"
FROZEN = json.loads((PEER / "models_spectral.json").read_text())
DEFAULTS = json.loads((PEER / "model_defaults.json").read_text())

NOT_HERE = {"NaimaSpectralModel"}
"""Spectral models of gammapy that its own model files cannot hold either."""


@pytest.fixture(scope="module")
def models():
    return Models.read(PEER / "models_spectral.yaml")


def expected_rows(models):
    """The peer's rows by name, with what turns their numbers into the canonical unit."""
    for row in FROZEN["parameters"]:
        here = models.parameters[row["name"]]
        yield row, here, conversion_factor(row["unit"], here.unit, where=row["name"])


def test_values_errors_bounds_and_frozen_flags_are_the_peers(models):
    assert models.parameters.names == tuple(row["name"] for row in FROZEN["parameters"])
    for row, here, factor in expected_rows(models):
        for key in ("value", "error"):
            assert getattr(here, key) == pytest.approx(factor * row[key], rel=1e-12), row[
                "name"
            ]
        for key, none in (("min", -math.inf), ("max", math.inf)):
            bound = none if row[key] is None else factor * row[key]
            assert getattr(here, key) == pytest.approx(bound, rel=1e-12), row["name"]
        assert here.frozen is row["frozen"], row["name"]


def test_full_output_of_the_peer_is_the_same(models):
    full = Models.read(PEER / "models_spectral_full.yaml")
    assert full.parameters.names == models.parameters.names
    for row, other in zip(models.parameters, full.parameters, strict=True):
        assert row.value == other.value
        assert (row.error, row.min, row.max) == (other.error, other.min, other.max)
        assert (row.frozen, row.link, repr(row.prior)) == (
            other.frozen,
            other.link,
            repr(other.prior),
        )


def test_priors_have_the_peers_statistic_up_to_the_unit(models):
    checked = 0
    for row, here, factor in expected_rows(models):
        if row["prior"] is None or here.link is not None:
            continue
        weight = here.prior.weight if isinstance(here.prior, WeightedPrior) else 1.0
        stat = float(here.prior.stat(here.value)) + 2 * weight * math.log(1 / factor)
        assert stat == pytest.approx(row["prior"], rel=1e-9), row["name"]
        checked += 1
    assert checked == 4


def test_a_shared_label_is_one_parameter_with_one_prior(models):
    row = models.parameters["other.spectral.alpha"]
    assert row.link.to == "crab.spectral.alpha"
    assert row.prior is None
    moved = models.set("crab.spectral.alpha", value=2.9)
    assert moved.parameters["other.spectral.alpha"].value == 2.9


def test_covariance_is_the_peers_in_canonical_units(models):
    factors = np.array([factor for _, _, factor in expected_rows(models)])
    expected = np.array(FROZEN["covariance"]) * np.outer(factors, factors)
    scale = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
    np.testing.assert_allclose(models.covariance / scale, expected / scale, atol=1e-10)


def test_spectra_are_the_peers(models):
    energy = np.array(FROZEN["energy"])
    for name, dnde in FROZEN["dnde"].items():
        if name == "absorbed":
            continue
        model = models[name].spectral_model
        np.testing.assert_allclose(np.asarray(model.evaluate(energy)), dnde, rtol=1e-6)


def test_the_absorbed_spectrum_is_the_peers_at_a_node_of_the_table(models):
    # between the nodes in redshift and energy the two interpolate differently
    spectrum = models["absorbed"].spectral_model
    dnde = np.asarray(spectrum.evaluate(np.array([0.5, 5.0])))
    plain = 1e-11 * np.array([0.5, 5.0]) ** -2.1
    np.testing.assert_allclose(dnde / plain, np.array([0.9, 0.2]) ** 1.1, rtol=1e-6)


def test_a_template_over_parameters_is_the_peers():
    models = Models.read(PEER / "template_nd.yaml")
    assert models.parameters.names == ("nd.spectral.steep", "nd.spectral.cut")
    expected = FROZEN["template_nd"]
    found = models["nd"].spectral_model.evaluate(np.array(expected["energy"]))
    np.testing.assert_allclose(np.asarray(found), np.ravel(expected["dnde"]), rtol=1e-6)
    row = models.parameters["nd.spectral.cut"]
    assert (row.min, row.max) == pytest.approx((1.0, 100.0))
    models = models.set("nd.spectral.cut", min=-math.inf)
    again = Models.from_yaml(models.to_yaml())
    assert again.parameters == models.parameters


def test_names_of_datasets_and_responses_are_read(models):
    assert models["crab"].datasets_names == ("hess", "magic")
    assert models["other"].datasets_names is None
    assert not models["other"].irf_applies("psf")
    assert models["other"].irf_applies("edisp")


@pytest.mark.parametrize(
    "name", sorted(name for name in DEFAULTS if "Spectral" in name and name not in NOT_HERE)
)
def test_defaults_are_the_peers(name):
    *parameters, tags = DEFAULTS[name]
    cls = spectral_model_class(name)
    assert {spectral_model_class(tag) for tag in tags["tags"]} == {cls}
    specs = cls.parameter_specs()
    for expected in parameters:
        spec = specs[expected["name"]]
        factor = conversion_factor(expected["unit"], spec.unit, where=name)
        assert float(spec.default) == pytest.approx(factor * expected["value"], rel=1e-12)
        assert spec.frozen is expected["frozen"]
        assert math.isinf(spec.min) is not expected["bounded"]
        assert math.isinf(spec.max) is not expected["bounded"]


def test_parameters_come_in_the_peers_order():
    for cls in SPECTRAL_MODELS:
        expected = [item["name"] for item in DEFAULTS.get(cls.__name__, []) if "name" in item]
        if expected and cls.__name__ != "ScaleSpectralModel" and "EBL" not in cls.__name__:
            assert [slot.name for slot in slots(cls())] == expected
            assert len(get_values(cls())) == len(expected)
