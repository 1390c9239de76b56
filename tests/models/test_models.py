"""The container of components: it never changes, it gives a new one."""

from __future__ import annotations

import math
from typing import Any

import astropy.units as u
import numpy as np
import pytest

from gammajax.models import LogParabolaSpectralModel, Models, PowerLawSpectralModel, SkyModel
from gammajax.parameters import GaussianPrior


@pytest.fixture
def models() -> Models:
    crab = SkyModel(LogParabolaSpectralModel(amplitude=3e-11, reference=1.0), name="crab")
    vela = SkyModel(PowerLawSpectralModel(index=2.5), name="vela")
    return Models([crab, vela])


def test_names_and_order(models: Models) -> None:
    assert models.names == ("crab", "vela")
    assert models.parameters.names == (
        "crab.spectral.amplitude",
        "crab.spectral.reference",
        "crab.spectral.alpha",
        "crab.spectral.beta",
        "vela.spectral.index",
        "vela.spectral.amplitude",
        "vela.spectral.reference",
    )
    assert len(models) == 2
    assert models[1] is models["vela"]
    assert [component.name for component in models] == ["crab", "vela"]


def test_set_moves_table_and_component(models: Models) -> None:
    moved = models.set("vela.spectral.index", 2.7, min=1, max=4, error=0.1)
    row = moved.parameters["vela.spectral.index"]
    assert (row.value, row.min, row.max, row.error) == (2.7, 1, 4, 0.1)
    assert float(moved["vela"].spectral_model.index) == 2.7
    assert float(models["vela"].spectral_model.index) == 2.5


@pytest.mark.parametrize(
    "value", [2e-7 * u.Unit("m-2 s-1 TeV-1"), "2e-11 cm-2 s-1 TeV-1", "2e-14 cm-2 s-1 GeV-1"]
)
def test_set_converts_units(models: Models, value: Any) -> None:
    moved = models.set("vela.spectral.amplitude", value)
    assert moved.parameters["vela.spectral.amplitude"].value == pytest.approx(2e-11, rel=1e-12)


def test_set_refuses_a_wrong_unit(models: Models) -> None:
    message = r"vela\.spectral\.index value: got the unit 'TeV'"
    with pytest.raises(ValueError, match=message):
        models.set("vela.spectral.index", "2 TeV")


def test_misspelt_name(models: Models) -> None:
    with pytest.raises(ValueError, match=r"did you mean vela\.spectral\.index"):
        models.set("vela.spectral.indx", 2)
    with pytest.raises(ValueError, match="no component 'crap'; there are: crab, vela"):
        models["crap"]


def test_bounds_can_be_removed(models: Models) -> None:
    bounded = models.set("*.amplitude", min=0)
    assert (
        bounded.set("*.amplitude", min=-math.inf).parameters["crab*amplitude"].min == -math.inf
    )


def test_freeze_and_thaw_globs(models: Models) -> None:
    frozen = models.freeze("crab.*")
    assert frozen.parameters.free_names == ("vela.spectral.index", "vela.spectral.amplitude")
    assert "crab.spectral.alpha" in frozen.thaw("*.alpha").parameters.free_names
    assert models.freeze().parameters.free_names == ()


def test_link_equal(models: Models) -> None:
    linked = models.link("vela.spectral.index", "crab.spectral.alpha")
    assert linked.parameters["vela.spectral.index"].value == 2.0
    assert float(linked["vela"].spectral_model.index) == 2.0
    assert "vela.spectral.index" not in linked.parameters.free_names
    moved = linked.set("crab.spectral.alpha", 2.2)
    assert float(moved["vela"].spectral_model.index) == 2.2


def test_link_affine(models: Models) -> None:
    linked = models.link("vela.spectral.index", "crab.spectral.alpha", factor=2, offset=-1)
    assert linked.parameters["vela.spectral.index"].value == 3.0


def test_link_by_glob_leaves_the_target(models: Models) -> None:
    linked = models.link("*.amplitude", "crab.spectral.amplitude", factor=0.5)
    assert linked.parameters["crab.spectral.amplitude"].link is None
    assert linked.parameters["vela.spectral.amplitude"].value == pytest.approx(1.5e-11)


def test_link_between_other_units_is_refused(models: Models) -> None:
    message = r"vela\.spectral\.index linked to crab\.spectral\.amplitude: .* does not convert"
    with pytest.raises(ValueError, match=message):
        models.link("vela.spectral.index", "crab.spectral.amplitude")


def test_link_to_nothing_and_in_a_circle(models: Models) -> None:
    with pytest.raises(ValueError, match=r"no parameter matches 'crab\.spectral\.gamma'"):
        models.link("vela.spectral.index", "crab.spectral.gamma")
    linked = models.link("vela.spectral.index", "crab.spectral.alpha")
    with pytest.raises(ValueError, match="circle"):
        linked.link("crab.spectral.alpha", "vela.spectral.index")


def test_unlink_keeps_the_value(models: Models) -> None:
    free = models.link("vela*index", "crab*alpha").unlink("vela*index")
    row = free.parameters["vela.spectral.index"]
    assert (row.value, row.link, row.free) == (2.0, None, True)


def test_priors_come_and_go(models: Models) -> None:
    prior = GaussianPrior(mu=2.5, sigma=0.1)
    with_prior = models.set("vela*index", prior=prior)
    assert with_prior.parameters["vela.spectral.index"].prior is prior
    assert with_prior.remove_prior("vela*index").parameters["vela*index"].prior is None


def test_values_errors_and_covariance(models: Models) -> None:
    size = len(models.parameters)
    values = np.arange(1.0, size + 1)
    root = np.tril(np.arange(size**2, dtype=float).reshape(size, size))
    covariance = root @ root.T
    moved = models.with_values(values, covariance)
    assert [row.value for row in moved.parameters] == values.tolist()
    np.testing.assert_allclose(
        [row.error for row in moved.parameters], np.sqrt(np.diag(covariance))
    )
    assert float(moved["crab"].spectral_model.beta) == 4.0
    np.testing.assert_array_equal(moved.covariance_of("vela.*"), covariance[4:, 4:])
    np.testing.assert_array_equal(
        moved.covariance_of("*.amplitude"), covariance[np.ix_([0, 5], [0, 5])]
    )


def test_covariance_survives_freezing_and_is_asked_for_by_name(models: Models) -> None:
    size = len(models.parameters)
    fitted = models.with_values(np.ones(size), np.eye(size))
    np.testing.assert_array_equal(fitted.freeze("*.index").covariance, np.eye(size))
    with pytest.raises(ValueError, match="these models have no covariance"):
        models.covariance_of("*")


def test_adding_components(models: Models) -> None:
    third = SkyModel(PowerLawSpectralModel(), name="third")
    both = models.freeze("crab.*") + third
    assert both.names == ("crab", "vela", "third")
    assert both.parameters["crab.spectral.alpha"].frozen
    assert (models + Models([third])).names == both.names


def test_components_of_other_models_keep_their_rows(models: Models) -> None:
    """As users join lists: what was frozen, bounded or linked stays so."""
    first, second = models.names
    name = f"{first}.spectral.alpha"
    given = models.freeze(f"{first}.*").set(name, 2.2, error=0.1, min=1, max=3)
    given = given.link(f"{second}.spectral.index", to=name)
    new = SkyModel(PowerLawSpectralModel(), name="new")
    joined = Models([*given, new])
    assert joined.parameters.rows[: len(given.parameters)] == given.parameters.rows
    assert not joined.parameters["new.spectral.index"].frozen

    alone = Models([given[second]]).parameters[f"{second}.spectral.index"]
    assert alone.link is None, "what it followed is not here"
    assert alone.value == 2.2
    # a component that was changed is another one
    other = Models([given[first].replace(name="other")])
    assert other.parameters["other.spectral.alpha"].free
    # models do not change under those who hold their components
    held = given[first]
    given.thaw("*")
    assert Models([held]).parameters[name].frozen


def test_names_have_to_differ(models: Models) -> None:
    with pytest.raises(ValueError, match="two components are called 'crab'"):
        models + models["crab"]


def test_one_component_is_enough() -> None:
    assert Models(SkyModel(PowerLawSpectralModel(), name="one")).names == ("one",)


def test_shown_as_text_and_html(models: Models) -> None:
    assert "crab (LogParabolaSpectralModel)" in repr(models)
    assert "vela.spectral.index" in models._repr_html_()


class TestSkyModel:
    """A component."""

    def test_wants_a_spectrum(self) -> None:
        with pytest.raises(ValueError, match="SkyModel 'x': spectral_model is a float"):
            SkyModel(1.0, name="x")

    def test_datasets_names(self) -> None:
        model = SkyModel(PowerLawSpectralModel(), name="x", datasets_names=["a", "b"])
        assert model.folds_into("a")
        assert not model.folds_into("c")
        assert SkyModel(PowerLawSpectralModel(), datasets_names="a").datasets_names == ("a",)
        assert SkyModel(PowerLawSpectralModel()).folds_into("anything")

    def test_apply_irf(self) -> None:
        model = SkyModel(PowerLawSpectralModel(), apply_irf={"edisp": False, "psf": True})
        assert not model.irf_applies("edisp")
        assert model.irf_applies("psf")
        assert model.irf_applies("exposure")
        with pytest.raises(ValueError, match="unknown part aeff; expected exposure"):
            SkyModel(PowerLawSpectralModel(), apply_irf={"aeff": False})
