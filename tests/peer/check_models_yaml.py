"""Check that gammapy opens the model files that gammajax writes, and finds the same in them.

Run by hand, twice: ``python tests/peer/check_models_yaml.py write FOLDER`` where gammajax is
installed, then ``python tests/peer/check_models_yaml.py compare FOLDER`` where gammapy 2.1 is
(with ``GAMMAPY_DATA`` set, for the EBL table).
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import numpy as np

ENERGY = np.geomspace(0.1, 30, 9)


def write(folder: Path) -> None:
    from gammajax.models import (
        EBLAbsorptionNormSpectralModel,
        LogParabolaSpectralModel,
        Models,
        PiecewiseNormSpectralModel,
        PowerLawSpectralModel,
        SkyModel,
        TemplateSpectralModel,
    )
    from gammajax.models.registry import SPECTRAL_MODELS
    from gammajax.parameters import (
        GaussianPrior,
        GeneralizedGaussianPrior,
        LogUniformPrior,
        UniformPrior,
        WeightedPrior,
    )

    special = ("Template", "Piecewise", "EBL", "Scale", "Compound", "Meyer")
    components = []
    for cls in SPECTRAL_MODELS:
        if not cls.__name__.startswith(special):
            model = cls()
            spectrum = PowerLawSpectralModel() * model if model.is_norm else model
            components.append(SkyModel(spectrum, name=cls.__name__))
    template = TemplateSpectralModel([0.1, 1, 30.0], [1e-9, 1e-11, 1e-15])
    piecewise = PiecewiseNormSpectralModel([0.1, 2, 30], norms=[1.0, 1.5, 0.5])
    ebl = EBLAbsorptionNormSpectralModel.read_builtin("dominguez", redshift=0.1)
    components += [
        SkyModel(template * piecewise, name="template", datasets_names=["on", "1e5"]),
        SkyModel(PowerLawSpectralModel() * ebl, name="absorbed", apply_irf={"psf": False}),
        SkyModel(LogParabolaSpectralModel(), name="a"),
        SkyModel(LogParabolaSpectralModel(), name="b"),
    ]
    models = Models(components)
    # at equal indices gammapy takes the break out, which is not the limit
    models = models.set("SmoothBrokenPowerLawSpectralModel.spectral.index2", 3.0)
    models = models.set("a.spectral.alpha", 2.3, min=1, max=4, prior=GaussianPrior(2.2, 0.3))
    models = models.set("a.spectral.beta", 0.1, prior=UniformPrior(-1.0, 1.0))
    models = models.set("a.spectral.amplitude", 3e-11, prior=LogUniformPrior(1e-13, 1e-9))
    models = models.set(
        "b.spectral.beta", 0.2, prior=WeightedPrior(GaussianPrior(0.1, 0.1), 2.0)
    )
    shape = GeneralizedGaussianPrior(2.0, 0.2, 0.4)
    models = models.set("PowerLawSpectralModel.spectral.index", 2.2, min=0, prior=shape)
    models = models.link("b.spectral.alpha", "a.spectral.alpha")
    models = models.link("b.spectral.amplitude", "a.spectral.amplitude", factor=0.25)
    models = models.freeze("a.spectral.beta").thaw("a.spectral.reference")
    values = np.array([row.value for row in models.parameters])
    scale = 0.1 * np.abs(values) + 1e-3 * (values == 0)
    root = np.random.default_rng(1).normal(size=(values.size, values.size)) / values.size**0.5
    models = models.with_values(values, scale[:, None] * (root @ root.T) * scale)
    models.write(folder / "models.yaml", overwrite=True)
    rows = [
        {
            "name": row.name,
            "value": row.value,
            "unit": row.unit,
            "error": row.error,
            "min": row.min if math.isfinite(row.min) else None,
            "max": row.max if math.isfinite(row.max) else None,
            "frozen": row.frozen or (row.link is not None and row.link.factor != 1),
            "prior": None if row.prior is None else float(row.prior.stat(row.value)),
            "source": row.link.to if row.link and row.link.factor == 1 else None,
        }
        for row in models.parameters
    ]
    dnde = {c.name: np.asarray(c.spectral_model.evaluate(ENERGY)).tolist() for c in models}
    found = {"rows": rows, "dnde": dnde, "covariance": models.covariance.tolist()}
    (folder / "expected.json").write_text(json.dumps(found))


def compare(folder: Path) -> None:
    import astropy.units as u
    import gammapy
    from astropy.table import Table
    from gammapy.modeling.models import Models

    expected = json.loads((folder / "expected.json").read_text())
    models = Models.read(folder / "models.yaml")
    found = {
        f"{model.name}.{name}": par
        for model in models
        for name, par in zip(model.parameters_unique_names, model.parameters, strict=True)
    }
    assert list(found) == [row["name"] for row in expected["rows"]]
    for row in expected["rows"]:
        par = found[row["name"]]
        if row["source"]:
            assert par is found[row["source"]], row["name"]
            continue
        assert u.Unit(row["unit"]) == par.unit, row["name"]
        assert par.value == row["value"], row["name"]
        assert math.isclose(par.error, row["error"], rel_tol=1e-12), row["name"]
        assert par.frozen is row["frozen"], row["name"]
        # gammapy narrows the bounds to those of a uniform prior
        if row["prior"] is None:
            for key in ("min", "max"):
                bound = getattr(par, key)
                assert (row[key] is None and math.isnan(bound)) or bound == row[key], row[
                    "name"
                ]
        stat = None if par.prior is None else par.prior(par)
        assert (stat is None) is (row["prior"] is None), row["name"]
        assert stat is None or math.isclose(stat, row["prior"], rel_tol=1e-10), row["name"]
    worst = 0.0
    for model in models:
        dnde = model.spectral_model(ENERGY * u.TeV).to_value("cm-2 s-1 TeV-1")
        # EBL and piecewise norms interpolate differently between the nodes of a table
        if model.name in ("absorbed", "PiecewiseNormSpectralModel"):
            continue
        difference = np.abs(dnde / expected["dnde"][model.name] - 1).max()
        worst = max(worst, difference)
        assert difference < 1e-6, (model.name, difference)
    table = Table.read(folder / "models_covariance.dat", format="ascii.fixed_width")
    assert list(table["Parameters"]) == [row["name"] for row in expected["rows"]]
    matrix = np.array([list(row)[1:] for row in table], dtype=float)
    assert np.array_equal(matrix, np.array(expected["covariance"]))
    # on reading, gammapy keeps the covariance of single components
    single = models["a"].covariance.data
    place = [i for i, row in enumerate(expected["rows"]) if row["name"].startswith("a.")]
    np.testing.assert_allclose(single, matrix[np.ix_(place, place)], rtol=1e-6, atol=1e-30)
    print(
        f"gammapy {gammapy.__version__}: {len(models)} components, {len(found)} parameters, "
        f"priors, links and covariance are equal; spectra differ by {worst:.1e} at most"
    )


if __name__ == "__main__":
    {"write": write, "compare": compare}[sys.argv[1]](Path(sys.argv[2]))
