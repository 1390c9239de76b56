"""Pictures of flux points."""

from __future__ import annotations

import numpy as np
import pytest

from gammajax.data import FluxPoints
from gammajax.datasets import FluxPointsDataset
from gammajax.inference import Fit, Likelihood
from gammajax.models import Models, PowerLawSpectralModel, SkyModel
from gammajax.plots import plot_flux_points, plot_sed

NAN = float("nan")
EDGES = np.geomspace(1, 16, 5)


def points(sed_type: str) -> FluxPoints:
    """Points on a spectrum that falls with the square of the energy, 1e-11 TeV cm-2 s-1."""
    low, high = EDGES[:-1], EDGES[1:]
    value = {
        "dnde": 1e-11 / (low * high),
        "e2dnde": np.full(4, 1e-11),
        "flux": 1e-11 * (1 / low - 1 / high),
        "eflux": 1e-11 * np.log(high / low),
    }[sed_type]
    limit = np.array([NAN, NAN, NAN, 1.0]) * value
    value = np.where(np.isnan(limit), value, NAN)
    return FluxPoints(
        sed_type=sed_type,
        value=value,
        error=0.1 * value,
        limit=limit,
        energy_min=low,
        energy_max=high,
    )


@pytest.mark.parametrize("sed_type", ["dnde", "e2dnde", "flux", "eflux"])
def test_all_quantities_are_drawn_as_one(sed_type: str) -> None:
    ax = plot_flux_points(points(sed_type), unit="TeV cm-2 s-1", label="points")
    line, limit = (container.lines[0] for container in ax.containers)
    np.testing.assert_allclose(line.get_xdata(), np.sqrt(EDGES[:-2] * EDGES[1:-1]))
    np.testing.assert_allclose(line.get_ydata(), 1e-11)
    np.testing.assert_allclose(limit.get_ydata(), 1e-11)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["points"]


def test_a_spectrum_shows_the_points_that_it_was_fitted_to() -> None:
    data = FluxPointsDataset(name="sed", data=points("dnde")).with_energy_range(1.5, 17)
    models = Models(SkyModel(PowerLawSpectralModel(2.2, 2e-11), name="source"))
    result = Fit().run(Likelihood([data], models))
    ax = plot_sed(result)
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert "sed" in labels
    assert points("dnde").plot().get_xscale() == "log"
    # two points in the range, its limit, and one faint point outside of it
    assert len(ax.containers) == 3
