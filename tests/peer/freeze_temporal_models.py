"""Write factors and integrals of gammapy's temporal models, to compare ours with.

Run it by hand in an environment with gammapy 2.1, with ``GAMMAPY_DATA`` set.
"""

from __future__ import annotations

import json
from pathlib import Path

import astropy.units as u
import gammapy
import numpy as np
from astropy.time import Time
from gammapy.modeling.models import (
    TEMPORAL_MODEL_REGISTRY,
    LightCurveTemplateTemporalModel,
    TemplatePhaseCurveTemporalModel,
)

OUT = Path(__file__).with_name("temporal_models.json")
T0 = 55555.0
CASES = {
    "const": {},
    "linear": {"alpha": 1.2, "beta": 0.3, "t_ref": T0},
    "exp-decay": {"t0": 2.5, "t_ref": T0},
    "gauss": {"t_ref": T0 + 1, "sigma": 0.7},
    "gengauss": {"t_ref": T0 + 1, "t_rise": 0.4, "t_decay": 1.3, "eta": 0.8},
    "powerlaw": {"alpha": -1.4, "t_ref": T0 - 0.5, "t0": 2.0},
    "sinus": {"amp": 0.4, "omega": 2.3, "t_ref": T0 + 0.2},
}
TIME = np.linspace(T0 + 0.1, T0 + 4, 9)
START, STOP = T0 + np.array([0.2, 1.0, 2.5]), T0 + np.array([0.6, 2.0, 2.9])


def entry(model, time, start, stop) -> dict:
    scale = model.scale
    at = Time(time, format="mjd", scale=scale)
    ends = (Time(t, format="mjd", scale=scale) for t in (start, stop))
    return {
        "time": time.tolist(),
        "value": np.atleast_1d(u.Quantity(model(at)).to_value("")).tolist(),
        "start": start.tolist(),
        "stop": stop.tolist(),
        "mean": float(np.sum(u.Quantity(model.integral(*ends)).to_value(""))),
    }


def main() -> None:
    found = {}
    for tag, values in CASES.items():
        model = TEMPORAL_MODEL_REGISTRY.get_cls(tag)()
        for name, value in values.items():
            getattr(model, name).value = value
        found[tag] = {"parameters": values} | entry(model, TIME, START, STOP)
    path = "$GAMMAPY_DATA/tests/models/light_curve/lightcrv_PKSB1222+216.fits"
    curve = LightCurveTemplateTemporalModel.read(path)
    time = 59001 + np.array([0.2, 7.7, 40.1, 400.3])
    found["light-curve"] = entry(curve, time, time, time + 0.5)
    phases = TemplatePhaseCurveTemporalModel.read(
        "$GAMMAPY_DATA/tests/phasecurve_LSI_DC.fits",
        t_ref=43366.275 * u.d,
        f0=4.367575e-7 / u.s,
    )
    time = 55000 + np.array([0.2, 7.7, 40.1, 400.3])
    found["phase-curve"] = entry(phases, time, time[0], time[0] + 60)
    data = {"gammapy": gammapy.__version__, "models": found}
    OUT.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
