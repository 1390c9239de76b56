"""What gammapy reads from response files that gammajax wrote.

Run by hand: ``python tests/peer/freeze_irfs.py write FOLDER`` where gammajax is installed, then
``... freeze FOLDER`` where gammapy 2.1 is; it writes ``tests/peer/data/irfs.json``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

HERE = Path(__file__).parent


def write(folder: Path) -> None:
    from gammajax.irf import formula_irfs, write_irfs

    for kind in ("king", "gauss"):
        write_irfs(formula_irfs(psf=kind), folder / f"{kind}.fits", overwrite=True)


def freeze(folder: Path) -> None:
    from gammapy.irf import (
        Background3D,
        EffectiveAreaTable2D,
        EnergyDependentMultiGaussPSF,
        EnergyDispersion2D,
        PSFKing,
    )

    classes = {"aeff": EffectiveAreaTable2D, "edisp": EnergyDispersion2D, "bkg": Background3D}
    units = {"aeff": "m2", "edisp": "", "bkg": "s-1 TeV-1 sr-1", "psf": "sr-1"}
    found = {}
    for kind, psf in (("king", PSFKing), ("gauss", EnergyDependentMultiGaussPSF)):
        found[kind] = {}
        for name, cls in {**classes, "psf": psf}.items():
            irf = cls.read(folder / f"{kind}.fits", hdu=name.upper())
            # nodes in energy, and places between the nodes of the other axes
            energies = [axis for axis in irf.axes if "energy" in axis.name]
            coords = {axis.name: axis.center[[12, 20, 28]] for axis in energies}
            coords |= {"offset": [0.0, 1.0, 2.0]} if "offset" in irf.axes.names else {}
            coords |= {"migra": [0.9, 1.0, 1.1]} if name == "edisp" else {}
            coords |= {"rad": [0.0, 0.05, 0.1]} if name == "psf" else {}
            if name == "bkg":
                coords |= {"fov_lon": [0.3, 1.0, -2.0], "fov_lat": [0.5, -1.0, 0.1]}
            given = {key: as_quantity(key, value) for key, value in coords.items()}
            values = irf.evaluate(**given).to_value(units[name])
            found[kind][name] = {
                "coords": {key: value.value.tolist() for key, value in given.items()},
                "values": values.tolist(),
            }
    (HERE / "data" / "irfs.json").write_text(json.dumps(found, indent=1) + "\n")


def as_quantity(name: str, value):
    from astropy.units import Quantity

    unit = "TeV" if "energy" in name else "" if name == "migra" else "deg"
    return Quantity(value, unit)


if __name__ == "__main__":
    {"write": write, "freeze": freeze}[sys.argv[1]](Path(sys.argv[2]))
