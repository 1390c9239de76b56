"""The same work as in `test_maps.py` with gammapy, run by the Python that has it.

    python benchmarks/peer_maps.py

prints seconds, and sums of what was made, as JSON.
"""

from __future__ import annotations

import json
import time
import warnings

import numpy as np

warnings.simplefilter("ignore")

SIZES = {"few": 5_000, "many": 1_000_000}


def best_of(function, repeats: int = 5) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    import astropy.units as u
    from gammapy.maps import Map, MapAxis, MapCoord, WcsGeom

    energy = MapAxis.from_energy_bounds("0.5 TeV", "50 TeV", nbin=12)
    geom = WcsGeom.create(
        skydir=(83.633, 22.014), npix=(200, 200), binsz=0.02, proj="TAN", axes=[energy]
    )
    found = {}
    for name, size in SIZES.items():
        rng = np.random.default_rng(0)
        coords = {
            "lon": rng.uniform(81, 86, size) * u.deg,
            "lat": rng.uniform(19, 25, size) * u.deg,
            "energy": rng.uniform(0.3, 60, size) * u.TeV,
        }
        points = MapCoord.create(coords, frame="icrs")
        counts, cube = Map.from_geom(geom), Map.from_geom(geom)
        cube.data += np.arange(12)[:, None, None]
        found[f"fill_{name}"] = best_of(lambda c=counts, p=points: c.fill_by_coord(p))
        found[f"interpolate_{name}"] = best_of(
            lambda c=cube, p=points: c.interp_by_coord(p, fill_value=None)
        )
        counts.data[...] = 0
        counts.fill_by_coord(points)
        found[f"n_{name}"] = float(counts.data.sum())
    found["smooth"] = best_of(lambda: cube.smooth(0.1 * u.deg))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
