"""Pixels have nodes enough for each spread of a dataset, not for the narrowest one alone."""

from __future__ import annotations

import numpy as np
import pytest

from gammajax.datasets import MapDataset
from gammajax.irf.psf_map import PSFMap
from gammajax.maps import Map, MapAxis, WcsGeom
from gammajax.models import Models, PointSpatialModel, PowerLawSpectralModel, SkyModel


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
