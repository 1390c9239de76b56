"""Pictures of regions and of maps of one region."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pytest

from gammajax.maps import Map, MapAxis, RegionGeom

ENERGY = MapAxis.from_energy_edges([1, 10, 100])
THETA = MapAxis.from_nodes([0, 1, 4], name="theta", unit="deg")
PARTS = [
    "icrs;circle(83.63, 22.01, 0.5)",
    "icrs;annulus(83.63, 22.01, 0.7, 0.8)",
    "icrs;ellipse(83.63, 22.01, 1, 0.5, 30)",
    "icrs;box(83.63, 22.01, 1, 0.5, 30)",
    "icrs;polygon(83, 22, 84, 22, 84, 22.5)",
    "icrs;point(83.63, 22.01)",
]


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """No figure stays open."""
    yield
    plt.close("all")


@pytest.mark.parametrize("shape", PARTS)
def test_the_outline_is_the_border(shape: str) -> None:
    geom = RegionGeom.create(shape)
    ax = Map.from_geom(geom).plot_region(color="green")
    ax.figure.canvas.draw()
    assert ax.get_xlabel() == "Right ascension"
    lines = ax.lines
    assert len(lines) == (2 if "annulus" in shape else 1)
    for line in lines:
        assert line.get_color() == "green"
        lon, lat = np.array(line.get_data())
        if geom.is_point:
            assert (lon[0], lat[0]) == pytest.approx((83.63, 22.01))
            continue
        middle = geom.center_skydir
        inner, outer = (
            geom.contains(
                (
                    middle.ra.deg + s * (lon - middle.ra.deg),
                    middle.dec.deg + s * (lat - middle.dec.deg),
                )
            )
            for s in (0.98, 1.02)
        )
        assert np.all(inner != outer)


def test_on_top_of_a_map_in_another_frame() -> None:
    image = Map.create(skydir=(184.5, -5.8), npix=20, binsz=0.2, frame="galactic")
    ax = image.plot()
    found = Map.create(map_type="region", region=PARTS, axes=[ENERGY])
    assert found.plot_region(ax) is ax
    assert len(ax.lines) == 7
    ax.figure.canvas.draw()


def test_spectra() -> None:
    geom = RegionGeom.create(PARTS[0], axes=[ENERGY, THETA])
    data = np.arange(1.0, 7).reshape(geom.data_shape)
    found = Map.from_geom(geom, data=data, unit="cm-2 s-1")
    ax = found.plot(axis_name="energy")
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert ax.get_xlabel() == r"Energy [$\mathrm{TeV}$]"
    assert ax.get_ylabel() == r"Value [$\mathrm{s^{-1}\,cm^{-2}}$]"
    np.testing.assert_array_equal(
        [patch.get_data().values for patch in ax.patches], data[:, :, 0, 0]
    )
    ax = found.plot(axis_name="theta")
    assert ax.get_xscale() == "linear"
    np.testing.assert_array_equal([line.get_ydata() for line in ax.lines], data[:, :, 0, 0].T)
    negative = found.sum_over_axes(["theta"], keepdims=False) * -1.0
    assert negative.plot().get_yscale() == "linear"
