"""Pictures of off regions."""

import astropy.units as u
import matplotlib.pyplot as plt
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from regions import CircleSkyRegion

from gammajax.datasets import SpectrumDataset
from gammajax.makers import ReflectedRegionsFinder
from gammajax.maps import MapAxis, RegionGeom
from gammajax.plots import plot_off_regions

ON = CircleSkyRegion(SkyCoord(83.6, 22.0, unit="deg"), 0.1 * u.deg)


def test_each_region_is_drawn() -> None:
    energy = MapAxis(np.geomspace(1, 10, 3))
    dataset = SpectrumDataset.create(RegionGeom.create(ON, axes=[energy]), name="run")
    regions = ReflectedRegionsFinder().run(ON, SkyCoord(83.6, 22.5, unit="deg"))
    known = dataset.replace(meta={**dataset.meta, "off_regions": regions})
    ax = plot_off_regions([known, dataset])
    assert len(ax.lines) == len(regions) + 1
    many = plot_off_regions([known] * 9)
    on = many.lines[-2].get_color()
    assert on not in {line.get_color() for line in many.lines[:-2]}
    assert "off, 9 datasets" in many.get_legend_handles_labels()[1]
    with pytest.raises(ValueError, match="no dataset has off regions"):
        plot_off_regions([dataset])
    plt.close("all")
