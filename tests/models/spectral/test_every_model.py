"""What holds for every spectral model."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from astropy import units as u
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from gammajax.models import SPECTRAL_MODELS
from gammajax.models.spectral.evaluation import call
from gammajax.models.spectral.quadrature import nodes_for
from gammajax.parameters import get_values, slots, with_values

ENERGY = np.array([0.005, 0.04, 0.5, 1.7, 6.0, 30.0])
LOW = np.array([1e-3, 2e-2, 0.5, 3.0])
HIGH = np.array([1e2, 10.0, 0.55, 30.0])

HESSIANS = (
    "pl",
    "pl-2",
    "bpl",
    "sbpl",
    "ecpl",
    "secpl-4fgl-dr3",
    "lp",
    "gauss",
    "piecewise-norm",
    "ebl-norm",
)
"""One of each way to integrate: second derivatives take long to compile."""


def test_every_class_has_a_sample(samples):
    assert {type(model) for model in samples.values()} == set(SPECTRAL_MODELS)


def reference(model, low, high, power):
    """The integral by adaptive quadrature in ln E, between the breaks."""
    value = jax.jit(lambda energy: model.evaluate(energy))
    breaks = model.breaks()
    inner = [] if breaks is None else [e for e in np.sort(breaks) if low < e < high]
    cuts = np.log([low, *inner, high])
    cuts = np.unique(np.concatenate([cuts, np.linspace(cuts[0], cuts[-1], 5)]))

    def integrand(log):
        energy = np.exp(log)
        return float(value(energy)) * energy ** (power + 1)

    pairs = itertools.pairwise(cuts)
    return sum(quad(integrand, a, b, epsabs=0, epsrel=1e-11)[0] for a, b in pairs)


def test_integral_is_that_of_quad(model):
    found = call(model, "evaluate_integral", LOW, HIGH)
    expected = [reference(model, *edges, 0) for edges in zip(LOW, HIGH, strict=True)]
    np.testing.assert_allclose(found, expected, rtol=1e-8)


def test_energy_flux_is_that_of_quad(model):
    found = call(model, "evaluate_energy_flux", LOW, HIGH)
    expected = [reference(model, *edges, 1) for edges in zip(LOW, HIGH, strict=True)]
    np.testing.assert_allclose(found, expected, rtol=1e-8)


@pytest.mark.parametrize("ratio", [1.25, 2.0])
def test_few_nodes_are_enough_for_narrow_bins(model, ratio):
    low = np.geomspace(0.002, 50, 40)
    few = model.evaluate_integral(low, low * ratio, nodes=nodes_for(ratio))
    many = model.evaluate_integral(low, low * ratio)
    # Far above a cutoff the local index grows past all bounds.
    promised = (model.spectral_index(low) > -5) & (model.spectral_index(low * ratio) < 7)
    assert promised.sum() > 10
    np.testing.assert_allclose(few[promised], many[promised], rtol=1e-8)


def outputs(model, values):
    moved = with_values(model, values)
    parts = [
        moved.evaluate(ENERGY),
        moved.evaluate_integral(LOW, HIGH),
        moved.evaluate_energy_flux(LOW, HIGH),
    ]
    return jnp.concatenate(parts)


run = jax.jit(outputs)
slopes = jax.jit(jax.jacfwd(outputs, argnums=1))


def test_gradients_are_those_of_finite_differences(parametric):
    model, values = parametric, get_values(parametric)
    exact = np.asarray(slopes(model, values))
    size = np.abs(np.asarray(run(model, values)))
    for i, value in enumerate(values):
        step = 1e-4 * (abs(value) or 1.0)
        ahead = [
            np.asarray(run(model, values + k * step * np.eye(len(values))[i]))
            for k in (-2, -1, 1, 2)
        ]
        estimate = (ahead[0] - 8 * ahead[1] + 8 * ahead[2] - ahead[3]) / (12 * step)
        # The differences themselves are only good to some digits of the value.
        noise = 1e-11 * size / step
        assert np.all(np.abs(estimate - exact[:, i]) <= 1e-6 * np.abs(exact[:, i]) + noise)


@pytest.mark.parametrize("name", HESSIANS)
def test_hessians_are_those_of_finite_differences(samples, name):
    model = samples[name]

    def total(values):
        moved = with_values(model, values)
        return jnp.sum(moved.evaluate_integral(LOW, 1.2 * LOW, nodes=6) * LOW)

    values = get_values(model)
    gradient, hessian = jax.jit(jax.grad(total)), jax.jit(jax.hessian(total))
    steps = np.diag(1e-4 * np.abs(values))
    estimate = np.array(
        [(gradient(values + s) - gradient(values - s)) / s.sum() / 2 for s in steps]
    )
    # In relative parameters, so that one number says what is rounding.
    scale = np.abs(np.outer(values, values))
    exact, estimate = np.asarray(hessian(values)) * scale, estimate * scale
    np.testing.assert_allclose(estimate, exact, rtol=1e-4, atol=1e-7 * np.abs(exact).max())


def test_jit_equals_eager(model):
    with jax.disable_jit():
        eager = model.evaluate(ENERGY)
    np.testing.assert_allclose(call(model, "evaluate", ENERGY), eager, rtol=1e-12)


def test_vmap_equals_loop(parametric):
    values = get_values(parametric) * np.array([[1.0], [1.02], [1.05]])

    def integrals(row):
        return with_values(parametric, row).evaluate_integral(LOW, HIGH)

    batch = jax.jit(jax.vmap(integrals))(values)
    loop = [
        call(with_values(parametric, row), "evaluate_integral", LOW, HIGH) for row in values
    ]
    np.testing.assert_allclose(batch, np.asarray(loop), rtol=1e-12)


@given(edges=st.lists(st.floats(1e-3, 1e2), min_size=3, max_size=3, unique=True))
@settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_integrals_add_up_and_energy_flux_is_bracketed(model, edges):
    low, middle, high = sorted(edges)
    start, stop = np.array([low, low, middle, low]), np.array([high, middle, high, high])
    whole, *parts, _ = call(model, "evaluate_integral", start, stop)
    assert whole >= 0
    assert np.isclose(whole, parts[0] + parts[1], rtol=1e-8, atol=0)
    energy_flux = call(model, "evaluate_energy_flux", start, stop)[0]
    assert low * whole * (1 - 1e-8) <= energy_flux <= high * whole * (1 + 1e-8)


def test_quantities_go_in_and_come_out(model):
    energy, low, high = ENERGY * 1e3 * u.GeV, LOW * 1e6 * u.MeV, HIGH * u.TeV
    flux = model(energy)
    assert flux.unit == u.Unit(model.unit)
    np.testing.assert_allclose(flux.value, model(ENERGY), rtol=1e-11)
    integral = model.integral(low, high)
    assert integral.unit == u.Unit(model.unit) * u.TeV
    np.testing.assert_allclose(integral.value, model.integral(LOW, HIGH), rtol=1e-11)
    energy_flux = model.energy_flux(low, high)
    assert energy_flux.unit == u.Unit(model.unit) * u.TeV**2
    np.testing.assert_allclose(energy_flux.value, model.energy_flux(LOW, HIGH), rtol=1e-11)


def test_spectral_index_is_the_logarithmic_slope(model):
    step = 1e-5
    ahead, behind = model(ENERGY * np.exp(step)), model(ENERGY * np.exp(-step))
    slope = (np.log(np.asarray(ahead)) - np.log(np.asarray(behind))) / (2 * step)
    np.testing.assert_allclose(model.spectral_index(ENERGY), -slope, rtol=1e-6, atol=1e-8)


def test_energies_in_other_units_are_errors(model):
    with pytest.raises(ValueError, match="energy: got the unit 's'"):
        model(1 * u.s)
    with pytest.raises(ValueError, match="energy_max"):
        model.integral("1 TeV", "3 cm")
    with pytest.raises(ValueError, match="expected 0 < energy_min <= energy_max"):
        model.energy_flux(2 * u.TeV, 1 * u.TeV)


def test_parameters_take_their_units_and_no_others(model):
    specs = type(model).parameter_specs()
    for name, spec in specs.items():
        value = getattr(model, name) * u.Unit(spec.unit)
        same = model.replace(**{name: value.decompose()})
        np.testing.assert_allclose(get_values(same), get_values(model), rtol=1e-14)
        wrong = value * u.kg
        with pytest.raises(ValueError, match=f"{spec.where}: got the unit"):
            model.replace(**{name: wrong})


def test_names_are_those_of_the_slots(model):
    assert model.parameter_names == tuple(slot.name for slot in slots(model))
    assert all(spec.description for spec in type(model).parameter_specs().values())
    assert type(model).tags[0] == type(model).__name__
