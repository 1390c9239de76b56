"""Numbers of nodes of pixels, and splines that are read at one node."""

from __future__ import annotations

import numpy as np
import pytest

from gammajax.datasets import MapDataset
from gammajax.fold import nodes
from gammajax.fold.nodes import ONE_OF_MEAN, node_orders, sides_of
from gammajax.fold.pixels import pixels_of
from gammajax.fold.radial import RadialGrid
from gammajax.irf.psf_map import PSFMap
from gammajax.maps import HpxGeom, Map, MapAxis, WcsGeom
from gammajax.models import Models, PointSpatialModel, PowerLawSpectralModel, SkyModel

SIZE = np.deg2rad(0.1)


def king(width: float = 1.5, gamma: float = 2.0) -> tuple[RadialGrid, np.ndarray]:
    """A spread with long tails; its width is in pixels."""
    grid = RadialGrid.create(0.2 * width * SIZE, 150 * SIZE).with_means(SIZE)
    theta = np.asarray(grid.theta)
    values = (1 + (theta / (width * SIZE)) ** 2) ** -gamma
    return grid, values


def over_pixel(distance: float, angle: float, sides: tuple[float, float]) -> float:
    """The mean of the spread over a pixel, in a plane, with nothing of the package."""
    x, share = np.polynomial.legendre.leggauss(40)
    dx = distance * np.cos(angle) + sides[0] * x[:, None] / 2
    dy = distance * np.sin(angle) + sides[1] * x / 2
    return float(share @ (1 + (dx**2 + dy**2) / 1.5**2) ** -2.0 @ share / 4)


@pytest.mark.parametrize("distance", [5.0, 9.3, 31.0])
def test_the_mean_of_a_pixel_is_read_at_its_middle(distance: float) -> None:
    grid, values = king()
    spline = grid.to_mean @ (grid.prefilter @ values)
    start, basis = grid.basis(np.asarray((2 * np.sin(distance * SIZE / 2)) ** 2))
    found = float(np.asarray(basis) @ spline[int(start) : int(start) + 4])
    angles = (np.arange(8) + 0.5) * np.pi / 16
    exact = np.array([over_pixel(distance, angle, (1.0, 1.0)) for angle in angles])
    assert found == pytest.approx(exact.mean(), rel=2e-6 * (31 / distance))
    # of the density at the middle, the same is not true
    alone = (1 + (distance / 1.5) ** 2) ** -2.0
    assert abs(alone / exact.mean() - 1) > 100 * abs(found / exact.mean() - 1)
    # how a pixel is turned matters little
    assert np.abs(exact / found - 1).max() < 0.2 / distance**3


def test_means_add_up_to_what_the_density_has() -> None:
    grid, values = king()
    spline = grid.prefilter @ values
    assert grid.areas @ (grid.to_mean @ spline) == pytest.approx(grid.areas @ spline, rel=1e-4)


def test_square_pixels_of_one_size_are_one_node_far_out() -> None:
    grid, values = king()
    square = np.full((3, 2), SIZE)
    orders = node_orders(grid, values[None], SIZE, False, square, True)
    assert [order for _, order in orders][-1] == ONE_OF_MEAN
    assert orders[0][0] == 0.0
    assert orders[0][1] > 1


@pytest.mark.parametrize("sides", [(1.3, 1 / 1.3), (1.03, 1.03)])
def test_pixels_of_other_sides_need_more_nodes_near_the_source(sides) -> None:
    grid, values = king()
    square = node_orders(grid, values[None], SIZE, False, np.full((3, 2), SIZE), True)
    mixed = SIZE * np.array([(1.0, 1.0), sides])
    orders = node_orders(grid, values[None], SIZE, False, mixed, True)
    last = [where for where, order in square if order == ONE_OF_MEAN]
    other = [where for where, order in orders if order == ONE_OF_MEAN]
    assert not other or other[0] > last[0]
    assert any(order > 0 for where, order in orders if where >= 0)


def test_extended_sources_have_two_nodes_to_a_side() -> None:
    grid, values = king()
    orders = node_orders(grid, values[None], SIZE, True, np.full((3, 2), SIZE), False)
    assert min(order for _, order in orders) >= 2


def test_borders_are_tried_by_themselves(monkeypatch) -> None:
    grid, values = king(0.3)
    square = np.full((3, 2), SIZE)
    with_borders = node_orders(grid, values[None], SIZE, False, square, True)[0][1]
    monkeypatch.setattr(nodes, "BORDERS", 1e-9)
    finer = node_orders(grid, values[None], SIZE, False, square, True)[0][1]
    assert 1 < with_borders < finer


def test_sides_are_those_of_the_pixels() -> None:
    flat = WcsGeom.create(skydir=(0, 0), npix=(40, 30), binsz=(0.2, 0.1), proj="CAR")
    found = np.rad2deg(sides_of(pixels_of(flat)))
    np.testing.assert_allclose(found, np.tile([0.1, 0.2], (len(found), 1)), rtol=2e-3)
    sphere = HpxGeom.create(nside=64)
    found = sides_of(pixels_of(sphere))
    area = 4 * np.pi / (12 * 64**2)
    assert np.median(found.prod(axis=1)) == pytest.approx(area, rel=0.05)


def test_pixels_beyond_the_sky_have_no_sides() -> None:
    whole = WcsGeom.create(skydir=(0, 0), npix=(360, 180), binsz=1.0, proj="AIT")
    found = sides_of(pixels_of(whole))
    assert 0 < len(found) < nodes.PIXELS + 1
    assert np.isfinite(found).all()


def two_spreads(narrow: float, wide: float) -> MapDataset:
    """A cube of two energies, one with a narrow spread and one with a wide one."""
    energy = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=2)
    true = energy.rename("energy_true")
    geom = WcsGeom.create(skydir=(83.6, 22.0), width=4, binsz=0.05, axes=[energy])
    exposure = geom.to_image().to_cube([true])
    return MapDataset(
        name="two",
        counts=Map.from_geom(geom, data=np.ones(geom.data_shape)),
        exposure=Map.from_geom(exposure, data=1e13, unit="cm2 s"),
        psf=PSFMap.from_gauss(true, sigma=[wide, narrow]),
    )


@pytest.mark.parametrize("wide", [0.15, 0.2, 0.3])
def test_no_counts_are_lost_in_the_tail_of_a_wide_spread(wide) -> None:
    source = SkyModel(
        PowerLawSpectralModel(index=2, amplitude=1e-11), PointSpatialModel(83.61, 22.02)
    )
    found = two_spreads(0.04, wide).npred_signal(Models([source])).data.sum(axis=(1, 2))
    np.testing.assert_allclose(found, 100 * np.array([1 - 10**-0.5, 10**-0.5 - 0.1]), rtol=5e-5)
