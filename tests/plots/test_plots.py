"""Plots show the numbers they are given, with labels that fit on the figure."""

from types import SimpleNamespace

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest

from gammajax import plots
from gammajax.inference import Fit, Likelihood
from gammajax.models import LogParabolaSpectralModel, Models, SkyModel
from gammajax.plots.counts import count_sums, poisson_errors, sum_counts
from gammajax.plots.labels import (
    exponent,
    label_energies,
    label_with_power,
    parameter_label,
    short_names,
    unit_text,
)
from gammajax.plots.style import TRUTH as TRUTH_COLOUR
from gammajax.plots.style import save
from gammajax.simulate import simulate_on_off

matplotlib.use("Agg")

TRUTH = Models(
    SkyModel(
        LogParabolaSpectralModel(amplitude=3.8e-11, reference=1.0, alpha=2.5, beta=0.1),
        name="crab",
    )
)


@pytest.fixture(scope="module")
def result():
    datasets = simulate_on_off(TRUTH, n_observations=2, seed=3)
    ranged = [dataset.with_energy_range(0.5, 20) for dataset in datasets]
    return Fit().run(Likelihood(ranged, TRUTH))


@pytest.fixture(scope="module")
def posterior(result):
    rng = np.random.default_rng(0)
    draws = rng.multivariate_normal(result.theta, result.covariance, size=(4, 250))
    return SimpleNamespace(
        names=result.names,
        units=tuple(result.parameters[name].unit for name in result.names),
        samples=draws,
        flat=draws.reshape(-1, 3),
        theta=draws.reshape(-1, 3),
        r_hat=np.full(3, 1.001),
        ess=np.full(3, 900.0),
        n_divergent=2,
        likelihood=result.likelihood,
    )


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def texts_inside(figure):
    """Whether labels, titles and legends lie on the canvas."""
    figure.canvas.draw()
    width, height = figure.bbox.size
    for ax in figure.axes:
        texts = [ax.xaxis.label, ax.yaxis.label, ax.title]
        texts += ax.get_legend().get_texts() if ax.get_legend() else []
        for text in texts:
            box = text.get_window_extent()
            inside = box.x0 > -1 and box.x1 < width + 1 and box.y0 > -1 and box.y1 < height + 1
            yield text.get_text(), not text.get_text() or inside


def test_counts_of_a_group_are_sums_over_the_masks(result):
    (sums,) = count_sums(list(result.likelihood.datasets), result.models)
    masked = [np.where(d.mask, d.counts, 0) for d in result.likelihood.datasets]
    np.testing.assert_array_equal(sums.counts, np.sum(masked, axis=0))
    predicted = result.likelihood.predict(result.theta)
    np.testing.assert_allclose(
        sums.signal[sums.used], sum(np.asarray(p) for p in predicted.values()), rtol=1e-12
    )
    assert sums.label == "sim (2 datasets)"
    assert np.abs(sums.residual[sums.used]).max() < 5
    assert np.isnan(sums.residual[~sums.used]).all()


def test_residuals_of_one_dataset_are_its_statistic(result):
    dataset = result.likelihood.datasets[0]
    sums = sum_counts([dataset], result.models)
    stat = dataset.stat_array(result.models)[dataset.mask]
    np.testing.assert_allclose(sums.residual[dataset.mask] ** 2, stat, atol=1e-9)
    excess = dataset.counts - sums.signal - sums.background
    np.testing.assert_array_equal(
        np.sign(sums.residual[dataset.mask]), np.sign(excess[dataset.mask])
    )


def test_poisson_errors_are_those_of_garwood():
    low, high = poisson_errors(np.array([0.0, 1.0, 10.0]))
    np.testing.assert_allclose(low, [0, 0.8272, 3.1087], atol=2e-4)
    np.testing.assert_allclose(high, [1.8410, 2.2995, 4.2669], atol=2e-4)


def test_datasets_of_different_instruments_stay_apart(result):
    first, second = result.likelihood.datasets
    other = second.replace(name="other-1")
    assert [sums.label for sums in count_sums([first, other], None)] == ["sim-1", "other-1"]


def test_plot_spectrum_dataset(result):
    dataset = result.likelihood.datasets[0]
    main, residual = plots.plot_spectrum_dataset(dataset, result.models)
    assert main.get_ylabel() == "Counts per bin"
    assert residual.get_xlabel() == "Energy [TeV]"
    assert all(inside for _, inside in texts_inside(main.figure))
    labels = main.get_legend_handles_labels()[1]
    assert {"counts", "background", "source", "counts, not fitted"} <= set(labels)
    alone = plots.plot_spectrum_dataset(dataset)
    assert alone.get_xlabel() == "Energy [TeV]"


def test_plot_fit_draws_the_observed_counts(result, tmp_path):
    main, residual = plots.plot_fit(result)
    (sums,) = count_sums(list(result.likelihood.datasets), result.models)
    drawn = main.containers[0].lines[0].get_ydata()
    np.testing.assert_array_equal(drawn, sums.counts[sums.used])
    assert f"{result.stat:.2f}" in main.get_title()
    save((main, residual), tmp_path / "fit.png")
    assert (tmp_path / "fit.png").read_bytes().startswith(b"\x89PNG")
    assert plt.get_fignums() == []


def test_plots_take_axes(result):
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    main, residual = plots.plot_fit(result, ax=left)
    assert main.figure is residual.figure is figure
    assert plots.plot_correlation(result, ax=right) is right


def test_plot_sed_shows_the_model_in_the_unit_asked_for(result):
    ax = plots.plot_sed(result, truth=TRUTH, unit="TeV cm-2 s-1")
    energy, flux = ax.lines[0].get_data()
    spectrum = result.models["crab"].spectral_model
    np.testing.assert_allclose(flux, energy**2 * np.asarray(spectrum.evaluate(energy)))
    assert energy[0] == pytest.approx(result.likelihood.datasets[0].info_dict()["energy_min"])
    assert ax.get_ylabel().startswith("$E^2")
    erg = plots.plot_sed(result).lines[0].get_ydata()
    np.testing.assert_allclose(erg / flux, 1.602176634, rtol=1e-9)


def test_plot_sed_bands_agree_with_the_covariance_and_the_samples(result, posterior):
    ax = plots.plot_sed(result, posterior=posterior)
    low, high = (ax.lines[i].get_ydata() for i in (1, 2))
    width_fit = np.log(high / low)
    band = ax.collections[0].get_paths()[0].vertices
    at_first = band[np.isclose(band[:, 0], ax.lines[0].get_xdata()[100], rtol=1e-6)][:, 1]
    width_draws = np.log(at_first.max() / at_first.min())
    assert width_draws == pytest.approx(width_fit[100], rel=0.15)


def test_plot_sed_residuals_and_its_errors(result):
    main, lower = plots.plot_sed(result, residuals=True)
    assert lower.get_xlabel() == "Energy [TeV]"
    assert all(inside for _, inside in texts_inside(main.figure))
    with pytest.raises(ValueError, match="residuals need a fit"):
        plots.plot_sed(TRUTH, residuals=True)
    with pytest.raises(ValueError, match="no component 'vela'"):
        plots.plot_sed(TRUTH, "vela")
    two = TRUTH + SkyModel(TRUTH["crab"].spectral_model, name="b")
    with pytest.raises(ValueError, match="name one of crab, b"):
        plots.plot_sed(two)


def test_plot_corner_and_trace(posterior, result):
    axes = plots.plot_corner(
        posterior, truths=dict(zip(result.names, result.theta, strict=True))
    )
    assert axes.shape == (3, 3)
    assert r"10^{-11}" in axes[2, 0].get_xlabel()
    trace = plots.plot_trace(posterior)
    assert trace.shape == (3, 2)
    assert "R-hat 1.0010" in trace[0, 0].get_title()
    assert any("2 divergent" in text.get_text() for text in trace[0, 0].texts)


def test_plot_correlation_writes_the_numbers(result):
    ax = plots.plot_correlation(result)
    shown = np.array([float(text.get_text()) for text in ax.texts]).reshape(3, 3)
    np.testing.assert_allclose(shown, result.correlation, atol=0.0051)


def test_plot_profile_and_contours(result):
    name = result.names[1]
    error = result.errors[1]
    values = result.theta[1] + error * np.linspace(-3, 3, 13)
    profile = SimpleNamespace(
        name=name,
        unit="",
        values=values,
        delta=np.linspace(-3, 3, 13) ** 2,
        converged=np.ones(13, bool),
    )
    ax = plots.plot_profile(profile, result)
    np.testing.assert_allclose(ax.lines[0].get_ydata(), ax.lines[2].get_ydata(), atol=1e-9)
    angle = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    contour = SimpleNamespace(
        x_name=result.names[0],
        y_name=name,
        sigma=1.0,
        x=result.theta[0] + result.errors[0] * np.cos(angle),
        y=result.theta[1] + error * np.sin(angle),
    )
    ax = plots.plot_contours([contour], result, truth=(3.8e-11, 2.5))
    assert ax.lines[0].get_xdata()[0] == ax.lines[0].get_xdata()[-1]
    assert r"10^{-11}" in ax.get_xlabel()
    other = SimpleNamespace(**{**vars(contour), "y_name": result.names[2]})
    with pytest.raises(ValueError, match="axes of their own"):
        plots.plot_contours([contour, other], result)


def test_labels():
    assert short_names(["crab.spectral.index"]) == ["index"]
    assert short_names(["g0.9.spectral.index", "b.spatial.lon_0"]) == ["g0.9 index", "b lon_0"]
    assert short_names(["a.spectral.index", "b.spectral.norm"]) == ["a index", "b norm"]
    assert exponent([3e-11, 1e-12]) == -11
    assert exponent([2.5]) == 0
    assert exponent([]) == 0
    assert unit_text("") == ""
    assert parameter_label("amplitude", "TeV", -3) == r"amplitude [$10^{-3}$ $\mathrm{TeV}$]"


def test_axes_of_energy_have_plain_numbers():
    ax = plt.figure().add_subplot()
    ax.plot([0.3, 20], [1, 1])
    label_energies(ax)
    ax.set_xlim(0.3, 20)
    ax.figure.canvas.draw()
    shown = [tick.label1.get_text() for tick in ax.xaxis.get_major_ticks()]
    between = {tick.label1.get_text() for tick in ax.xaxis.get_minor_ticks()}
    assert {"1", "10"} <= set(shown)
    assert {"0.5", "2", "5", "20"} <= between
    assert "3" not in between
    ax.set_xlim(0.01, 100)
    ax.figure.canvas.draw()
    assert {tick.label1.get_text() for tick in ax.xaxis.get_minor_ticks()} == {""}


def test_a_power_of_ten_stands_with_the_unit():
    ax = plt.figure().add_subplot()
    ax.plot([0, 1], [2e-11, 5e-11])
    label_with_power(ax, "Flux", "cm-2 s-1", [2e-11, 5e-11])
    ax.figure.canvas.draw()
    assert "10^{-11}" in ax.get_ylabel()
    assert "4" in [label.get_text() for label in ax.get_yticklabels()]


def test_a_spread_that_is_tiny_beside_the_value_is_readable():
    """Ticks have few digits, and the title has the whole value."""
    rng = np.random.default_rng(0)
    draws = np.stack([rng.normal(329.718, 7e-4, (2, 500)), rng.normal(2, 0.1, (2, 500))], -1)
    posterior = SimpleNamespace(
        names=["a.spatial.lon_0", "a.spectral.index"], units=["deg", ""], samples=draws
    )
    axes = plots.plot_corner(posterior, truths={"a.spatial.lon_0": 329.718})
    assert axes[1, 0].get_xlabel() == "lon_0 - 329.72\n[$10^{-3}$ $\\mathrm{deg}$]"
    assert axes[0, 0].get_title().startswith("$329.71")
    [mark] = [line for line in axes[0, 0].lines if line.get_color() == TRUTH_COLOUR]
    np.testing.assert_allclose(mark.get_xdata(), -2.0, atol=1e-6)
    assert axes[1, 1].get_xlabel() == "index"
