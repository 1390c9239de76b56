"""The same work as in `test_reduction.py` with gammapy, run by the Python that has it.

    python benchmarks/peer_reduction.py FOLDER

prints seconds, and what was counted, as JSON.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from pathlib import Path

warnings.simplefilter("ignore")

RUNS = (23523, 23526, 23559, 23592)


def best_of(function, repeats: int = 3) -> tuple[float, object]:
    times, found = [], None
    for _ in range(repeats):
        start = time.perf_counter()
        found = function()
        times.append(time.perf_counter() - start)
    return min(times), found


def main(folder: Path) -> None:
    import astropy.units as u
    from astropy.coordinates import SkyCoord
    from gammapy.data import DataStore
    from gammapy.datasets import MapDataset, SpectrumDataset
    from gammapy.makers import (
        MapDatasetMaker,
        ReflectedRegionsBackgroundMaker,
        SafeMaskMaker,
        SpectrumDatasetMaker,
    )
    from gammapy.maps import MapAxis, RegionGeom, WcsGeom
    from regions import CircleSkyRegion

    crab = SkyCoord(83.633, 22.014, unit="deg")
    energy = MapAxis.from_energy_bounds("0.5 TeV", "30 TeV", nbin=12)
    true = MapAxis.from_energy_bounds("0.3 TeV", "60 TeV", nbin=24, name="energy_true")

    def runs():
        return DataStore.from_dir(folder / "hess-dl3-dr1").get_observations(RUNS)

    geom = WcsGeom.create(skydir=crab, width=4, binsz=0.02, proj="TAN", axes=[energy])

    def maps():
        stacked = MapDataset.create(geom, energy_axis_true=true, name="stacked")
        makers = [
            MapDatasetMaker(),
            SafeMaskMaker(methods=["offset-max", "aeff-default"], offset_max=2.5 * u.deg),
        ]
        for run in runs():
            dataset = stacked.cutout(run.get_pointing_icrs(run.tmid), width=5 * u.deg)
            for maker in makers:
                dataset = maker.run(dataset, run)
            stacked.stack(dataset)
        return stacked

    region = RegionGeom.create(CircleSkyRegion(crab, 0.11 * u.deg), axes=[energy])
    wide = WcsGeom.create(skydir=crab, npix=(150, 150), binsz=0.05, proj="TAN")
    other = SkyCoord(183.604, -8.708, unit="deg", frame="galactic")
    mask = ~wide.region_mask([CircleSkyRegion(other, 0.5 * u.deg)])

    def spectra():
        makers = [
            SpectrumDatasetMaker(
                selection=["counts", "exposure", "edisp"], containment_correction=True
            ),
            ReflectedRegionsBackgroundMaker(exclusion_mask=mask),
            SafeMaskMaker(methods=["aeff-max"], aeff_percent=10),
        ]
        made = []
        for run in runs():
            dataset = SpectrumDataset.create(region, energy_axis_true=true)
            for maker in makers:
                dataset = maker.run(dataset, run)
            made.append(dataset)
        return made

    map_seconds, stacked = best_of(maps)
    spectrum_seconds, made = best_of(spectra)
    counts = float((stacked.counts.data * stacked.mask_safe.data).sum())
    off = [float(d.counts_off.data[d.mask_safe.data].sum()) for d in made]
    print(
        json.dumps(
            {"maps": map_seconds, "spectra": spectrum_seconds, "counts": counts, "off": off}
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
