"""Pictures of temporal models."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from astropy.time import Time

from gammajax.models import ExpDecayTemporalModel
from gammajax.plots import plot_temporal


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.mark.parametrize(
    "times", [(51544.0, 51546.0), Time([51544.0, 51546.0], format="mjd", scale="utc")]
)
def test_the_line_is_the_factor(times):
    model = ExpDecayTemporalModel(t0="1 d", t_ref=51544)
    days, factor = model.plot(times).lines[0].get_data()
    np.testing.assert_allclose(factor, np.exp(-days), rtol=1e-9)
    assert (days[0], days[-1]) == (0, 2)


def test_a_range_that_runs_backwards_is_an_error():
    with pytest.raises(ValueError, match="expected start < stop"):
        plot_temporal(ExpDecayTemporalModel(), (3.0, 2.0))
