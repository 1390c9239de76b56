"""The same work as in `test_data.py` with gammapy, run by the Python that has it.

    python benchmarks/peer_data.py FOLDER

prints seconds, and sums of what was made, as JSON.
"""

from __future__ import annotations

import json
import sys
import time
import warnings

import numpy as np

warnings.simplefilter("ignore")

RUNS = [23523, 23526, 23559, 23592]


def best_of(function, repeats: int = 5) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def main(folder: str) -> None:
    from astropy.coordinates import SkyCoord
    from gammapy.data import DataStore
    from gammapy.makers.utils import make_map_background_irf, make_map_exposure_true_energy
    from gammapy.maps import Map, MapAxis, WcsGeom

    def listing():
        return DataStore.from_dir(folder)

    def opening():
        for number in RUNS:
            run = store.obs(number)
            _ = (run.events.table, run.gti, run.aeff, run.edisp, run.psf, run.bkg)

    energy = MapAxis.from_energy_bounds("0.5 TeV", "50 TeV", nbin=12)
    true = energy.rename("energy_true")
    centre = SkyCoord(83.633, 22.014, unit="deg")
    sky = {"skydir": centre, "npix": (200, 200), "binsz": 0.02, "frame": "icrs"}
    reco_geom, true_geom = (
        WcsGeom.create(axes=[energy], **sky),
        WcsGeom.create(axes=[true], **sky),
    )

    store = listing()
    runs = store.get_observations(RUNS)
    for run in runs:
        _ = (run.events.table, run.gti, run.aeff, run.bkg)

    def counts():
        image = Map.from_geom(reco_geom)
        for number in RUNS:
            run = store.obs(number)
            image.fill_events(run.events)
        return image

    def exposure():
        return [
            make_map_exposure_true_energy(
                run.pointing.fixed_icrs, run.observation_live_time_duration, run.aeff, true_geom
            )
            for run in runs
        ]

    def background():
        return [
            make_map_background_irf(
                run.pointing,
                run.observation_time_duration,
                run.bkg,
                reco_geom,
                run.gti.time_start[0],
                location=run.observatory_earth_location,
            )
            for run in runs
        ]

    found = {
        name: best_of(function)
        for name, function in [
            ("listing", listing),
            ("opening", opening),
            ("counts", counts),
            ("exposure", exposure),
            ("background", background),
        ]
    }
    found["n_counts"] = float(counts().data.sum())
    # beyond the last node of the table the peer goes on with a line: compared is what is inside
    inside = [true_geom.separation(run.pointing.fixed_icrs).deg < 2.4 for run in runs]
    found["exposures"] = [
        float((x.quantity.to_value("cm2 s") * m).sum())
        for x, m in zip(exposure(), inside, strict=True)
    ]
    found["backgrounds"] = [np.nansum(x.data).item() for x in background()]
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])
