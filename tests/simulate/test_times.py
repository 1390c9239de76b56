"""Times drawn from temporal models within good time intervals."""

from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from gammajax.data import GTI, TimeReference
from gammajax.models import (
    ExpDecayTemporalModel,
    GaussianTemporalModel,
    LightCurveTemplateTemporalModel,
    LinearTemporalModel,
    PowerLawTemporalModel,
    SineTemporalModel,
    TemplatePhaseCurveTemporalModel,
)
from gammajax.simulate.times import DAY, Times

REFERENCE = TimeReference(55000.0, 0.25, "tt")
UTC_START = float(REFERENCE.time(0.0).utc.mjd)
GAPS = GTI([0.0, 1000.0, 1500.0], [600.0, 1400.0, 3000.0], REFERENCE)
MINUTE = 60 / DAY

MODELS = {
    "decay": ExpDecayTemporalModel(t0=10 * MINUTE, t_ref=UTC_START),
    "flare": GaussianTemporalModel(t_ref=UTC_START + 20 * MINUTE, sigma=0.05 * MINUTE),
    "sine": SineTemporalModel(amp=0.9, omega=2 * np.pi / (7 * MINUTE), t_ref=UTC_START),
    "rise": PowerLawTemporalModel(alpha=2.0, t_ref=UTC_START, t0=MINUTE),
    "curve": LightCurveTemplateTemporalModel(
        np.array([0, 12, 30]) * MINUTE, [1, 5, 2], t_ref=UTC_START
    ),
    "pulsar": TemplatePhaseCurveTemporalModel(
        [0, 0.3, 0.4, 1], [0.1, 4, 0.1, 0.1], t_ref=UTC_START, f0=7.0
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_times_follow_the_integral_of_the_model(name):
    model = MODELS[name]
    times = Times.of(model, GAPS, "source")
    assert times.total == pytest.approx(2500 * model.mean_over(GAPS), rel=1e-6)
    drawn = times.draw(np.random.default_rng(1), 20_000)
    assert GAPS.contains(drawn).all()
    # the integral of the model up to each of some times
    edges = np.unique(np.concatenate([np.linspace(0, 3000, 301), GAPS.start, GAPS.stop]))
    if name == "flare":
        edges = np.unique(np.append(edges, 1200 + 3 * np.linspace(-6, 6, 121)))
    parts = [
        part.time_sum.to_value("s") * model.mean_over(part) if len(part) else 0.0
        for part in (GAPS.select(low, high) for low, high in pairwise(edges))
    ]
    below = np.append(0, np.cumsum(parts)) / np.sum(parts)
    assert stats.kstest(drawn, lambda t: np.interp(t, edges, below)).pvalue > 1e-3


def test_the_phases_of_a_pulsar_come_back():
    model = MODELS["pulsar"]
    drawn = Times.of(model, GAPS, "source").draw(np.random.default_rng(2), 20_000)
    days = (REFERENCE.time(drawn).utc - REFERENCE.time(0.0).utc).to_value("d")
    phase = 7.0 * days * DAY % 1.0
    fine = np.linspace(0, 1, 1001)
    norms = np.interp(fine, model.phase, model.norm)
    below = np.append(0, np.cumsum((norms[1:] + norms[:-1]) / 2))
    assert stats.kstest(phase, lambda x: np.interp(x, fine, below / below[-1])).pvalue > 1e-3


def test_without_a_model_times_are_even():
    times = Times.of(None, GAPS, "source")
    drawn = times.draw(np.random.default_rng(3), 5000)
    assert times.total == 2500
    lived = np.interp(drawn, [0, 600, 1000, 1400, 1500, 3000], [0, 600, 600, 1000, 1000, 2500])
    assert stats.kstest(lived / 2500, "uniform").pvalue > 1e-3


def test_a_factor_below_0_is_an_error_that_names_the_source():
    falling = LinearTemporalModel(alpha=1, beta=-60.0, t_ref=UTC_START)
    with pytest.raises(
        ValueError, match=r"component 'crab': its temporal model .* not below 0"
    ):
        Times.of(falling, GAPS, "crab")
