"""Maps of excess and significance of the H.E.S.S. Crab and the Fermi-LAT Galactic centre."""

from __future__ import annotations

import pytest
from astropy.coordinates import SkyCoord

from gammajax.data import DataStore
from gammajax.datasets import Datasets, MapDataset
from gammajax.estimators import ExcessMapEstimator, TSMapEstimator, find_peaks
from gammajax.makers import FoVBackgroundMaker, MapDatasetMaker, SafeMaskMaker
from gammajax.maps import Map, MapAxis, WcsGeom
from gammajax.models import (
    Models,
    PointSpatialModel,
    PowerLawNormSpectralModel,
    PowerLawSpectralModel,
    SkyModel,
    TemplateSpatialModel,
)

pytestmark = pytest.mark.data

CRAB = SkyCoord(83.633, 22.014, unit="deg")

PEER_EXCESS = 37.455477468315
"""Highest significance in circles of 0.1 deg, of gammapy 2.1 for the same file."""

PEER_TS = 41.9740
"""Highest root of TS of gammapy 2.1, from one image of all energies."""


def first(maps, name):
    return maps[name].slice_by_idx({"energy": 0})


@pytest.fixture(scope="module")
def crab(data_path):
    """The four runs in one cube."""
    energy = MapAxis.from_energy_bounds("0.5 TeV", "30 TeV", nbin=12)
    true = MapAxis.from_energy_bounds("0.3 TeV", "60 TeV", nbin=24, name="energy_true")
    geom = WcsGeom.create(skydir=CRAB, width=4, binsz=0.02, proj="TAN", axes=[energy])
    image = geom.to_image()
    makers = (
        MapDatasetMaker(),
        SafeMaskMaker(methods=("offset-max", "aeff-default"), offset_max="2.5 deg"),
        FoVBackgroundMaker(
            exclusion_mask=Map.from_geom(image, data=image.separation(CRAB) > 0.4)
        ),
    )
    store = DataStore.from_dir(data_path("hess-dl3-dr1"))
    made = []
    for number in (23523, 23526, 23559, 23592):
        dataset = MapDataset.create(geom, true, name=f"run-{number}")
        for maker in makers:
            dataset = maker.run(dataset, store.obs(number))
        made.append(dataset)
    return Datasets(made).stack_reduce(name="crab")


def test_excess_of_the_crab_is_the_peers(crab) -> None:
    maps = ExcessMapEstimator(correlation_radius="0.1 deg").run(crab)
    peaks = find_peaks(first(maps, "sqrt_ts"), 5, "0.2 deg")
    assert len(peaks) == 1
    assert peaks["value"][0] == pytest.approx(PEER_EXCESS, rel=1e-4)
    away = crab.geom.to_image().separation(CRAB)
    empty = maps["sqrt_ts"].data[0][(away > 0.5) & (away < 1.5)]
    assert empty.mean() == pytest.approx(0, abs=0.15)
    assert empty.std() == pytest.approx(1, abs=0.15)


def test_significance_of_the_crab(crab) -> None:
    """In the place of the Crab; near the peer's, which adds the energies to one image."""
    source = SkyModel(
        PowerLawSpectralModel(index=2.3, amplitude=1e-12), PointSpatialModel(), name="point"
    )
    maps = TSMapEstimator(model=source, kernel_width=0.5).run(crab)
    peaks = find_peaks(first(maps, "sqrt_ts"), 6, "0.2 deg")
    assert len(peaks) == 1
    found = SkyCoord(peaks["ra"][0], peaks["dec"][0], unit="deg")
    assert found.separation(CRAB).deg < 0.03
    assert peaks["value"][0] == pytest.approx(PEER_TS, rel=0.01)
    # the norm at the peak is the flux of the Crab at 1 TeV in units of 1e-12
    best = maps["norm"].data[0, int(peaks["y"][0]), int(peaks["x"][0])]
    assert 30 < best < 45
    away = crab.geom.to_image().separation(CRAB)
    empty = maps["sqrt_ts"].data[0][(away > 0.6) & (away < 1.5)]
    assert empty.mean() == pytest.approx(0, abs=0.2)
    assert empty.std() == pytest.approx(1, abs=0.15)


KNOWN = {
    "J1745.6-2900": (359.9423, -0.0497, 29.53),
    "J1747.2-2959": (359.2745, -0.8456, 4.43),
    "J1747.2-2822": (0.6775, -0.0182, 4.95),
}
"""Galactic position in deg and significance in the 3FHL catalogue."""


def test_sources_of_the_galactic_centre(data_path) -> None:
    """In the places of the catalogue, with its significance to a sigma or 15 %."""
    folder = data_path("fermi-3fhl-gc")
    files = (f"fermi-3fhl-gc-{what}-cube.fits.gz" for what in ("counts", "exposure", "psf"))
    data = MapDataset.from_fermi(*(folder / name for name in files), name="gc")
    cut = data.cutout(SkyCoord(0, 0, unit="deg", frame="galactic"), (5.0, 3.0))
    template = TemplateSpatialModel.read(folder / "gll_iem_v06_gc.fits.gz", normalize=False)
    diffuse = SkyModel(PowerLawNormSpectralModel(norm=1.0), template, name="diffuse")
    source = SkyModel(
        PowerLawSpectralModel(index=2.0, amplitude=1e-12),
        PointSpatialModel(0, 0, frame="galactic"),
        name="point",
    )
    maps = TSMapEstimator(model=source, kernel_width=1.0).run(cut, Models([diffuse]))
    peaks = find_peaks(first(maps, "sqrt_ts"), 5, "0.3 deg")
    found = SkyCoord(peaks["glon"], peaks["glat"], unit="deg", frame="galactic")
    for lon, lat, significance in KNOWN.values():
        distance = found.separation(SkyCoord(lon, lat, unit="deg", frame="galactic")).deg
        assert distance.min() < 0.06
        value = peaks["value"][distance.argmin()]
        assert abs(value - significance) < max(1.0, 0.15 * significance)
