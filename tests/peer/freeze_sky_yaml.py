"""Write model files with gammapy that hold all kinds of spatial and temporal models.

Run it by hand in an environment with gammapy 2.1: ``python tests/peer/freeze_sky_yaml.py``.
"""

from __future__ import annotations

import json
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from gammapy.maps import MapCoord
from gammapy.modeling.models import (
    SPATIAL_MODEL_REGISTRY,
    TEMPORAL_MODEL_REGISTRY,
    FoVBackgroundModel,
    Models,
    PiecewiseNormSpatialModel,
    PowerLawNormSpectralModel,
    PowerLawSpectralModel,
    SkyModel,
)

DATA = Path(__file__).with_name("data")
AT = SkyCoord([83.5, 83.7] * u.deg, [22.1, 22.0] * u.deg, frame="icrs")


def models() -> Models:
    rng = np.random.default_rng(0)
    components = []
    for cls in SPATIAL_MODEL_REGISTRY:
        if cls.tag[0].startswith(("Template", "Piecewise")):
            continue
        model = cls() if "const" in cls.tag[1] else cls.from_position(AT[0].galactic)
        for par in model.parameters:
            if par.name not in ("lon_0", "lat_0", "value"):
                par.value = round(float(rng.uniform(0.2, 0.8)), 3)
                par.frozen = not par.frozen
        components.append(SkyModel(PowerLawSpectralModel(), model, name=cls.tag[0]))
    for cls in TEMPORAL_MODEL_REGISTRY:
        if "Template" in cls.tag[0]:
            continue
        model = cls(scale="tt")
        for par in model.parameters:
            if par.name != "t_ref":
                par.value = round(float(rng.uniform(0.5, 2)), 3)
        components.append(
            SkyModel(PowerLawSpectralModel(), temporal_model=model, name=cls.tag[0])
        )
    lon, lat = [83, 84, 84, 83] * u.deg, [21, 21, 23, 23] * u.deg
    coords = MapCoord.create({"lon": lon, "lat": lat})
    piecewise = PiecewiseNormSpatialModel(coords, norms=[1.0, 1.2, 0.9, 1.1], frame="icrs")
    norm = PowerLawNormSpectralModel(norm=1.2)
    components.append(FoVBackgroundModel("run-1", norm, piecewise))
    components.append(FoVBackgroundModel("run-2"))
    return Models(components)


def main() -> None:
    found = models()
    found.write(DATA / "models_sky.yaml", overwrite=True, write_covariance=False)
    rows = [
        [f"{model.name}.{name}", float(par.value), par.unit.to_string("fits"), bool(par.frozen)]
        for model in found
        for name, par in zip(model.parameters_unique_names, model.parameters, strict=True)
    ]
    (DATA / "models_sky.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
