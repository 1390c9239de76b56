"""Write the brightness that gammapy reads off the interstellar cube of the Fermi-LAT.

Run it by hand in an environment with gammapy 2.1, with ``GAMMAPY_DATA`` set.
"""

from __future__ import annotations

import json
from pathlib import Path

import astropy.units as u
import numpy as np
from gammapy.modeling.models import TemplateSpatialModel


def main() -> None:
    path = "$GAMMAPY_DATA/fermi-3fhl-gc/gll_iem_v06_gc.fits.gz"
    model = TemplateSpatialModel.read(path, normalize=False)
    rng = np.random.default_rng(0)
    lon, lat = rng.uniform(-6, 6, 20), rng.uniform(-3, 3, 20)
    energy = np.geomspace(0.02, 0.4, 20)
    value = [
        model(x * u.deg, y * u.deg, e * u.TeV).to_value("cm-2 s-1 TeV-1 sr-1").item()
        for x, y, e in zip(lon, lat, energy, strict=True)
    ]
    columns = {"lon": lon.tolist(), "lat": lat.tolist(), "energy": energy.tolist()}
    found = {"gll_iem": columns | {"value": value}}
    out = Path(__file__).with_name("spatial_templates.json")
    out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
