"""Do intervals cover? Measured for few and many counts; writes a figure and a table.

    python benchmarks/calibration.py docs/figures/coverage.png

simulates on-off observations of a power law at several strengths, fits each, and counts how
often the truth lies in the profile-likelihood interval, the symmetric interval from the
Hessian and the central posterior interval (flat priors, amplitude above zero).
"""

from __future__ import annotations

import json
import sys
from typing import Any

import jax
import numpy as np

from gammajax.inference import Fit, Likelihood, fit_toys, nuts
from gammajax.inference.problem import predictions
from gammajax.inference.toys import draw_counts
from gammajax.inference.whitening import Whitening
from gammajax.maps import MapAxis
from gammajax.models import Models, PowerLawSpectralModel, SkyModel
from gammajax.simulate import simulate_on_off

N_TOYS, N_POSTERIORS, LEVEL = 2000, 512, 0.683
BACKGROUND = 1.0
AMPLITUDES = (4e-13, 1e-12, 3e-12, 1e-11, 1e-10)


def likelihood_at(amplitude: float) -> Likelihood:
    """Two observations of a power law of index 2.5, the background measured in 10 regions."""
    spectrum = PowerLawSpectralModel(index=2.5, amplitude=amplitude)
    models = Models([SkyModel(spectrum, name="source")]).set("*.amplitude", min=0)
    models = models.set("*.index", min=-2, max=8)
    datasets = simulate_on_off(
        models,
        n_observations=2,
        energy=MapAxis.from_energy_bounds("0.3 TeV", "30 TeV", nbin=8),
        energy_true=MapAxis.from_energy_bounds("0.1 TeV", "100 TeV", nbin=24),
        seed=1,
    )
    return Likelihood(datasets, models)


def posterior_coverage(likelihood: Likelihood, options: dict[str, Any]) -> tuple[Any, int]:
    """The fraction of central intervals with the truth in them, and the divergent steps."""
    problem, index, truth = likelihood.problem, likelihood._index, likelihood.start
    mu = predictions(problem, problem.space.insert(truth, index))
    means = [t.expected(m, BACKGROUND) for t, m in zip(problem.terms, mu, strict=True)]
    whitening = Whitening.from_fit(Fit().run(likelihood))

    @jax.jit
    def one(key: Any) -> tuple[Any, Any]:
        key_data, key_z, key_chain = jax.random.split(key, 3)
        toy = draw_counts(problem, means, key_data)
        z = 0.5 * jax.random.normal(key_z, (1, truth.size))
        state = nuts.begin(toy, whitening, z, key_chain[None], **options)
        steps = options["n_warmup"] + 500
        _, draws = nuts.advance(toy, whitening, state, n_steps=steps, **options)
        kept = draws.theta[0, options["n_warmup"] :]
        edges = jax.numpy.quantile(
            kept, jax.numpy.array([0.5 - LEVEL / 2, 0.5 + LEVEL / 2]), axis=0
        )
        inside = (edges[0] <= truth) & (truth <= edges[1])
        return inside, draws.diverging[0, options["n_warmup"] :].sum()

    keys = jax.random.split(jax.random.key(3), N_POSTERIORS)
    inside, divergent = jax.lax.map(one, keys, batch_size=64)
    return np.asarray(inside).mean(axis=0), int(divergent.sum())


def main(path: str) -> None:
    """Measure all strengths, print a table, draw the figure."""
    rows = []
    for amplitude in AMPLITUDES:
        likelihood = likelihood_at(amplitude)
        counts = sum(float(np.sum(mu)) for mu in likelihood.predict(likelihood.start).values())
        background = {d.name: BACKGROUND for d in likelihood.datasets}
        toys = fit_toys(likelihood, n_toys=N_TOYS, seed=2, background=background, held=True)
        covered = np.abs(toys.root_pulls) <= 1
        with np.errstate(invalid="ignore"):
            symmetric = np.abs(toys.pulls) <= 1
        options = {"n_warmup": 200, "target": 0.9, "depth": 8}
        posterior, divergent = posterior_coverage(likelihood, options)
        rows.append(
            {
                "excess": round(counts, 1),
                "converged": float(toys.converged.mean()),
                "profile": covered.mean(axis=0).round(3).tolist(),
                "hessian": symmetric.mean(axis=0).round(3).tolist(),
                "posterior": posterior.round(3).tolist(),
                "divergent": divergent,
            }
        )
        print(json.dumps(rows[-1]), flush=True)
    draw(rows, likelihood.names, path)


def draw(rows: list[dict[str, Any]], names: tuple[str, ...], path: str) -> None:
    """Coverage against expected excess, one panel for each parameter."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, len(names), figsize=(9, 3.6), sharey=True)
    excess = [row["excess"] for row in rows]
    for i, (axes, name) in enumerate(zip(panels, names, strict=True)):
        for kind, marker in (("profile", "o"), ("hessian", "s"), ("posterior", "^")):
            axes.plot(excess, [row[kind][i] for row in rows], marker=marker, label=kind)
        axes.axhline(LEVEL, color="0.6", lw=1, zorder=0)
        axes.set(xscale="log", xlabel="Expected excess counts", title=name.split(".")[-1])
        axes.grid(alpha=0.3)
    panels[0].set(ylabel=f"Coverage of {100 * LEVEL:.1f} % intervals", ylim=(0.5, 0.9))
    panels[0].legend(frameon=False)
    figure.tight_layout()
    figure.savefig(path, dpi=130)


if __name__ == "__main__":
    main(*sys.argv[1:])
