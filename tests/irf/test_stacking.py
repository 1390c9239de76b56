"""Mean responses: the formula, and what cannot be averaged."""

from __future__ import annotations

import numpy as np
import pytest

from gammajax.irf import Background3D, EffectiveAreaTable2D, GridAxis, stack_irfs


def test_mean_of_tables(make, rng) -> None:
    edisp = make("EnergyDispersion2D")
    other = type(edisp)(edisp.axes, rng.random(edisp.shape))
    mean = stack_irfs([edisp, other], weights=[1.0, 3.0])
    np.testing.assert_allclose(mean.values, (edisp.values + 3 * other.values) / 4)
    np.testing.assert_allclose(stack_irfs([edisp, edisp]).values, edisp.values)
    # a weight for each energy and offset, and nothing at all at the first energy
    weights = rng.random((2, edisp.shape[0], 1, edisp.shape[2]))
    weights[:, 0] = 0
    mean = stack_irfs([edisp, other], weights)
    total = weights.sum(axis=0)[1:]
    expected = (weights[0] * edisp.values + weights[1] * other.values)[1:] / total
    np.testing.assert_allclose(mean.values[1:], expected)
    np.testing.assert_array_equal(mean.values[0], 0)


def test_rates_add_as_their_livetimes(make) -> None:
    bkg = make("Background3D")
    double = Background3D(bkg.axes, 2 * bkg.values, fov_alignment="ALTAZ")
    mean = stack_irfs([bkg, double], weights=[2.0, 1.0])
    assert mean.fov_alignment == "ALTAZ"
    np.testing.assert_allclose(mean.values, bkg.values * 4 / 3)


def test_what_is_not_alike_is_named(make) -> None:
    area = make("EffectiveAreaTable2D")
    energy, offset = area.axes
    wide = GridAxis(offset.edges_min, offset.edges_max * 2, "offset", "deg")
    with pytest.raises(ValueError, match=r"table 1 has GridAxis.offset: 3 nodes, 0 to 6 deg"):
        stack_irfs([area, EffectiveAreaTable2D((energy, wide), area.values)])
    point = EffectiveAreaTable2D(area.axes, area.values, point_like=True)
    with pytest.raises(ValueError, match=r"table 1 has .point_like, fov_alignment. .True"):
        stack_irfs([area, point])
    with pytest.raises(ValueError, match="table 1 is a RadMax2D"):
        stack_irfs([area, make("RadMax2D")])
    with pytest.raises(ValueError, match="mean is no response; stack the tables of to_psf3d"):
        stack_irfs([make("PSFKing")])
    with pytest.raises(ValueError, match="nothing to stack"):
        stack_irfs([])
    with pytest.raises(ValueError, match="got 1 weights for 2 tables"):
        stack_irfs([area, area], [1.0])
    with pytest.raises(ValueError, match="weight 1 is negative"):
        stack_irfs([area, area], [1.0, -1.0])
