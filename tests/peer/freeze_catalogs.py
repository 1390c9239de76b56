"""Write models and flux points of sources as gammapy reads them, to compare ours with.

Run it by hand in an environment with gammapy 2.1, with ``GAMMAPY_DATA`` set.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import astropy.units as u
import gammapy
import numpy as np
from gammapy.catalog import CATALOG_REGISTRY

OUT = Path(__file__).with_name("catalogs.json")
SPECIAL = {
    "3fhl": ["Crab Nebula", "Vela X", "IC 443", "3FHL J1104.4+3812"],
    "3fgl": ["3FGL J0007.0+7302", "3FGL J0534.5+2201", "Cygnus Cocoon", "3FGL J0534.5+2201i"],
    "hgps": ["HESS J1713-397", "HESS J1912+101", "HESS J1818-154", "HESS J1745-290"],
    "gamma-cat": ["CTA 1", "Vela X", "Crab nebula", "HESS J1626-490", "HESS J1731-347"],
    "2PC": ["J0030+0451", "J0534+2200"],
    "3hwc": ["3HWC J0621+382", "3HWC J0534+220"],
    "1LHAASO": ["1LHAASO J0007+7303u"],
}
UNITS = {"amplitude": None, "reference": "TeV", "emin": "TeV", "emax": "TeV", "ecut": "TeV",
         "lambda_": "TeV-1"}  # fmt: skip


def parameters(model) -> dict:
    found = {}
    for par in model.parameters:
        unit = UNITS.get(par.name, str(par.unit))
        if par.name == "amplitude":
            unit = "cm-2 s-1" if par.unit.is_equivalent("cm-2 s-1") else "cm-2 s-1 TeV-1"
        scale = par.unit.to(unit)
        found[par.name] = [float(par.value) * scale, float(par.error) * scale]
    return found


def entry(source, **options) -> dict | None:
    try:
        spectral = source.spectral_model(**options)
        spatial = source.spatial_model(**options)
    except Exception:  # what gammapy cannot read is no number to compare with
        return None
    if spectral is None or spatial is None or "Template" in type(spatial).__name__:
        return None
    # At an energy where no spectrum has fallen below what a float32 holds.
    pivot = getattr(spectral, "reference", None)
    energy = 1.0 if pivot is None else 2 * float(pivot.quantity.to_value("TeV"))
    return {
        "spectral": [type(spectral).__name__, parameters(spectral)],
        "spatial": [type(spatial).__name__, parameters(spatial)],
        "frame": spatial.frame,
        "energy": energy,
        "dnde": float(spectral(energy * u.TeV).to_value("cm-2 s-1 TeV-1")),
    }


def points(source) -> dict | None:
    table = getattr(source, "flux_points_table", None)
    if table is None:
        return None
    kind = "flux" if "flux" in table.colnames else "dnde"
    unit = "cm-2 s-1" if kind == "flux" else "cm-2 s-1 TeV-1"
    found = {"sed_type": kind}
    for ending in ("", "_errn", "_errp", "_err", "_ul"):
        if kind + ending in table.colnames:
            values = np.ma.filled(table[kind + ending].quantity.to_value(unit), np.nan)
            found[kind + ending] = [x if math.isfinite(x) else None for x in values.tolist()]
    return found


def main() -> None:
    found = {}
    for tag, names in SPECIAL.items():
        catalog = CATALOG_REGISTRY.get_cls(tag)()
        rows = np.linspace(0, len(catalog.table) - 1, 9).astype(int).tolist()
        sources = [catalog[key] for key in [*names, *rows]]
        entries = {}
        for source in sources:
            for which in ("KM2A", "WCDA") if tag == "1LHAASO" else (None,):
                made = entry(source, **({"which": which} if which else {}))
                if made is not None:
                    key = source.name if which is None else f"{source.name}|{which}"
                    entries[key] = made
        found[tag.lower()] = {"sources": entries}
        if tag in ("3fhl", "3fgl", "hgps", "gamma-cat"):
            found[tag.lower()]["points"] = {s.name: points(s) for s in sources[:3]}
    found["gammapy"] = gammapy.__version__
    OUT.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
