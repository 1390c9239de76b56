"""Draws from densities, against the densities."""

import numpy as np
import pytest
from scipy import stats

from gammajax.simulate.laws import Grid, Laws, Line, pick, shares


def test_a_line_is_drawn_as_it_is():
    line = Line(np.array([0.0, 1.0, 3.0, 4.0]), np.array([0.0, 2.0, 1.0, 0.0]))
    x = line.draw(np.random.default_rng(1), 20_000)
    assert line.parts.sum() == pytest.approx(4.5)

    def below(at):
        fine = np.linspace(0, 4, 4001)
        density = np.interp(fine, line.nodes, line.density)
        parts = np.append(0, np.cumsum((density[1:] + density[:-1]) / 2) * 1e-3)
        return np.interp(at, fine, parts / parts[-1])

    assert stats.kstest(x, below).pvalue > 1e-3


def test_cells_without_weight_are_never_drawn():
    cells = pick(np.random.default_rng(0), shares(np.array([0.0, 1.0, 0.0, 2.0, 0.0])), 1000)
    assert set(cells) == {1, 3}
    assert np.mean(cells == 3) == pytest.approx(2 / 3, abs=0.06)


def test_between_nodes_laws_mix_by_distance_and_by_what_they_hold():
    grid = Grid(np.array([0.0, 1.0]), np.array([0.0, 2.0]))
    # node (0, 0) fills the first bin, node (0, 1) the second and is twice as heavy
    weights = np.zeros((2, 2, 3))
    weights[0, 0], weights[0, 1], weights[1] = [1, 0, 0], [0, 2, 0], [0, 0, 1]
    laws = Laws(grid, np.array([0.0, 1.0, 2.0, 3.0]), weights)
    rng = np.random.default_rng(2)
    value, there = laws.draw(rng, np.zeros(30_000), np.full(30_000, 1.0))
    assert there.all()
    assert np.mean(value < 1) == pytest.approx(1 / 3, abs=0.01)
    assert np.all(value < 2)
    assert stats.kstest(value[value < 1], "uniform").pvalue > 1e-3
    value, _ = laws.draw(rng, np.full(30_000, 0.25), np.full(30_000, 0.0))
    assert np.mean(value > 2) == pytest.approx(0.25, abs=0.01)


def test_a_law_of_the_square_is_even_over_a_disk_and_an_empty_one_is_told():
    grid = Grid(np.array([0.0, 1.0, 2.0]), np.array([0.5]))
    weights = np.array([[[1.0, 3.0]], [[1.0, 3.0]], [[0.0, 0.0]]])
    laws = Laws(grid, np.array([0.0, 1.0, 2.0]), weights, power=2)
    value, there = laws.draw(np.random.default_rng(3), np.full(5000, 0.5), 0.5)
    assert there.all()
    assert stats.kstest(value**2 / 4, "uniform").pvalue > 1e-3
    _, there = laws.draw(np.random.default_rng(3), np.full(10, 2.0), 0.5)
    assert not there.any()
