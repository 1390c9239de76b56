"""Fitted fluxes against those of a catalogue."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from astropy.table import Table

from gammajax.plots import plot_catalog_fluxes


@pytest.fixture
def table():
    table = Table(
        {
            "catalog_flux": [1e-10, 2e-10, 4e-10],
            "catalog_flux_err": [1e-11, 2e-11, 0.0],
            "flux": [1.2e-10, 1.8e-10, 0.0],
            "flux_err": [1e-11, 2e-11, 0.0],
            "sqrt_ts": [12.0, np.nan, 0.0],
            "change": [1.4, -0.7, np.nan],
        }
    )
    table.meta["energy"] = "0.01 to 1 TeV"
    return table


def test_sources_with_a_flux_are_drawn_and_the_others_counted(table) -> None:
    left, right = plot_catalog_fluxes(table)
    points = np.concatenate([c.get_offsets() for c in left.collections if len(c.get_offsets())])
    assert [1e-10, 1.2e-10] in points.tolist()
    assert [2e-10, 1.8e-10] in points.tolist()
    assert left.get_xscale() == left.get_yscale() == "log"
    assert "1 sources with no flux" in left.texts[0].get_text()
    assert left.get_title() == "0.01 to 1 TeV"
    heights = [patch.get_height() for patch in right.patches]
    assert sum(heights) == 2
    assert "median +0.35" in right.get_title()
    plt.close("all")


def test_it_draws_on_axes_that_are_given(table) -> None:
    figure, axes = plt.subplots(1, 2)
    assert tuple(plot_catalog_fluxes(table, axes)) == tuple(axes)
    plt.close(figure)
