"""Maps of pixels: values, arithmetic, interpolation, resampling."""

from __future__ import annotations

import astropy.units as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import ndimage
from scipy.interpolate import RegularGridInterpolator

from gammajax.maps import Map, MapAxis, WcsGeom, WcsNDMap

ENERGY = MapAxis.from_energy_edges([1, 10, 100, 1000])


@pytest.fixture
def cube(rng: np.random.Generator) -> WcsNDMap:
    """A map of random numbers."""
    geom = WcsGeom.create(skydir=(83, 22), npix=(6, 4), binsz=0.5, axes=[ENERGY])
    return WcsNDMap(geom, rng.random(geom.data_shape), "s")


def test_made_empty_or_with_data() -> None:
    empty = Map.create(npix=(3, 2), binsz=1, axes=[ENERGY], unit="s", dtype=int)
    assert isinstance(empty, WcsNDMap)
    assert empty.data.shape == (3, 2, 3)
    assert empty.data.dtype == int
    full = Map.from_geom(empty.geom, data=[[[1]], [[2]], [[3]]] * u.min)
    assert full.unit == "min"
    assert full.data[:, 1, 2].tolist() == [1, 2, 3]
    assert full.to_unit("s").data.sum() == 60 * full.data.sum()
    assert full.quantity.unit == "min"


def test_arithmetic_minds_units(cube: WcsNDMap) -> None:
    minutes = cube.to_unit("min")
    np.testing.assert_allclose((cube + minutes).data, 2 * cube.data)
    np.testing.assert_allclose((minutes - cube).data, 0, atol=1e-15)
    assert (cube + minutes).unit == "s"
    assert (cube * minutes).unit == "min s"
    assert (cube / cube).unit == ""
    assert (cube / (2 * u.cm)).unit == "s / cm"
    assert (cube**2).unit == "s2"
    np.testing.assert_array_equal((2.0 * cube + -cube).data, cube.data)
    assert (cube / minutes).to_unit("").data == pytest.approx(np.ones(cube.data.shape))


def test_masks(cube: WcsNDMap) -> None:
    low, high = cube < 0.3 * u.s, cube >= 0.6 * u.s
    assert low.is_mask
    assert low.unit == ""
    assert not (low & high).data.any()
    np.testing.assert_array_equal((low | high).data, (low ^ high).data)
    np.testing.assert_array_equal((~high).data, (cube.data < 0.6))
    assert (cube > 2 * u.s).data.sum() == (cube <= -1 * u.s).data.sum() == 0


def test_a_map_passes_through_jit_and_grad(cube: WcsNDMap) -> None:
    compiled = []

    @jax.jit
    def total(m: WcsNDMap) -> jax.Array:
        compiled.append(1)
        return ((m * m).sum_over_axes(keepdims=False).smooth(0.5).data ** 2).sum()

    value, gradient = total(cube), jax.grad(total)(cube)
    assert gradient.geom == cube.geom
    step = 1e-6
    moved = cube.with_data(cube.data + step * (np.arange(72) == 30).reshape(cube.data.shape))
    expected = float(gradient.data[1, 1, 0])
    assert float(total(moved) - value) / step == pytest.approx(expected, rel=1e-4)
    again = WcsGeom.create(skydir=(83, 22), npix=(6, 4), binsz=0.5, axes=[ENERGY])
    total(WcsNDMap(again, cube.data, "s"))
    assert len(compiled) == 1


def test_interpolation_is_that_of_scipy(cube: WcsNDMap, rng: np.random.Generator) -> None:
    pix = [rng.uniform(-0.4, n - 0.6, 50) for n in (6, 4, 3)]
    reference = RegularGridInterpolator(
        [np.arange(n) for n in cube.data.shape], cube.data, bounds_error=False, fill_value=None
    )
    coords = cube.geom.pix_to_coord(pix)
    expected = reference(np.transpose(pix[::-1]))
    np.testing.assert_allclose(cube.interp_by_coord(coords), expected, atol=1e-8)
    np.testing.assert_allclose(jax.jit(lambda p: cube.interp_by_pix(p))(pix), expected)
    assert cube.interp_by_coord((0, 0, 5), fill_value=-1.0) == -1
    at_nodes = cube.interp_by_coord(cube.geom.get_coord(), method="nearest")
    np.testing.assert_array_equal(at_nodes, cube.data)
    np.testing.assert_array_equal(cube.get_by_coord(cube.geom.get_coord()), cube.data)
    assert np.isnan(cube.get_by_coord((0, 0, 5)))


def test_interpolation_of_logarithms(cube: WcsNDMap) -> None:
    index = cube.geom.get_coord()["energy"] ** -2.0
    law = cube.with_data(index)
    center = cube.geom.center_skydir
    assert law.interp_by_coord((center, 50), values_scale="log") == pytest.approx(1 / 2500)


def test_interpolation_has_gradients(cube: WcsNDMap) -> None:
    def value(x: jax.Array) -> jax.Array:
        return cube.interp_by_pix((x, 1.2, 0.7))

    slope = float(value(jnp.array(2.31)) - value(jnp.array(2.30))) / 0.01
    assert float(jax.grad(value)(2.3)) == pytest.approx(slope)
    weights = jax.grad(lambda m: m.interp_by_pix((2.3, 1.2, 0.7)))(cube).data
    assert float(weights.sum()) == pytest.approx(1)
    assert float(weights[1, 1, 2]) == pytest.approx(0.7 * 0.8 * 0.7)


def test_counting_and_sampling(cube: WcsNDMap, rng: np.random.Generator) -> None:
    points = cube.sample_coord(200_000, rng)
    counts = Map.from_geom(cube.geom).fill_by_coord(points)
    assert counts.data.sum() == 200_000
    expected = cube.data / cube.data.sum() * 200_000
    chi2 = ((counts.data - expected) ** 2 / expected).sum()
    assert chi2 == pytest.approx(72, abs=5 * 12)
    weighted = counts.fill_by_coord(([83, 0], [22.1, 0], [2, 2]), weights=[3.0, 9.0])
    assert (weighted - counts).data.sum() == 3
    with pytest.raises(ValueError, match="values that are no weights"):
        (-cube).sample_coord(1, rng)


@pytest.mark.parametrize("dtype", [float, int, np.float32])
def test_few_and_many_points_are_counted_alike(cube: WcsNDMap, rng, dtype) -> None:
    empty = Map.from_geom(cube.geom, dtype=dtype)
    points = cube.sample_coord(200, rng)
    weights = rng.random(200)
    at_once, weighted = empty.fill_by_coord(points), empty.fill_by_coord(points, weights)
    one_by_one, summed = empty, empty
    for i in range(200):
        point = {name: value[i] for name, value in points.items()}
        one_by_one = one_by_one.fill_by_coord(point)
        summed = summed.fill_by_coord(point, weights[i])
    np.testing.assert_array_equal(at_once.data, one_by_one.data)
    np.testing.assert_allclose(summed.data, weighted.data)
    assert empty.data.sum() == 0
    assert at_once.data.sum() == 200
    traced = jax.jit(lambda m: m.fill_by_coord(points))(empty)
    np.testing.assert_array_equal(traced.data, at_once.data)


def test_cutouts_stack_to_the_whole(cube: WcsNDMap) -> None:
    part = cube.cutout((83.5, 22.1), (1.0, 1.5))
    assert part.data.shape == (3, 3, 2)
    values = cube.get_by_coord(part.geom.get_coord())
    np.testing.assert_array_equal(part.data, values)
    stacked = cube.stack(part.to_unit("h"))
    assert stacked.data.sum() == pytest.approx(cube.data.sum() + part.data.sum())
    np.testing.assert_allclose(stacked.cutout((83.5, 22.1), (1.0, 1.5)).data, 2 * part.data)
    wide = cube.pad(3)
    np.testing.assert_allclose(cube.stack(wide).data, 2 * cube.data)
    masked = cube.stack(part, weights=part > 2 * u.s)
    np.testing.assert_array_equal(masked.data, cube.data)
    traced = jax.jit(lambda a, b: a.stack(b))(cube, part)
    np.testing.assert_allclose(traced.data, cube.stack(part).data)


def test_padding_and_cropping(cube: WcsNDMap) -> None:
    padded = cube.pad((1, 2), cval=7)
    assert padded.data.shape == (3, 8, 8)
    assert padded.data[0, 0, 0] == 7
    back = padded.crop((1, 2))
    np.testing.assert_array_equal(back.data, cube.data)
    assert back.geom == cube.geom
    assert cube.pad(1, mode="edge").data[0, 0, 0] == cube.data[0, 0, 0]


def test_sums_are_kept(cube: WcsNDMap) -> None:
    total = cube.data.sum()
    assert cube.downsample(2).data.sum() == pytest.approx(total)
    assert cube.upsample(3).data.sum() == pytest.approx(total)
    np.testing.assert_allclose(cube.upsample(2).downsample(2).data, cube.data)
    assert cube.downsample(2, preserve_counts=False).data.mean() == pytest.approx(total / 72)
    assert cube.downsample(3, axis_name="energy").data.shape == (1, 4, 6)
    assert cube.upsample(2, axis_name="energy").data.sum() == pytest.approx(total)
    assert (cube >= 0 * u.s).downsample(2).data.dtype == bool
    image = cube.sum_over_axes(keepdims=False)
    np.testing.assert_allclose(image.data, cube.data.sum(axis=0))
    assert cube.sum_over_axes().geom.axes["energy"].edges.tolist() == [1, 1000]
    np.testing.assert_array_equal(
        cube.reduce("energy", func="maximum").data, cube.data.max(axis=0)
    )
    two = cube.resample_axis(MapAxis.from_energy_edges([10, 100, 1000]))
    np.testing.assert_allclose(two.data, cube.data[1:])
    one = cube.resample_axis(MapAxis.from_energy_edges([1, 100]), weights=cube > 2 * u.s)
    assert one.data.shape == (1, 4, 6)
    assert one.data.sum() == 0
    np.testing.assert_array_equal(cube.slice_by_idx({"energy": 1}).data, cube.data[1])


@pytest.mark.parametrize("kernel", ["gauss", "disk", "box"])
def test_smoothing(kernel: str) -> None:
    image = Map.create(npix=51, binsz=0.1)
    image = image.with_data((np.arange(51 * 51) == 25 * 51 + 25).reshape(51, 51))
    smooth = image.smooth(0.4, kernel=kernel).data
    assert smooth.sum() == pytest.approx(1)
    np.testing.assert_allclose(smooth, smooth[::-1, ::-1], atol=1e-15)
    x = (np.arange(51) - 25) * 0.1
    whole = [(i, j) for i in range(-4, 5) for j in range(-4, 5) if i**2 + j**2 <= 16]
    # a Gaussian ends at 5 sigma; a disk has whole pixels; a box ends in the middle of pixels,
    # as a sum by the trapezoidal rule does
    disk = 0.01 * sum(i**2 for i, _ in whole) / len(whole)
    variance = {"gauss": 0.16, "disk": disk, "box": 0.16 / 12 + 0.01 / 6}[kernel]
    rel = 1e-4 if kernel == "gauss" else 1e-12
    assert (smooth.sum(axis=0) * x**2).sum() == pytest.approx(variance, rel=rel)


def test_convolution_with_one_kernel_for_each_energy(cube: WcsNDMap) -> None:
    kernels = np.zeros((3, 3, 3))
    kernels[:, 1, 1] = [1, 2, 3]
    np.testing.assert_allclose(
        cube.convolve(kernels).data, cube.data * np.array([1, 2, 3])[:, None, None]
    )
    shift = np.array([[0, 0, 0], [0, 0, 1], [0, 0, 0]])
    moved = cube.convolve(shift).data
    np.testing.assert_allclose(moved[..., 1:], cube.data[..., :-1])
    np.testing.assert_allclose(moved[..., 0], 0, atol=1e-12)


def test_borders_of_masks() -> None:
    image = Map.create(npix=41, binsz=0.1)
    disk = image.with_data(image.geom.separation((0, 0)) < 1)
    x = np.arange(-3, 4)
    near = x**2 + x[:, None] ** 2 <= 9
    for found, expected in (
        (disk.binary_dilate(0.3), ndimage.binary_dilation(disk.data, near)),
        (disk.binary_erode(0.3), ndimage.binary_erosion(disk.data, near)),
    ):
        np.testing.assert_array_equal(found.data, expected)
    ones = image.with_data(np.ones((41, 41)))
    assert ones.to_region_sum("icrs;circle(0,0,1)") == disk.data.sum()


def test_reprojection() -> None:
    geom = WcsGeom.create(skydir=(83, 22), npix=60, binsz=0.1, axes=[ENERGY], proj="TAN")
    bump = np.exp(-0.5 * (geom.separation((83, 22)) / 0.5) ** 2)
    found = WcsNDMap(geom, np.broadcast_to(bump, geom.data_shape))
    center = geom.center_skydir
    target = WcsGeom.create(skydir=center, npix=100, binsz=0.07, frame="galactic")
    moved = found.reproject_to_geom(target)
    assert moved.geom.axes == geom.axes
    expected = np.exp(-0.5 * (target.separation(center) / 0.5) ** 2)
    inside = np.isfinite(moved.data[0])
    # linear interpolation is off by step**2 / 8 times the second derivatives
    bound = 0.1**2 / 8 * 2 / 0.5**2
    assert np.abs(moved.data[1] - expected)[inside].max() < bound
    counts = found.reproject_to_geom(target, preserve_counts=True)
    assert np.nansum(counts.data) == pytest.approx(found.data.sum(), rel=2e-3)
    mask = (found > 0.5).reproject_to_geom(target)
    assert mask.is_mask
    interpolated = found.interp_to_geom(target.to_cube([ENERGY]))
    assert np.abs(interpolated.data[0] - expected)[inside].max() < bound


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (lambda m: m + 1, "got the unit ''|unit '', which does not convert"),
        (lambda m: m + m.to_unit("min").pad(1), "different geometries"),
        (lambda m: m.to_unit("TeV"), "does not convert to 'TeV'"),
        (lambda m: m & m, "logic wants a mask"),
        (lambda m: ~m, "logic wants a mask"),
        (lambda m: m.with_data(np.ones(5)), "data have shape .5,., the geometry wants"),
        (lambda m: m.reduce("energy", func="median"), "func is 'median'"),
        (lambda m: m.reduce("time"), "no axis 'time'"),
        (lambda m: m.smooth(1, kernel="x"), "kernel is 'x'"),
        (lambda m: m.smooth(0), "width is 0 deg"),
        (lambda m: m.convolve(np.ones((2, 3))), "expected odd numbers"),
        (lambda m: m.interp_by_pix((0, 0, 0), method="cubic"), "method is 'cubic'"),
        (lambda m: m.stack(m.upsample(2)), "do not fall on those of"),
        (lambda m: Map.create(map_type="cube"), "map_type is 'cube'"),
        (lambda m: Map.from_geom(m.geom, unit="furlongg"), "not a unit that astropy knows"),
        (
            lambda m: m.reproject_to_geom(m.geom.squash("energy")),
            "resample the axis first",
        ),
    ],
)
def test_what_a_map_refuses(cube: WcsNDMap, action, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        action(cube)
