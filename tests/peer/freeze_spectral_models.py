"""Write ``spectral_models.json``: what gammapy gives for its spectral models.

Run it by hand in an environment with gammapy 2.1, with ``GAMMAPY_DATA`` set:
``python tests/peer/freeze_spectral_models.py``.
"""

from __future__ import annotations

import json
from pathlib import Path

import astropy.units as u
import gammapy
import numpy as np
from gammapy.modeling.models import (
    SPECTRAL_MODEL_REGISTRY,
    EBLAbsorptionNormSpectralModel,
    PiecewiseNormSpectralModel,
    TemplateSpectralModel,
    create_crab_spectral_model,
)

ENERGY = [0.002, 0.03, 0.4, 1.0, 7.0, 60.0]
SLOPES = {"index1": 1.6, "index2": 3.1, "amplitude": 3e-12, "ebreak": 0.7}

CASES = [
    ("const", {"const": 3e-12}),
    ("pl", {"index": 2.3, "amplitude": 2e-11, "reference": 0.8}),
    ("pl-2", {"index": 2.3, "amplitude": 2e-11, "emin": 0.2, "emax": 40.0}),
    ("bpl", SLOPES),
    ("sbpl", SLOPES | {"reference": 1.5, "beta": 0.4}),
    ("sbpl", SLOPES | {"index1": 3.1, "index2": 1.6, "reference": 1.5, "beta": 0.4}),
    ("ecpl", {"index": 1.7, "amplitude": 2e-11, "reference": 2, "lambda_": 0.1, "alpha": 0.8}),
    ("ecpl-3fgl", {"index": 1.7, "amplitude": 2e-11, "reference": 2.0, "ecut": 8.0}),
    (
        "secpl-3fgl",
        {"amplitude": 2e-11, "reference": 2, "ecut": 8, "index_1": 1.5, "index_2": 0.7},
    ),
    (
        "secpl-4fgl",
        {
            "amplitude": 2e-5,
            "reference": 1e-3,
            "expfactor": 2e-3,
            "index_1": 1.5,
            "index_2": 0.66,
        },
    ),
    (
        "secpl-4fgl-dr3",
        {
            "amplitude": 2e-5,
            "reference": 1e-3,
            "expfactor": 0.4,
            "index_1": 1.9,
            "index_2": 0.66,
        },
    ),
    (
        "secpl-4fgl-dr3",
        {
            "amplitude": 2e-5,
            "reference": 1e-3,
            "expfactor": 0.1,
            "index_1": 1.9,
            "index_2": 1e-4,
        },
    ),
    ("lp", {"amplitude": 4e-11, "reference": 1.3, "alpha": 2.4, "beta": 0.2}),
    ("lp2", {"amplitude": 4e-11, "reference": 1.3, "alpha": 2.4, "beta": 0.2, "escale": 0.6}),
    ("gauss", {"amplitude": 4e-12, "mean": 1.3, "sigma": 8.0}),
    ("pl-norm", {"tilt": 0.2, "norm": 1.3, "reference": 2.0}),
    ("lp-norm", {"norm": 1.3, "reference": 2.0, "alpha": 0.3, "beta": 0.1}),
    ("ecpl-norm", {"index": 0.3, "norm": 1.3, "reference": 2.0, "lambda_": 0.2, "alpha": 0.9}),
]

NODES = [0.01, 0.1, 2.0, 50.0]
NORMS = [1.0, 3.0, 0.2, 2.0]
FLUXES = [1e-10, 3e-11, 2e-12, 2e-13]
EBL = ("dominguez", "franceschini", "finke", "saldana-lopez21")
REDSHIFTS = [0.03, 0.1, 0.5, 0.525, 1.2]
EBL_ENERGY = [0.05, 0.2, 0.7, 3.0, 12.0]
CRAB = ("meyer", "hegra", "hess_pl", "hess_ecpl", "magic_lp", "magic_ecpl")


def numbers(quantity: u.Quantity, unit: str) -> list[float]:
    return np.atleast_1d(quantity.to_value(unit)).tolist()


def case(tag: str, parameters: dict[str, float]) -> dict:
    cls = SPECTRAL_MODEL_REGISTRY.get_cls(tag)
    model = cls()
    for name, value in parameters.items():
        model.parameters[name].value = value
    norm = not model(1 * u.TeV).unit.is_equivalent("TeV-1 cm-2 s-1")
    unit = "" if norm else "TeV-1 cm-2 s-1"
    row = {"tag": tag, "parameters": parameters, "value": numbers(model(ENERGY * u.TeV), unit)}
    if hasattr(cls, "evaluate_integral") and tag in ("pl", "pl-2", "pl-norm"):
        found = model.integral(0.3 * u.TeV, 20 * u.TeV)
        row["integral"] = float(found.to_value("TeV" if norm else "cm-2 s-1"))
    if tag in ("pl", "pl-norm"):
        found = model.energy_flux(0.3 * u.TeV, 20 * u.TeV)
        row["energy_flux"] = float(found.to_value("TeV2" if norm else "TeV cm-2 s-1"))
    return row


def tables() -> dict:
    energy = ENERGY * u.TeV
    found: dict = {"nodes": NODES, "norms": NORMS, "fluxes": FLUXES}
    for interp in ("log", "lin"):
        model = PiecewiseNormSpectralModel(NODES * u.TeV, NORMS, interp=interp)
        found[f"piecewise-{interp}"] = numbers(model(energy), "")
        fluxes = FLUXES * u.Unit("TeV-1 cm-2 s-1")
        scale = {"values_scale": interp}
        model = TemplateSpectralModel(NODES * u.TeV, fluxes, interp_kwargs=scale)
        found[f"template-{interp}"] = numbers(model(energy), "TeV-1 cm-2 s-1")
    return found


def ebl() -> dict:
    found = {"energy": EBL_ENERGY, "redshift": REDSHIFTS, "survival": {}}
    for name in EBL:
        rows = []
        for redshift in REDSHIFTS:
            model = EBLAbsorptionNormSpectralModel.read_builtin(name, redshift=redshift)
            rows.append(numbers(model(EBL_ENERGY * u.TeV), ""))
        found["survival"][name] = rows
    return found


def main() -> None:
    crab = {
        name: numbers(create_crab_spectral_model(name)(ENERGY * u.TeV), "TeV-1 cm-2 s-1")
        for name in CRAB
    }
    found = {
        "gammapy": gammapy.__version__,
        "energy": ENERGY,
        "cases": [case(*one) for one in CASES],
        "tables": tables(),
        "ebl": ebl(),
        "crab": crab,
    }
    text = json.dumps(found, indent=0)
    Path(__file__).with_name("spectral_models.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
