"""What gammapy reads from a folder of DL3 data that gammajax wrote.

Run by hand: ``python tests/peer/freeze_dl3.py write FOLDER`` where gammajax is installed, then
``... freeze FOLDER`` where gammapy 2.1 is; it writes ``tests/peer/data/dl3.json``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
UNITS = {"aeff": "m2", "edisp": "", "bkg": "s-1 TeV-1 sr-1", "psf": "sr-1", "rad_max": "deg"}


def example_runs() -> list:
    """Three runs: every kind of response is in one of them, every kind of pointing too."""
    from astropy.coordinates import EarthLocation

    from gammajax.data import GTI, Pointing, TimeReference
    from gammajax.irf import Background2D, Background3D, RadMax2D, formula_irfs

    place = EarthLocation.from_geodetic(16.5, -23.27, 1835)
    reference = TimeReference(53300.0, 0.25, "utc")
    king, gauss = formula_irfs(psf="king"), formula_irfs(psf="gauss")
    bkg = king["bkg"]
    altaz = Background3D(bkg.axes, bkg.values, fov_alignment="ALTAZ")
    flat = bkg.to_2d()
    cut = RadMax2D((bkg.axes[0], king["aeff"].axes[1]), np.full((42, 9), 0.1), point_like=True)
    point = {
        name: type(irf)(irf.axes, irf.values, point_like=True)
        for name, irf in king.items()
        if name in ("aeff", "edisp")
    }
    irfs = [
        {**king, "bkg": altaz},
        {**gauss, "bkg": Background2D(flat.axes, flat.values)},
        {**point, "psf": gauss["psf"].to_psf3d(), "bkg": bkg, "rad_max": cut},
    ]
    pointings = [
        Pointing(ra=83.6, dec=22.5, location=place),
        Pointing(alt=80.0, az=10.0, location=place, drift=True),
        Pointing(ra=83.6, dec=21.5, alt=41.0, az=22.0, location=place),
    ]
    runs = []
    for i, (pointing, responses) in enumerate(zip(pointings, irfs, strict=True)):
        start = 2000.0 * i
        gti = GTI([start, start + 1000.0], [start + 900.0, start + 1800.0], reference)
        runs.append(example_run(i + 1, pointing, gti, responses))
    return runs


def example_run(number: int, pointing, gti, irfs):
    from gammajax.data import EventList, Observation

    rng = np.random.default_rng(number)
    n = 100 * number
    columns = {
        "EVENT_ID": np.arange(n),
        "TIME": gti.start[0] + np.sort(rng.uniform(0, 900, n)),
        "RA": rng.normal(83.6, 0.5, n),
        "DEC": rng.normal(22.0, 0.5, n),
        "ENERGY": 0.1 * (1 - rng.random(n)) ** -1.0,
    }
    events = EventList(columns, reference=gti.reference)
    return Observation.create(
        number,
        pointing=pointing,
        gti=gti,
        events=events,
        irfs=irfs,
        dead_time_fraction=0.05 * number,
        info={"OBJECT": "Crab", "QUALITY": number},
    )


def write(folder: Path) -> None:
    from gammajax.data import write_dl3

    runs = example_runs()
    write_dl3(runs, folder / "run", overwrite=True)
    write_dl3(runs, folder / "parts", layout="parts", overwrite=True)


def freeze(folder: Path) -> None:
    found = [read(folder / layout) for layout in ("run", "parts")]
    if found[0] != found[1]:
        raise SystemExit("the two layouts give different numbers")
    (HERE / "data" / "dl3.json").write_text(json.dumps(found[0], indent=1) + "\n")


def read(folder: Path) -> dict:
    from gammapy.data import DataStore

    store = DataStore.from_dir(folder)
    found = {"columns": store.obs_table.colnames, "runs": {}}
    for number in store.obs_table["OBS_ID"]:
        run = store.obs(number)
        found["runs"][str(number)] = {
            "events": {
                "n": len(run.events.table),
                "sum": float(run.events.energy.to_value("TeV").sum()),
                "mjd": run.events.time.utc.mjd[[0, -1]].tolist(),
                "ra": float(run.events.radec.ra.deg.mean()),
            },
            "gti": [run.gti.time_start.utc.mjd.tolist(), run.gti.time_stop.utc.mjd.tolist()],
            "livetime": run.observation_live_time_duration.to_value("s"),
            "pointing": directions(run),
            "irfs": {part: evaluated(part, getattr(run, part)) for part in run.available_irfs},
        }
        place = store.hdu_table.hdu_location(number, "pointing", warn_missing=False)
        if place is not None:
            from gammapy.data import PointingInfo

            table = PointingInfo.read(place.path(), hdu=place.hdu_name)
            rows = [table.radec.ra.deg, table.radec.dec.deg, table.altaz_from_table.alt.deg]
            found["runs"][str(number)]["table"] = [row[[0, -1]].tolist() for row in rows]
    return found


def directions(run) -> list[float]:
    sky = run.get_pointing_icrs(run.gti.time_start[0])
    return [sky.ra.deg.item(), sky.dec.deg.item()]


def evaluated(part: str, irf) -> dict:
    from astropy.units import Quantity

    energy = next(axis for axis in irf.axes if "energy" in axis.name)
    places = {"offset": [0.0, 1.0, 2.0], "migra": [0.9, 1.0, 1.1], "rad": [0.0, 0.05, 0.1],
              "fov_lon": [0.3, 1.0, -2.0], "fov_lat": [0.5, -1.0, 0.1]}  # fmt: skip
    names = [
        *irf.axes.names,
        *(["rad"] if part == "psf" and "rad" not in irf.axes.names else []),
    ]
    coords = {energy.name: energy.center[[12, 20, 28]]}
    for name in names:
        if name != energy.name:
            coords[name] = Quantity(places[name], "" if name == "migra" else "deg")
    return {
        "kind": type(irf).__name__,
        "point_like": bool(irf.is_pointlike),
        "alignment": str(getattr(irf.fov_alignment, "value", "RADEC")),
        "coords": {name: value.value.tolist() for name, value in coords.items()},
        "values": irf.evaluate(**coords).to_value(UNITS[part]).tolist(),
    }


if __name__ == "__main__":
    {"write": write, "freeze": freeze}[sys.argv[1]](Path(sys.argv[2]))
