"""Write densities of gammapy's spatial models, to compare ours with.

Run it by hand in an environment with gammapy 2.1:
``python tests/peer/freeze_spatial_models.py``.
"""

from __future__ import annotations

import json
from pathlib import Path

import astropy.units as u
import gammapy
import numpy as np
from gammapy.modeling.models import SPATIAL_MODEL_REGISTRY

OUT = Path(__file__).with_name("spatial_models.json")

CASES = {
    "gauss": ("gauss", {"sigma": 0.3}),
    "gauss-ellipse": ("gauss", {"sigma": 0.3, "e": 0.8, "phi": 35.0}),
    "gauss-large": ("gauss", {"sigma": 25.0}),
    "gauss-general": ("gauss-general", {"r_0": 0.4, "eta": 0.8}),
    "gauss-general-ellipse": (
        "gauss-general",
        {"r_0": 0.4, "eta": 0.3, "e": 0.6, "phi": -70.0},
    ),
    "disk": ("disk", {"r_0": 0.4}),
    "disk-soft": ("disk", {"r_0": 0.4, "edge_width": 0.1}),
    "disk-ellipse": ("disk", {"r_0": 0.4, "e": 0.9, "phi": 120.0}),
    "shell": ("shell", {"radius": 0.3, "width": 0.1}),
    "shell2": ("shell2", {"r_0": 0.4, "eta": 0.3}),
    "const": ("const", {"value": 2.5}),
}

CENTRES = ((83.6, 22.0), (0.02, -60.0), (123.0, 89.8))


def main() -> None:
    rng = np.random.default_rng(0)
    found = {}
    for name, (tag, values) in CASES.items():
        cls = SPATIAL_MODEL_REGISTRY.get_cls(tag)
        size = 100.0 if name == "gauss-large" else 1.0
        entries = []
        for centre in CENTRES if tag != "const" else CENTRES[:1]:
            place = {} if tag == "const" else dict(zip(("lon_0", "lat_0"), centre, strict=True))
            model = cls()
            for key, value in (values | place).items():
                getattr(model, key).value = value
            # positions at known distances and angles, on the sphere
            theta = np.deg2rad(size * np.linspace(0.02, 0.55, 12))
            angle = rng.uniform(0, 2 * np.pi, theta.size)
            lat = np.deg2rad(centre[1])
            sin = np.sin(lat) * np.cos(theta) + np.cos(lat) * np.sin(theta) * np.cos(angle)
            east = np.sin(theta) * np.sin(angle)
            other = np.cos(theta) * np.cos(lat) - np.sin(lat) * np.sin(theta) * np.cos(angle)
            lon = np.rad2deg(np.arctan2(east, other)) + centre[0]
            lat = np.rad2deg(np.arcsin(sin))
            value = model(lon * u.deg, lat * u.deg)
            value = np.broadcast_to(u.Quantity(value).to_value("sr-1"), lon.shape)
            entries.append(
                {"lon": lon.tolist(), "lat": lat.tolist(), "value": value.tolist(), **place}
            )
        found[name] = {"tag": tag, "parameters": values, "at": entries}
    data = {"gammapy": gammapy.__version__, "models": found}
    OUT.write_text(json.dumps(data, indent=1) + "\n")


if __name__ == "__main__":
    main()
