"""Write ``data/theta_squared.json``: gammapy's theta-squared tables of four Crab runs.

Run it by hand in an environment with gammapy 2.1 and ``GAMMAPY_DATA`` set:
``python tests/peer/freeze_theta_squared.py``.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import astropy.units as u
import gammapy
import numpy as np
from astropy.coordinates import SkyCoord
from gammapy.data import DataStore
from gammapy.makers.utils import make_theta_squared_table
from gammapy.maps import MapAxis

RUNS = (23523, 23526, 23559, 23592)
CENTER = SkyCoord(83.633, 22.014, unit="deg")
OFF = SkyCoord(83.633, 21.0, unit="deg")
CASES = {
    "mirror": {},
    "three": {"off_regions_number": 3, "energy_edges": [1, 10] * u.TeV},
    "fixed": {"position_off": OFF},
}


def main() -> None:
    store = DataStore.from_dir(Path(os.environ["GAMMAPY_DATA"]) / "hess-dl3-dr1")
    axis = MapAxis.from_bounds(0, 0.1, nbin=10, interp="lin", unit="deg2")
    found = {"gammapy": gammapy.__version__, "cases": {}}
    for name, options in CASES.items():
        table = make_theta_squared_table(store.get_observations(RUNS), axis, CENTER, **options)
        found["cases"][name] = {key: np.asarray(table[key]).tolist() for key in table.colnames}
    text = json.dumps(found, indent=1) + "\n"
    (Path(__file__).with_name("data") / "theta_squared.json").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
