"""Posteriors of hundreds of parameters by four ways, compared; writes a figure and a table.

    python benchmarks/posteriors.py 60 docs/figures/posteriors.png

simulates a counts cube with a number of sources that overlap, amplitude and index of each
free, fits it, and draws by NUTS with the covariance of the fit and with blocks of components,
by a guide of low rank, and by the Laplace approximation. Means are in units of the spread of
the chains with the dense matrix.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import numpy as np

from gammajax.datasets import MapDataset
from gammajax.inference import Fit, Likelihood, Posterior, laplace, sample, svi
from gammajax.irf.psf_map import PSFMap
from gammajax.maps import Map, MapAxis, WcsGeom
from gammajax.models import (
    FoVBackgroundModel,
    Models,
    PointSpatialModel,
    PowerLawSpectralModel,
    SkyModel,
)

WIDTH, N_CHAINS, N_WARMUP, N_SAMPLES = 3.0, 4, 250, 750


def likelihood_of(number: int, seed: int = 1) -> Likelihood:
    """A field with sources at random places, of fluxes over one decade."""
    energy = MapAxis.from_energy_bounds("0.5 TeV", "30 TeV", nbin=5)
    true = energy.rename("energy_true")
    geom = WcsGeom.create(skydir=(83.63, 22.01), width=WIDTH, binsz=0.05, axes=[energy])
    dataset = MapDataset(
        name="field",
        counts=Map.from_geom(geom, data=np.zeros(geom.data_shape)),
        exposure=Map.from_geom(geom.to_image().to_cube([true]), data=3e14, unit="cm2 s"),
        background=Map.from_geom(geom, data=0.5 * np.ones(geom.data_shape)),
        psf=PSFMap.from_gauss(true, sigma=0.08),
    )
    rng = np.random.default_rng(seed)
    lon = 83.63 + rng.uniform(-0.45, 0.45, number) * WIDTH / np.cos(np.radians(22.0))
    lat = 22.01 + rng.uniform(-0.45, 0.45, number) * WIDTH
    sources = [
        SkyModel(
            PowerLawSpectralModel(
                index=rng.normal(2.3, 0.25), amplitude=10 ** rng.uniform(-12.2, -11.2)
            ),
            PointSpatialModel(*place),
            name=f"s{i}",
        )
        for i, place in enumerate(zip(lon, lat, strict=True))
    ]
    models = Models([*sources, FoVBackgroundModel(datasets_names="field")])
    models = (
        models.freeze("*.spatial.*").set("s*.amplitude", min=0).set("s*.index", min=-2, max=8)
    )
    return Likelihood([dataset.fake(models, seed=seed)], models)


def timed(what: Any) -> tuple[Posterior, float]:
    began = time.process_time()
    found = what()
    spent = time.process_time() - began
    steps = found.sample_stats.get("n_leapfrog", np.zeros(1)).mean()
    print(found.settings["method"], spent, "s,", steps, "steps a draw", file=sys.stderr)
    return found, spent


def described(found: Posterior, seconds: float, mean: Any, spread: Any) -> dict[str, Any]:
    """How far means and spreads are from those of the reference."""
    shift, ratio = (found.mean - mean) / spread, found.flat.std(axis=0) / spread
    rows = {
        "processor_seconds": seconds,
        "shift_rms": float(np.sqrt(np.mean(shift**2))),
        "shift_max": float(np.abs(shift).max()),
        "spread_ratio_mean": float(ratio.mean()),
        "spread_ratio_sd": float(ratio.std()),
    }
    if "n_leapfrog" in found.sample_stats:
        rows |= {
            "n_leapfrog": float(found.sample_stats["n_leapfrog"].mean()),
            "ess_min": float(found.ess.min()),
            "ess_median": float(np.median(found.ess)),
            "r_hat_max": float(found.r_hat.max()),
            "divergent": found.n_divergent,
        }
    else:
        rows["importance_efficiency"] = found.settings["importance_efficiency"]
    return rows


def draw(found: dict[str, Posterior], mean: Any, spread: Any, path: str) -> None:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
    for name, one in found.items():
        shift, ratio = (one.mean - mean) / spread, one.flat.std(axis=0) / spread
        axes[0].hist(shift, np.linspace(-0.6, 0.6, 49), histtype="step", label=name, lw=1.5)
        axes[1].hist(ratio, np.linspace(0.7, 1.3, 49), histtype="step", label=name, lw=1.5)
    axes[0].set(xlabel="difference of means / spread", ylabel="parameters")
    axes[1].set(xlabel="ratio of spreads")
    axes[0].legend(frameon=False, title="against NUTS, dense")
    for one in axes:
        one.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=150)


def main(number: int, path: str) -> None:
    likelihood = likelihood_of(number)
    result = Fit().run(likelihood)
    assert result.success, result.message
    chains = {
        "n_chains": N_CHAINS, "n_warmup": N_WARMUP, "n_samples": N_SAMPLES, "progress": False
    }  # fmt: skip
    ways = {
        "NUTS, dense": lambda: sample(result, mass="dense", **chains),
        "NUTS, blocks": lambda: sample(result, mass="blocks", seed=1, **chains),
        "SVI, rank 8": lambda: svi(result, rank=8, n_steps=2000),
        "Laplace": lambda: laplace(result, n_samples=4000),
    }
    found = {name: timed(way) for name, way in ways.items()}
    reference = found["NUTS, dense"][0]
    mean, spread = reference.mean, reference.flat.std(axis=0)
    rows = {name: described(*one, mean, spread) for name, one in found.items()}
    print(json.dumps({"n_free": likelihood.n_free, **rows}, indent=2))
    others = {name: one for name, (one, _) in found.items() if name != "NUTS, dense"}
    draw(others, mean, spread, path)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
