"""What gammapy reads from a folder of simulated runs.

Run by hand: ``python tests/peer/freeze_simulated.py write FOLDER`` where gammajax is installed,
then ``... freeze FOLDER`` where gammapy 2.1 is; it writes ``tests/peer/data/simulated.json``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent


def simulated_runs():
    """Two runs with a point, an extended source that decays, and background."""
    from astropy.coordinates import EarthLocation

    from gammajax.data import GTI, Observation, Pointing, TimeReference
    from gammajax.irf import formula_irfs
    from gammajax.models import (
        ExpDecayTemporalModel,
        GaussianSpatialModel,
        Models,
        PointSpatialModel,
        PowerLawSpectralModel,
        SkyModel,
    )
    from gammajax.simulate import ObservationEventSampler

    place = EarthLocation.from_geodetic(16.5, -23.27, 1835)
    reference = TimeReference(53300.0, 0.25, "utc")
    runs = [
        Observation.create(
            number,
            pointing=Pointing(ra=83.63, dec=dec, location=place),
            gti=GTI([2000.0 * number], [2000.0 * number + 1700], reference),
            irfs=formula_irfs(background=3.0),
            dead_time_fraction=0.06,
            info={"OBJECT": "Crab"},
        )
        for number, dec in ((1, 22.51), (2, 21.51))
    ]
    flux = PowerLawSpectralModel(index=2.6, amplitude="3.5e-11 cm-2 s-1 TeV-1")
    models = Models(
        [
            SkyModel(flux, PointSpatialModel(83.63, 22.01), name="crab"),
            SkyModel(
                flux,
                GaussianSpatialModel(84.2, 22.4, 0.2),
                ExpDecayTemporalModel(t0="1 h", t_ref=53300.25),
                name="neighbour",
            ),
        ]
    )
    return ObservationEventSampler(seed=11).run_all(runs, models)


def freeze(folder: str) -> None:
    from gammapy.data import DataStore

    found = {}
    for run in DataStore.from_dir(folder).get_observations():
        table = run.events.table
        found[str(run.obs_id)] = {
            "n_events": len(table),
            "by_source": np.bincount(table["MC_ID"]).tolist(),
            "names": [run.events.table.meta[f"MMN{i:05d}"] for i in range(3)],
            "energy": float(run.events.energy.to_value("TeV").sum()),
            "true": float(np.nansum(table["ENERGY_TRUE"].quantity.to_value("TeV"))),
            "ra": float(run.events.radec.ra.deg.sum()),
            "time": float((run.events.time - run.gti.time_start[0]).to_value("s").sum()),
            "livetime": float(run.observation_live_time_duration.to_value("s")),
            "irfs": sorted(run.available_irfs),
        }
    (HERE / "data" / "simulated.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    if sys.argv[1] == "write":
        simulated_runs().write(sys.argv[2])
    else:
        freeze(sys.argv[2])
