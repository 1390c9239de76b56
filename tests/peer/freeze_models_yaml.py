"""Write model files with gammapy, and what gammapy finds in them, into ``data``.

Run it by hand in an environment with gammapy 2.1: ``python tests/peer/freeze_models_yaml.py``.
"""

from __future__ import annotations

import json
from pathlib import Path

import astropy.units as u
import numpy as np
from gammapy.maps import MapAxis, RegionNDMap
from gammapy.modeling.models import (
    MODEL_REGISTRY,
    PRIOR_REGISTRY,
    SPECTRAL_MODEL_REGISTRY,
    EBLAbsorptionNormSpectralModel,
    ExpCutoffPowerLawSpectralModel,
    GaussianPrior,
    GaussianSpectralModel,
    GeneralizedGaussianPrior,
    LogParabolaSpectralModel,
    LogUniformPrior,
    Models,
    PiecewiseNormSpectralModel,
    PowerLaw2SpectralModel,
    PowerLawNormSpectralModel,
    PowerLawSpectralModel,
    SkyModel,
    TemplateNDSpectralModel,
    TemplateSpectralModel,
    UniformPrior,
)

DATA = Path(__file__).with_name("data")
ENERGY = np.geomspace(0.05, 50, 7) * u.TeV
DNDE = u.Unit("cm-2 s-1 TeV-1")


def models() -> Models:
    """Components with links, priors, bounds, foreign units, and models within models."""
    crab = LogParabolaSpectralModel(
        amplitude="3.8e-7 m-2 s-1 TeV-1", reference="1000 GeV", alpha=2.5, beta=0.1
    )
    crab.amplitude.min, crab.amplitude.max = 0, 1e-5
    crab.amplitude.prior = LogUniformPrior(min=1e-8, max=1e-5)
    crab.alpha.prior = GaussianPrior(mu=2.4, sigma=0.2)
    crab.beta.prior = UniformPrior(min=-0.5, max=1)
    other = LogParabolaSpectralModel(amplitude=2e-12 * DNDE, reference="1 TeV")
    other.alpha = crab.alpha
    line = GaussianSpectralModel(amplitude="1e-9 m-2 s-1", mean="300 GeV", sigma="20 GeV")
    line.sigma.frozen = True
    cut = ExpCutoffPowerLawSpectralModel(lambda_="2e-4 GeV-1", reference="2 TeV")
    cut.reference.frozen = False
    cut.index.prior = GeneralizedGaussianPrior(mu=1.4, sigma=0.3, eta=0.4)
    cut.index.prior.weight = 2
    band = PowerLaw2SpectralModel(amplitude="1e-7 m-2 s-1", emin="30 GeV", emax="3 TeV")
    template = TemplateSpectralModel(
        [100, 1000, 20000] * u.GeV, [1e-9, 3e-11, 2e-14] * u.Unit("cm-2 s-1 GeV-1")
    )
    piecewise = PiecewiseNormSpectralModel([0.1, 1, 10] * u.TeV, norms=[1, 1.4, 0.8])
    ebl = EBLAbsorptionNormSpectralModel(
        energy=[50, 500, 5000] * u.GeV,
        param=[0.0, 0.2, 0.5] * u.one,
        data=np.array([[1, 1, 1], [0.999, 0.9, 0.2], [0.99, 0.7, 0.01]]) * u.one,
        redshift=0.2,
        alpha_norm=1.1,
    )
    absorbed = PowerLawSpectralModel(index=2.1, amplitude=1e-11 * DNDE) * ebl
    tilted = template * PowerLawNormSpectralModel(tilt=0.2, reference="1 GeV")
    return Models(
        [
            SkyModel(crab, name="crab", datasets_names=["hess", "magic"]),
            SkyModel(
                other, name="other", apply_irf={"exposure": True, "psf": False, "edisp": True}
            ),
            SkyModel(line, name="line"),
            SkyModel(cut, name="cut"),
            SkyModel(band, name="band"),
            SkyModel(tilted, name="tilted"),
            SkyModel(template * piecewise, name="piecewise"),
            SkyModel(absorbed, name="absorbed"),
        ]
    )


def describe(sky: Models) -> dict:
    rows = []
    for model in sky:
        for name, par in zip(model.parameters_unique_names, model.parameters, strict=True):
            row = {"name": f"{model.name}.{name}", "unit": par.unit.to_string("fits")}
            row |= {
                key: getattr(par, key) for key in ("value", "error", "min", "max", "frozen")
            }
            row["prior"] = par.prior(par) if par.prior else None
            rows.append(
                {key: float(v) if isinstance(v, np.floating) else v for key, v in row.items()}
            )
    for row in rows:
        row["frozen"] = bool(row["frozen"])
        for key in ("min", "max"):
            row[key] = None if np.isnan(row[key]) else float(row[key])
    flux = {model.name: model.spectral_model(ENERGY).to_value(DNDE).tolist() for model in sky}
    return {
        "parameters": rows,
        "energy": ENERGY.to_value("TeV").tolist(),
        "dnde": flux,
    }


def defaults() -> dict:
    found = {}
    for cls in [*SPECTRAL_MODEL_REGISTRY, *PRIOR_REGISTRY]:
        found[cls.__name__] = [
            {
                "name": par.name,
                "value": float(par.value),
                "unit": par.unit.to_string("fits"),
                "frozen": bool(getattr(par, "frozen", False)),
                "bounded": not (np.isnan(par.min) and np.isnan(par.max)),
            }
            for par in cls.default_parameters
        ]
        found[cls.__name__].append({"tags": list(cls.tag)})
    return found


def template_nd() -> dict:
    """A template over two parameters in a file of its own, and its flux between the nodes."""
    energy = MapAxis.from_energy_bounds("0.1 TeV", "50 TeV", nbin=5, name="energy_true")
    steep = MapAxis.from_nodes([0, 3], name="steep")
    cut = MapAxis.from_nodes([1, 10, 100], name="cut", unit="GeV", interp="log")
    table = RegionNDMap.create(
        region="icrs;point(0, 0)", axes=[energy, steep, cut], unit="cm-2 s-1 TeV-1"
    )
    table.data = np.random.default_rng(0).uniform(1, 2, table.data.shape) * 1e-12
    path = DATA / "template_nd.fits"
    table.write(path, overwrite=True)
    model = TemplateNDSpectralModel(table, filename=path)
    model.steep.value, model.cut.value = 0.7, 20.0
    grid = np.geomspace(0.3, 20, 6) * u.TeV
    text = Models([SkyModel(model, name="nd")]).to_yaml().replace(f"{DATA}/", "")
    (DATA / "template_nd.yaml").write_text(text)
    return {
        "energy": grid.to_value("TeV").tolist(),
        "dnde": model(grid).to_value(DNDE).tolist(),
    }


def main() -> None:
    DATA.mkdir(exist_ok=True)
    sky = models()
    # a fit would give errors that fit the values; a dense covariance tests more
    scale = np.array([abs(par.value) * 0.1 + 1e-3 * (par.value == 0) for par in sky.parameters])
    root = np.random.default_rng(4).normal(size=(len(scale), len(scale))) / len(scale) ** 0.5
    covariance = scale[:, None] * (root @ root.T) * scale
    sky.covariance = covariance
    for full, name in ((True, "models_spectral_full"), (False, "models_spectral")):
        path = DATA / f"{name}.yaml"
        sky.write(path, overwrite=True, full_output=full, write_covariance=not full)
    found = describe(Models.read(DATA / "models_spectral.yaml"))
    # on reading, the peer itself keeps the blocks of single components only
    found["covariance"] = covariance.tolist()
    found["template_nd"] = template_nd()
    (DATA / "models_spectral.json").write_text(json.dumps(found, indent=1) + "\n")
    (DATA / "model_defaults.json").write_text(json.dumps(defaults(), indent=1) + "\n")
    print(
        f"{len(sky)} components, {len(sky.parameters)} parameters, {len(MODEL_REGISTRY)} kinds"
    )


if __name__ == "__main__":
    main()
