"""Sparse against dense for every kind of component, and Fisher against simulated Hessians."""

from __future__ import annotations

import equinox as eqx
import jax
import numpy as np
import pytest

from gammajax.datasets import MapDataset
from gammajax.fold import FoldOptions
from gammajax.inference import Likelihood
from gammajax.inference.problem import derivatives
from gammajax.irf import EDispKernel, EDispKernelMap, PSFMap
from gammajax.maps import Map, MapAxis, WcsGeom
from gammajax.models import (
    ConstantFluxSpatialModel,
    ConstantSpatialModel,
    DiskSpatialModel,
    FoVBackgroundModel,
    GaussianSpatialModel,
    Models,
    PointSpatialModel,
    PowerLawSpectralModel,
    ShellSpatialModel,
    SkyModel,
    TemplateNPredModel,
    TemplateSpatialModel,
)

CENTER = (83.6, 22.0)


def cube(**maps) -> MapDataset:
    """A cube whose mask, exposure and dispersion differ from bin to bin."""
    energy = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=3)
    true = MapAxis.from_energy_bounds("0.5 TeV", "20 TeV", nbin=5, name="energy_true")
    geom = WcsGeom.create(skydir=CENTER, width=1.6, binsz=0.08, proj="TAN", axes=[energy])
    rng = np.random.default_rng(4)
    ny, nx = geom.data_shape[1:]
    exposure = 3e12 * np.linspace(0.8, 1.2, nx) * np.ones((true.nbin, ny, 1))
    mask = np.ones(geom.data_shape, dtype=bool)
    mask[0, :, :6] = mask[1, :4] = False
    return MapDataset(
        name="cube",
        counts=Map.from_geom(geom, data=rng.poisson(0.4, geom.data_shape).astype(float)),
        exposure=Map.from_geom(geom.to_image().to_cube([true]), data=exposure, unit="cm2 s"),
        background=Map.from_geom(geom, data=rng.uniform(0.2, 0.5, geom.data_shape)),
        psf=PSFMap.from_gauss(true, sigma=0.1 * true.center**-0.2),
        edisp=EDispKernelMap.from_kernel(EDispKernel.from_gauss(true, energy, 0.15)),
        mask_safe=Map.from_geom(geom, data=mask),
    ).replace(**maps)


def template() -> TemplateSpatialModel:
    image = WcsGeom.create(skydir=CENTER, width=3.0, binsz=0.2)
    glow = np.exp(-0.5 * (image.get_coord()["lat"] - 21.8) ** 2)
    return TemplateSpatialModel(Map.from_geom(image, data=glow, unit="sr-1"))


SHAPES = {
    "point": PointSpatialModel(83.65, 22.1),
    "gauss": GaussianSpatialModel(83.65, 22.1, 0.1),
    "disk": DiskSpatialModel(83.65, 22.1, "0.3 deg"),
    "shell": ShellSpatialModel(83.65, 22.1, "0.2 deg", "0.1 deg"),
    "ellipse": GaussianSpatialModel(83.65, 22.1, 0.2, e=0.7, phi="30 deg"),
    "template": template(),
    "uniform": ConstantSpatialModel(value="1 sr-1"),
    "per pixel": ConstantFluxSpatialModel(),
}
MOVE = ("point", "gauss", "disk", "shell")


def components(kind: str, data: MapDataset) -> list:
    if kind == "background":
        return [FoVBackgroundModel(datasets_names="cube", name="s")]
    if kind == "counts":
        known = data.background.with_data(3 * np.asarray(data.background.data))
        return [TemplateNPredModel(known, datasets_names="cube", name="s")]
    amplitude = {"uniform": 2e-10, "per pixel": 2e-13}.get(kind, 2e-11)
    spectrum = PowerLawSpectralModel(amplitude=amplitude)
    return [SkyModel(spectrum, SHAPES[kind], name="s")]


CASES = [
    *((kind, True) for kind in MOVE),
    *((kind, False) for kind in ("disk", "ellipse", "template", "uniform", "per pixel")),
    ("background", False),
    ("counts", False),
]


@pytest.mark.parametrize(("kind", "free"), CASES)
def test_sparse_and_dense_are_the_same(kind: str, free: bool) -> None:
    """Bins with counts as they are among all bins; totals summed to 1e-9, found to 1e-4."""
    data = cube()
    models = Models(components(kind, data))
    if not free and any(".spatial." in name for name in models.parameters.names):
        models = models.freeze("s.spatial.*")
    mask, counts = data.mask, np.asarray(data.counts.data)
    summed = FoldOptions(totals="sum")
    dense, total = predicted(data, np.ones(counts.shape), models, summed)
    # the spread ends at its own distance in each bin, but is as far as the farthest in totals
    exact = 1e-9 if kind not in ("disk", "shell") else 1e-7
    assert dense[mask].sum() == pytest.approx(total, rel=exact)
    known = 0.0 if kind == "background" else data.background_data
    mu = dense + known
    stat = 2 * np.sum((mu - counts * np.log(np.where(mask, mu, 1.0)))[mask])
    for options, tolerance in ((summed, exact * abs(stat)), (FoldOptions(), 1e-4 * total)):
        found, _ = predicted(data, counts, models, options)
        used = mask & (counts > 0)
        np.testing.assert_array_equal(np.isfinite(found), used)
        np.testing.assert_allclose(found[used], dense[used], rtol=1e-9, atol=1e-12)
        likelihood = Likelihood([data], models, options)
        assert float(likelihood.stat(likelihood.start)) == pytest.approx(stat, abs=tolerance)
    # all bins of the map, masked ones too, are those of a frozen component
    npred = np.asarray(data.npred(models).data)[mask]
    tolerance = 1e-3 * mu[mask].max() if kind in MOVE else 1e-9
    np.testing.assert_allclose(npred, mu[mask], rtol=1e-9, atol=tolerance)


def predicted(data, counts, models, options) -> tuple[np.ndarray, float]:
    """Prediction in the bins that have counts, not a number in the others; and the total."""
    given = data.replace(counts=data.counts.with_data(np.asarray(counts, dtype=float)))
    likelihood = Likelihood([given], models, options)
    mu = np.asarray(likelihood.predict(likelihood.start)["cube"])
    found = np.full(counts.shape, np.nan)
    found[data.mask & (counts > 0)] = mu[:-1]
    return found, float(mu[-1])


@pytest.mark.long
def test_fisher_is_the_mean_of_simulated_hessians() -> None:
    """On Asimov data, and within four standard errors of 60 simulated sets."""
    models = Models(
        [
            SkyModel(
                PowerLawSpectralModel(amplitude=2e-11),
                GaussianSpatialModel(83.62, 22.03, 0.1),
                name="s",
            ),
            FoVBackgroundModel(datasets_names="cube", name="bkg"),
        ]
    )
    data = cube()
    data = data.replace(counts=data.counts.with_data(np.ones(data.counts.data.shape)))
    likelihood = Likelihood([data], models)
    problem = likelihood.problem
    x = np.asarray(problem.space.value)
    term = problem.terms[0]
    mean = np.asarray(term.predict(problem.stacks, problem.space.expand(x)))[:, :-1]

    @jax.jit
    def at_counts(problem, x, counts):
        made = eqx.tree_at(lambda p: p.terms[0].counts, problem, counts)
        found = derivatives(made, x)
        return found.hessian, found.fisher

    def matrices(counts):
        return at_counts(problem, x, counts)

    def block(matrix) -> np.ndarray:
        return np.asarray(matrix)

    hessian, expected = (block(matrix) for matrix in matrices(mean))
    scale = 1 / np.sqrt(np.diag(expected))
    unit = np.outer(scale, scale)
    np.testing.assert_allclose(hessian * unit, expected * unit, atol=2e-3)
    rng = np.random.default_rng(9)
    drawn = [matrices(rng.poisson(mean).astype(float))[0] for _ in range(60)]
    sets = np.array([block(matrix) * unit for matrix in drawn])
    error = sets.std(axis=0) / np.sqrt(len(sets))
    assert np.all(np.abs(sets.mean(axis=0) - expected * unit) < 4 * error + 1e-9)
    assert np.all(error < 0.04)
