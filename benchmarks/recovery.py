"""Are the parameters of counts cubes recovered? Writes ``docs/figures/recovery.png``.

Run ``python benchmarks/recovery.py docs/figures/recovery.png``; it takes some minutes on two
cores. Three overlapping sources of different shapes, a diffuse template and a background are
simulated and fitted 200 times. For each parameter the signed root of the likelihood ratio
between its truth and the best fit, the others profiled, has to follow a unit normal.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import equinox as eqx
import numpy as np

from gammajax.datasets import MapDataset
from gammajax.inference import Likelihood
from gammajax.inference.newton import CONVERGED, newton
from gammajax.inference.problem import gradient, predictions
from gammajax.irf import EDispKernel, EDispKernelMap, PSFMap
from gammajax.maps import Map, MapAxis, WcsGeom
from gammajax.models import (
    DiskSpatialModel,
    FoVBackgroundModel,
    GaussianSpatialModel,
    Models,
    PointSpatialModel,
    PowerLawSpectralModel,
    SkyModel,
    TemplateSpatialModel,
)

CENTER = (83.6, 22.0)
N_SETS = 200


def empty_cube() -> MapDataset:
    """Two energy bins on 24 x 24 pixels of 0.1 deg, with a count in each."""
    energy = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=2)
    true = MapAxis.from_energy_bounds("0.5 TeV", "20 TeV", nbin=4, name="energy_true")
    geom = WcsGeom.create(skydir=CENTER, width=2.4, binsz=0.1, proj="TAN", axes=[energy])
    ny, nx = geom.data_shape[1:]
    slope = 1 + 0.2 * np.linspace(-1, 1, nx)
    exposure = 3e13 * np.broadcast_to(slope, (true.nbin, ny, nx))
    return MapDataset(
        name="cube",
        counts=Map.from_geom(geom, data=np.ones(geom.data_shape)),
        exposure=Map.from_geom(
            geom.to_image().to_cube([true]), data=exposure.copy(), unit="cm2 s"
        ),
        background=Map.from_geom(geom, data=2.0 * geom_weights(geom)),
        psf=PSFMap.from_gauss(true, sigma=0.1 * true.center**-0.2),
        edisp=EDispKernelMap.from_kernel(EDispKernel.from_gauss(true, energy, 0.15)),
    )


def geom_weights(geom: WcsGeom) -> np.ndarray:
    """A background that falls with energy and from the middle of the map."""
    distance = geom.to_image().separation(geom.center_skydir)
    energy = geom.axes["energy"].center[:, None, None]
    return energy**-1.5 * np.exp(-0.5 * (distance / 1.5) ** 2)


def truth() -> Models:
    """A point, a Gaussian and a disk that overlap, a diffuse template, and the background."""
    image = WcsGeom.create(skydir=CENTER, width=5.0, binsz=0.25)
    glow = np.exp(-0.5 * (image.get_coord()["lat"] - 21.7) ** 2)
    template = TemplateSpatialModel(Map.from_geom(image, data=glow, unit="sr-1"))

    def source(name: str, spatial: Any, amplitude: float, index: float) -> SkyModel:
        return SkyModel(
            PowerLawSpectralModel(amplitude=amplitude, index=index), spatial, name=name
        )

    models = Models(
        [
            source("point", PointSpatialModel(83.45, 22.05), 5.6e-11, 2.2),
            source("gauss", GaussianSpatialModel(83.75, 22.15, 0.2), 7e-11, 2.5),
            source("disk", DiskSpatialModel(83.65, 21.75, "0.4 deg"), 6e-11, 2.0),
            source("diffuse", template, 8e-11, 2.7),
            FoVBackgroundModel(datasets_names="cube", name="bkg"),
        ]
    )
    return models.freeze("diffuse.*").thaw("diffuse.spectral.amplitude")


def counts_of_sources(dataset: MapDataset, models: Models) -> dict[str, float]:
    """Expected counts of each component but the background."""
    return {
        component.name: float(np.sum(dataset.npred_signal(Models([component])).data))
        for component in models
        if component.name != "bkg"
    }


@eqx.filter_jit
def fit(problem: Any, counts: Any, x: Any) -> Any:
    """Best fit, its statistic, the Hessian and the status; the counts are those of all bins."""
    state = newton(with_counts(problem, counts), x, 1e-6, 100)
    return state.x, state.at.stat, state.at.hessian, state.status


@eqx.filter_jit
def slope_at(problem: Any, counts: Any, x: Any) -> tuple[Any, Any]:
    """The statistic for counts in all bins, and its gradient."""
    return gradient(with_counts(problem, counts), x)


def with_counts(problem: Any, counts: Any) -> Any:
    """The problem with other counts in its one term."""
    return eqx.tree_at(lambda p: p.terms[0].counts, problem, counts)


@eqx.filter_jit
def means(problem: Any, x: Any) -> Any:
    """Expected counts in all bins of the one term, shape (dataset, bin)."""
    return predictions(problem, x)[0][:, :-1]


def recover(
    likelihood: Likelihood, n_sets: int, seed: int = 0, held: bool = True
) -> dict[str, np.ndarray]:
    """Simulate and fit; one program serves all sets.

    Parameters
    ----------
    likelihood : `~gammajax.inference.Likelihood`
        Of one cube with counts in every bin, so that every bin is predicted. Its models are
        the truth.
    n_sets : int
    seed : int
    held : bool
        Whether to fit with each parameter held at its truth as well.

    Returns
    -------
    found : dict
        ``ratio``, shape (set,): what the statistic falls from the truth to the best fit;
        ``pulls`` by the Hessian and signed ``roots``, shape (set, n_free); ``converged``.
    """
    problem, index = likelihood.problem, np.asarray(likelihood._index)
    x = np.array(problem.space.value)
    rng = np.random.default_rng(seed)
    mean = np.asarray(means(problem, x))
    ratio, converged = np.zeros(n_sets), np.ones(n_sets, dtype=bool)
    pulls, roots = np.full((2, n_sets, index.size), np.nan)
    for n in range(n_sets):
        counts = rng.poisson(mean).astype(float)
        best, stat, hessian, status = map(np.asarray, fit(problem, counts, x))
        moved = best[index] - x[index]
        converged[n] = status == CONVERGED
        ratio[n] = float(slope_at(problem, counts, x)[0]) - stat
        pulls[n] = moved / np.sqrt(2 * np.diag(np.linalg.inv(hessian)))
        for i in range(index.size) if held else ():
            least = profiled(problem, counts, best, index, hessian, i, x[index[i]])
            converged[n] &= np.isfinite(least)
            roots[n, i] = np.sign(moved[i]) * np.sqrt(np.maximum(least - stat, 0.0))
    return {"ratio": ratio, "pulls": pulls, "roots": roots, "converged": converged}


def profiled(
    problem: Any, counts: Any, best: Any, index: Any, hessian: Any, i: int, value: float
) -> float:
    """The least statistic with one parameter held at a value; not a number if not found.

    Steps are those of the Hessian of the best fit, on exact gradients.
    """
    y, covariance = best.copy(), np.linalg.inv(hessian)
    y[index] += covariance[:, i] / covariance[i, i] * (value - best[index[i]])
    others = np.delete(np.arange(index.size), i)
    inverse = np.linalg.inv(hessian[np.ix_(others, others)])
    for _ in range(30):
        stat, slope = slope_at(problem, counts, y)
        slope = np.asarray(slope)[index[others]]
        step = inverse @ slope
        distance = 0.5 * slope @ step
        if distance < 1e-4:
            return float(stat) - distance
        y[index[others]] -= step
    return float("nan")


def main(path: str) -> None:
    """Simulate, fit, print a table, draw the figure."""
    from scipy.stats import chi2, kstest

    models, dataset = truth(), empty_cube()
    print(json.dumps(counts_of_sources(dataset, models)))
    likelihood = Likelihood([dataset], models)
    found = recover(likelihood, N_SETS)
    good = found["converged"]
    print(f"{int(good.sum())} of {N_SETS} converged")
    whole = kstest(found["ratio"][good], chi2(likelihood.n_free).cdf).pvalue
    print(f"likelihood ratio of all {likelihood.n_free} parameters: p = {whole:.3f}")
    for name, roots in zip(likelihood.names, found["roots"][good].T, strict=True):
        p = kstest(roots, "norm").pvalue
        print(f"| {name} | {roots.mean():+.2f} | {roots.std(ddof=1):.2f} | {p:.2f} |")
    draw(found["roots"][good], likelihood.names, path)


def draw(roots: np.ndarray, names: tuple[str, ...], path: str) -> None:
    """The distribution of each signed root beside a unit normal."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from scipy.stats import norm

    rows = -(-len(names) // 4)
    figure, panels = plt.subplots(rows, 4, figsize=(10, 2.0 * rows), sharex=True, sharey=True)
    edges = np.linspace(-4, 4, 17)
    line = np.linspace(-4, 4, 200)
    for axes, name, column in zip(panels.ravel(), names, roots.T, strict=False):
        axes.hist(column, edges, density=True, color="0.75")
        axes.plot(line, norm.pdf(line), color="C0")
        axes.set_title(name.replace(".spectral", "").replace(".spatial", ""), fontsize=9)
    for axes in panels.ravel()[len(names) :]:
        axes.set_visible(False)
    figure.supxlabel("Signed root of the likelihood ratio")
    figure.tight_layout()
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main(*sys.argv[1:])
