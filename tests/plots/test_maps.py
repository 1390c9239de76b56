"""Pictures of maps."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pytest

from gammajax.datasets import MapDataset
from gammajax.maps import LabelMapAxis, Map, MapAxis, WcsGeom, WcsNDMap

ENERGY = MapAxis.from_energy_edges([1, 10, 100])


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """No figure stays open."""
    yield
    plt.close("all")


@pytest.fixture
def cube(rng: np.random.Generator) -> WcsNDMap:
    """A map of random numbers."""
    found = Map.create(npix=(6, 4), frame="galactic", axes=[ENERGY], unit="s")
    return found.with_data(rng.random(found.data.shape))


@pytest.mark.parametrize("stretch", ["linear", "sqrt", "log"])
def test_image(cube: WcsNDMap, stretch: str) -> None:
    ax = cube.sum_over_axes().plot(stretch=stretch, vmax=5, add_cbar=True)
    shown = ax.images[0]
    np.testing.assert_array_equal(shown.get_array(), cube.data.sum(axis=0))
    assert shown.get_clim() == (cube.data.sum(axis=0).min(), 5)
    assert ax.images[0].colorbar.ax.get_ylabel() == r"$\mathrm{s}$"
    ax.figure.canvas.draw()
    assert ax.get_xlabel() == "Galactic longitude"


def test_the_scale_of_colours_has_the_label_that_it_is_given(cube: WcsNDMap) -> None:
    ax = cube.sum_over_axes().plot(add_cbar=True, label="Significance")
    assert ax.images[0].colorbar.ax.get_ylabel() == "Significance"


def test_grid(cube: WcsNDMap) -> None:
    labels = LabelMapAxis(["a", "b", "c"], "dataset")
    data = cube.data * np.arange(1, 4).reshape(3, 1, 1, 1)
    many = WcsNDMap(cube.geom.to_cube([labels]), data)
    panels = many.plot_grid(ncols=2)
    assert len(panels) == 6
    assert panels[3].get_title() == "b, 10 to 100 TeV"
    np.testing.assert_array_equal(panels[3].images[0].get_array(), data[1, 1])


@pytest.mark.parametrize("proj", ["AIT", "MOL"])
def test_the_whole_sky_is_an_ellipse(proj: str) -> None:
    found = Map.create(proj=proj, binsz=5, frame="galactic")
    ax = found.plot(add_cbar=True)
    ax.figure.canvas.draw()
    pixels = [found.geom.coord_to_pix((lon, 0)) for lon in (179.999, 180.001)]
    np.testing.assert_allclose(ax.get_xlim(), [pixels[0][0], pixels[1][0]], atol=1e-3)
    pole = found.geom.coord_to_pix((0, 90))
    np.testing.assert_allclose(ax.get_ylim()[1], pole[1], atol=1e-6)
    given = found.cutout((0, 0), 60).plot()
    assert given.get_xlabel() == "Galactic longitude"


def test_healpix_maps_are_projected() -> None:
    found = Map.create(map_type="hpx", nside=8, axes=[ENERGY], unit="s")
    data = np.arange(2.0 * 768).reshape(2, 768)
    panels = found.with_data(data).plot_grid(proj="CAR")
    assert len(panels) == 2
    cut = found.with_data(data).cutout((83, 22), 40).slice_by_idx({"energy": 1})
    ax = cut.plot()
    shown = ax.images[0].get_array()
    assert 768 <= np.nanmin(shown) < np.nanmax(shown) <= 1535
    assert "-TAN" in ax.wcs.wcs.ctype[0]


def test_what_plots_refuse(cube: WcsNDMap, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="has 2 images; use plot_grid"):
        cube.plot()
    with pytest.raises(ValueError, match="stretch is 'asinh'"):
        cube.sum_over_axes().plot(stretch="asinh")
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    with pytest.raises(ValueError, match="needs the package ipywidgets"):
        cube.plot_interactive()


def test_widget_has_a_slider_for_every_axis(
    cube: WcsNDMap, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Widgets:
        @staticmethod
        def interactive(draw, **sliders):
            draw(energy=1)
            return sliders

    monkeypatch.setitem(sys.modules, "ipywidgets", Widgets)
    monkeypatch.setattr(plt, "show", lambda: None)
    assert cube.plot_interactive() == {"energy": (0, 1)}
    assert plt.gca().get_title() == "10 to 100 TeV"


def test_residuals_end_where_the_data_do(rng: np.random.Generator) -> None:
    """Near the edge of the mask, too, smoothed counts have the level of their neighbours."""
    true = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=2, name="energy_true")
    geom = WcsGeom.create(npix=24, binsz=0.1, axes=[ENERGY])
    seen = np.broadcast_to(np.arange(24) < 16, geom.data_shape)
    level = Map.from_geom(geom, data=np.full(geom.data_shape, 4.0))
    dataset = MapDataset.create(geom, true).replace(
        counts=level,
        background=level,
        mask_safe=Map.from_geom(geom, data=seen),
    )
    axes = dataset.plot_residuals()
    for ax, value in zip(axes, (4.0, 4.0, 0.0), strict=True):
        image = np.ma.filled(ax.images[0].get_array(), np.nan)
        np.testing.assert_allclose(image[:, :16], value * ENERGY.nbin, atol=1e-6)
        assert np.isnan(image[:, 16:]).all()
    assert axes[0].images[0].get_clim() == axes[1].images[0].get_clim()
