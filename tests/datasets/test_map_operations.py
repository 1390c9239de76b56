"""Counts cubes stacked, cut, sliced, joined and reduced to spectra: against gammapy, and laws.

The numbers of gammapy are made by ``tests/peer/freeze_map_operations.py`` from datasets of
the same formulas.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gammajax.data import GTI
from gammajax.datasets import (
    Datasets,
    MapDataset,
    MapDatasetOnOff,
    SpectrumDataset,
    SpectrumDatasetOnOff,
)
from gammajax.irf import EDispKernelMap, PSFMap, stack_irf_maps
from gammajax.maps import HpxGeom, Map, MapAxis, WcsGeom

PEER = json.loads((Path(__file__).parents[1] / "peer/data/map_operations.json").read_text())
CENTER = (83.63, 22.01)
KINDS = ["cash", "on_off"]


def made(number: int, kind: str):
    """A small dataset by formulas; ``number`` tells the two apart."""
    energy = MapAxis(np.geomspace(1, 10, 4))
    true = MapAxis(np.geomspace(0.5, 20, 6), "energy_true")
    geom = WcsGeom.create(skydir=CENTER, npix=(8, 8), binsz=0.1, proj="TAN", axes=[energy])
    e, y, x = np.indices(geom.data_shape)
    irf_geom = WcsGeom.create(skydir=CENTER, npix=(4, 4), binsz=0.2, proj="TAN")
    rad = MapAxis.from_nodes(np.linspace(0, 0.6, 31), name="rad", unit="deg", interp="lin")
    t, _, v, w = np.indices((5, 1, 4, 4))
    weight = (1e12 + 1e11 * number * t + 2e11 * v + 1e11 * w) * (1.0 + number)
    sigma = 0.08 + 0.03 * number + 0.005 * np.arange(5)[:, None, None, None]
    spread = np.exp(-0.5 * (rad.center[:, None, None] / sigma) ** 2) / (
        2 * np.pi * np.deg2rad(sigma) ** 2
    )
    away = np.log(energy.center / true.center[:, None]) - 0.02 * number
    matrix = np.exp(-0.5 * (away / (0.4 + 0.1 * number)) ** 2) / 4

    def irf_map(axes, data, unit=""):
        cube = irf_geom.to_cube(axes)
        return Map.from_geom(cube, data=data * np.ones(cube.data_shape), unit=unit)

    t, v, w = np.indices((5, 8, 8))
    exposure = 1e12 * (1 + number + t) + 1e10 * (v + w)
    fields = {
        "name": f"run-{number}",
        "counts": ((3 * e + 2 * y + x + number) % 5).astype(float),
        "mask_safe": (x + (1 - number) * e > number) & (x < 6),
        "background": 0.5 + 0.1 * e + 0.02 * y + 0.3 * number,
    }
    if kind == "on_off":
        del fields["background"]
        fields["counts_off"] = ((x + y + 2 * e) % 4) * (3.0 + number)
        fields["acceptance"] = 1.0 + 0.1 * x + 0 * e
        fields["acceptance_off"] = 6.0 + 2 * number + 0.5 * y + 0 * e
    maps = {
        key: value if key == "name" else Map.from_geom(geom, data=value)
        for key, value in fields.items()
    }
    return (MapDataset if kind == "cash" else MapDatasetOnOff)(
        **maps,
        exposure=Map.from_geom(geom.to_image().to_cube([true]), data=exposure, unit="cm2 s"),
        psf=PSFMap(
            irf_map([rad, true], spread, "sr-1"), irf_map([rad.squash(), true], weight, "cm2 s")
        ),
        edisp=EDispKernelMap(
            irf_map([energy, true], matrix[..., None, None]),
            irf_map([energy.squash(), true], weight, "cm2 s"),
        ),
        gti=GTI([100.0 * number], [100.0 * number + 50.0]),
    )


def moments(data) -> list[float]:
    values = np.asarray(data, dtype=float).ravel()
    return [float(values.sum()), float(values @ np.cos(np.arange(values.size)))]


def agrees(dataset, expected: dict, leave_out: tuple[str, ...] = ()) -> None:
    for key, numbers in expected.items():
        if key in leave_out:
            continue
        found = getattr(dataset, key)
        data = found.values.data if key in ("psf", "edisp") else found.data
        if key == "alpha":
            data = np.where(dataset.counts_off.data > 0, data, 0.0)
        np.testing.assert_allclose(
            moments(data), numbers, rtol=1e-5, atol=1e-6 * abs(numbers[0]), err_msg=key
        )


def operation(dataset, name: str):
    edges = dataset.energy.edges
    return {
        "cutout": lambda: dataset.cutout(dataset.geom.center_skydir, 0.41),
        "slice_by_energy": lambda: dataset.slice_by_energy(edges[1], edges[-1]),
        "resample_energy_axis": lambda: dataset.resample_energy_axis(
            MapAxis(edges[[0, 1, -1]])
        ),
        "to_image": dataset.to_image,
        "downsample": lambda: dataset.downsample(2),
    }[name]()


OPERATIONS = ["cutout", "slice_by_energy", "resample_energy_axis", "to_image", "downsample"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", OPERATIONS)
def test_operations_are_those_of_gammapy(name: str, kind: str) -> None:
    # responses keep a margin of pixels here, so that nothing changes in a cutout
    irfs = ("psf", "edisp") if name == "cutout" else ()
    agrees(operation(made(0, kind), name), PEER[kind][name], irfs)


@pytest.mark.parametrize("kind", KINDS)
def test_stack_is_that_of_gammapy(kind: str) -> None:
    stacked = Datasets([made(0, kind), made(1, kind)]).stack_reduce()
    agrees(stacked, PEER[kind]["stack"])
    assert stacked.gti.time_sum.to_value("s") == 100
    assert stacked.meta == {"stacked": ["run-0", "run-1"]}


@pytest.mark.parametrize("kind", KINDS)
def test_spectrum_is_that_of_gammapy(kind: str) -> None:
    found = made(0, kind).to_spectrum_dataset(circle(0.16))
    assert type(found) is (SpectrumDataset if kind == "cash" else SpectrumDatasetOnOff)
    compare_spectra(found, PEER[kind]["spectrum"])


def compare_spectra(found, expected: dict) -> None:
    for key, numbers in expected.items():
        data = found.edisp.matrix if key == "edisp" else getattr(found, key)
        np.testing.assert_allclose(data, numbers, rtol=2e-5, atol=1e-7, err_msg=key)


@pytest.mark.data
class TestFermiCrab:
    @pytest.fixture
    def crab(self, data_path) -> MapDataset:
        path = data_path("fermi-3fhl-crab/Fermi-LAT-3FHL_data_Fermi-LAT.fits")
        return MapDataset.read(path, name="crab")

    @pytest.mark.parametrize("name", OPERATIONS)
    def test_operations(self, crab, name: str) -> None:
        leave_out = ("psf", "edisp") if name == "cutout" else ("psf",)
        agrees(operation(crab, name), PEER["crab"][name], leave_out)

    @pytest.mark.parametrize("corrected", [False, True])
    def test_spectrum(self, crab, corrected: bool) -> None:
        center = crab.geom.center_skydir.spherical
        region = f"galactic;circle({center.lon.deg}, {center.lat.deg}, 0.35)"
        found = crab.to_spectrum_dataset(region, containment_correction=corrected)
        expected = dict(PEER["crab"]["corrected" if corrected else "spectrum"])
        exposure = expected.pop("exposure")
        compare_spectra(found, expected)
        # the containment is an exact integral here, and interpolated in a table there
        np.testing.assert_allclose(found.exposure, exposure, rtol=5e-3 if corrected else 1e-5)


@st.composite
def pairs(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    kind = draw(st.sampled_from(KINDS))

    def shaken(number: int):
        dataset = made(number, kind)
        shape = dataset.counts.data.shape
        names = ("counts", *dataset.maps)
        data = {
            name: dataset.counts.with_data(rng.poisson(2.0, shape) + (name > "b") * 1.0)
            for name in names
        }
        return dataset.replace(
            **data, mask_safe=dataset.counts.with_data(rng.random(shape) < 0.8)
        )

    return shaken(0), shaken(1)


def in_mask(dataset, what: str) -> float:
    safe = True if dataset.mask_safe is None else dataset.mask_safe.data
    return float(np.where(safe, getattr(dataset, what).data, 0.0).sum())


@given(pairs())
@settings(max_examples=15)
def test_counts_and_expected_background_are_kept(pair) -> None:
    stacked = pair[0].stack(pair[1])
    for what in ("counts", "background"):
        expected = sum(in_mask(dataset, what) for dataset in pair)
        assert in_mask(stacked, what) == pytest.approx(expected, rel=1e-12)
        for one in (
            pair[0].to_image(),
            pair[0].downsample(2),
            pair[0].pad(3),
            pair[0].resample_energy_axis(MapAxis(pair[0].energy.edges[[0, 2, 3]])),
        ):
            assert in_mask(one, what) == pytest.approx(in_mask(pair[0], what), rel=1e-12)
    for dataset in (*pair, stacked):
        assert not (dataset.counts.data < 0).any()
    seen = [d.exposure.data * d.mask_safe.data.any(axis=0) for d in pair]
    np.testing.assert_allclose(stacked.exposure.data, seen[0] + seen[1])


@given(pairs())
@settings(max_examples=10)
def test_stacked_dispersion_keeps_the_expected_counts(pair) -> None:
    stacked = pair[0].stack(pair[1]).edisp
    whole = [d.replace(mask_safe=None).edisp for d in pair]
    both = pair[0].replace(mask_safe=None).stack(pair[1].replace(mask_safe=None)).edisp
    sums = sum(e.values.data * e.exposure.data for e in whole)
    np.testing.assert_allclose(both.values.data * both.exposure.data, sums, rtol=1e-12)
    assert np.all(stacked.values.data <= 1 + 1e-12)


def test_a_cutout_is_stacked_into_its_place() -> None:
    whole = made(0, "cash").replace(mask_safe=None)
    part = whole.cutout(CENTER, 0.41, name="part")
    assert part.counts.data.shape == (3, 4, 4)
    stacked = whole.stack(part)
    added = stacked.counts.data - whole.counts.data
    np.testing.assert_array_equal(added[:, 2:6, 2:6], part.counts.data)
    assert added.sum() == part.counts.data.sum()
    # one response, twice: the mean is the response
    np.testing.assert_allclose(stacked.psf.values.data, whole.psf.values.data, rtol=1e-12)


def test_equal_responses_need_no_exposures() -> None:
    one, two = (
        data.replace(
            psf=PSFMap(made(0, "cash").psf.values), edisp=EDispKernelMap(data.edisp.values)
        )
        for data in (made(0, "cash"), made(0, "cash"))
    )
    with pytest.raises(ValueError, match=r"edisp .* has no exposure"):
        one.stack(two)
    one, two = one.replace(mask_safe=None), two.replace(mask_safe=None)
    stacked = one.stack(two)
    np.testing.assert_array_equal(stacked.psf.table, one.psf.table)
    np.testing.assert_array_equal(stacked.edisp.table, one.edisp.table)


def test_a_cutout_predicts_what_the_whole_does() -> None:
    whole = made(0, "cash")
    part = whole.cutout(CENTER, 0.4)
    direction = np.array(part.geom.center_skydir.cartesian.xyz)
    np.testing.assert_allclose(part.psf.at(direction), whole.psf.at(direction))
    np.testing.assert_allclose(part.edisp.at(direction), whole.edisp.at(direction))


def test_without_dispersion_joined_bins_keep_what_their_parts_had() -> None:
    data = made(0, "cash")
    data = data.replace(edisp=None, mask_safe=None)
    image = data.to_image()
    direction = np.array([1.0, 0, 0])
    share = np.asarray(image.edisp.at(direction))[:, 0]
    edges = np.log(data.energy_true.edges)
    low, high = np.log(data.energy.edges[[0, -1]])
    overlap = np.minimum(edges[1:], high) - np.maximum(edges[:-1], low)
    np.testing.assert_allclose(share, np.maximum(overlap, 0) / np.diff(edges))
    mask = np.ones(data.counts.data.shape, bool)
    mask[0, :, 4:] = False
    masked = data.replace(mask_safe=data.counts.with_data(mask)).to_image()
    assert masked.edisp.geom.npix == (8, 8)
    assert masked.edisp.values.data[..., 5].sum() < masked.edisp.values.data[..., 1].sum()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.replace(psf=None), "only one has psf"),
        (lambda d: d.replace(edisp=EDispKernelMap(d.edisp.values)), "has no exposure"),
        (lambda d: d.slice_by_energy(1.0, 3.0), "different axes"),
        (lambda d: made(1, "on_off"), "a MapDataset and a MapDatasetOnOff"),
        (lambda d: d.downsample(2), "do not fall on those"),
    ],
)
def test_what_cannot_be_stacked_is_named(change, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        made(0, "cash").stack(change(made(1, "cash")))
    assert str(caught.value).startswith("stack")


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda d: d.slice_by_energy(2, 3), "no bin lies wholly between 2 and 3"),
        (lambda d: d.to_spectrum_dataset(circle(0.5)), "reaches beyond"),
        (lambda d: d.to_spectrum_dataset(circle(0.38)), r"mask_safe differs between .* bins 0"),
        (
            lambda d: d.to_spectrum_dataset("icrs;point(83.63, 22.01)"),
            "expected one with an area",
        ),
        (
            lambda d: d.to_spectrum_dataset(
                "icrs;box(83.63, 22.01, 0.2, 0.2, 0)", containment_correction=True
            ),
            "wants a circle",
        ),
        (
            lambda d: d.replace(psf=None).to_spectrum_dataset(
                circle(0.16), containment_correction=True
            ),
            "wants a PSFMap, the dataset has None",
        ),
        (
            lambda d: d.to_spectrum_dataset(circle(0.16)).stack(
                d.to_spectrum_dataset(circle(0.16), containment_correction=True)
            ),
            "only one has a containment correction",
        ),
        (
            lambda d: stack_irf_maps([d.edisp, d.psf], [True, True]),
            "response 1 is a PSFMap, the first a EDisp",
        ),
    ],
)
def test_other_errors_say_what_is_wrong(act, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        act(made(0, "cash"))


def circle(radius: float) -> str:
    return f"icrs;circle(83.63, 22.01, {radius})"


def test_slices_of_several_leave_out_those_without_bins() -> None:
    one, two = made(0, "cash"), made(1, "cash").slice_by_energy(1, 3)
    both = Datasets([one, two])
    assert both.slice_by_energy(3, 11).names == ("run-0",)
    assert both.slice_by_energy(1, 3).names == ("run-0", "run-1")
    with pytest.raises(ValueError, match="none of run-0, run-1 has a bin"):
        both.slice_by_energy(20, 30)


@pytest.mark.parametrize("kind", KINDS)
def test_slices_of_spectra(kind: str) -> None:
    spectrum = made(0, kind).to_spectrum_dataset(circle(0.16))
    (part,) = Datasets([spectrum]).slice_by_energy(2.1, 11)
    np.testing.assert_array_equal(part.counts, spectrum.counts[1:])
    np.testing.assert_array_equal(part.background, spectrum.background[1:])
    np.testing.assert_array_equal(part.edisp.matrix, spectrum.edisp.matrix[:, 1:])
    with pytest.raises(ValueError, match="no bin lies wholly"):
        spectrum.slice_by_energy(20, 30)


class TestHealpix:
    @pytest.fixture
    def data(self) -> MapDataset:
        energy = MapAxis(np.geomspace(1, 10, 4))
        true = energy.rename("energy_true")
        geom = HpxGeom.create(nside=128, skydir=CENTER, width=6, axes=[energy])
        bins = np.arange(np.prod(geom.data_shape)).reshape(geom.data_shape)
        cube = geom.to_image().to_cube([true])
        return MapDataset(
            name="healpix",
            counts=Map.from_geom(geom, data=bins % 4 + 0.0),
            background=Map.from_geom(geom, data=1.5),
            exposure=Map.from_geom(cube, data=1e12, unit="cm2 s"),
            mask_safe=Map.from_geom(geom, data=bins % 5 > 0),
        )

    def test_sums_are_kept(self, data) -> None:
        for part in (data.to_image(), data.downsample(2)):
            for what in ("counts", "background"):
                assert in_mask(part, what) == pytest.approx(in_mask(data, what), rel=1e-12)
        assert in_mask(data.stack(data), "counts") == 2 * in_mask(data, "counts")
        # nearly all pixels have a neighbour in each mask, and all of the dispersion
        assert data.to_image().edisp.values.data.max() == pytest.approx(1)

    def test_parts(self, data) -> None:
        assert data.slice_by_energy(2.1, 11).edisp.values.data.shape[:2] == (3, 2)
        assert data.cutout(CENTER, 2.0).counts.data.shape[1] < 20
        with pytest.raises(ValueError, match="pad wants a map in a projection"):
            data.pad(1)
        with pytest.raises(ValueError, match="wants a map in a projection"):
            data.to_spectrum_dataset(circle(1.0))


def test_what_is_no_number_may_lie_outside_of_the_safe_mask() -> None:
    """gammapy writes NaN where a background is unknown, and does not fit there."""
    dataset = made(0, "cash")
    safe = np.asarray(dataset.mask_safe.data)
    unknown = dataset.background.with_data(np.where(safe, dataset.background.data, np.nan))
    found = dataset.replace(background=unknown)
    assert (~safe).any()
    np.testing.assert_array_equal(found.background.data[~safe], 0.0)
    assert found.stat_sum() == dataset.stat_sum()
    inside = unknown.with_data(np.where(safe, np.nan, 1.0))
    with pytest.raises(ValueError, match="background is nan at"):
        dataset.replace(background=inside)
