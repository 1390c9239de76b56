"""The norm of a source in many simulated sets of data, all in one batch."""

from __future__ import annotations

from typing import Any

import numpy as np

from gammajax.data import FluxNorms
from gammajax.datasets import Datasets, SpectrumDataset, SpectrumDatasetOnOff
from gammajax.estimators.build import build_cells
from gammajax.estimators.energy_bins import energy_bins
from gammajax.estimators.flux_points import reference_fluxes
from gammajax.estimators.norms import NormOptions, measure_norms
from gammajax.estimators.scaled import norm_name, scaled_models, source_name
from gammajax.models import Models, SkyModel


def toy_norms(
    datasets: Any,
    models: Any,
    *,
    norm: float = 1.0,
    n_toys: int = 1000,
    seed: int = 0,
    source: str | None = None,
    reoptimize: Any = False,
    background: Any = None,
    n_sigma: float = 1.0,
    n_sigma_ul: float = 2.0,
    selection_optional: Any = ("errn-errp", "ul"),
    norm_min: float = -np.inf,
    norm_max: float = np.inf,
) -> FluxNorms:
    """Draw counts of spectra many times, and measure the norm of a source in each set.

    All sets are fitted in one compiled batch, by the code of `FluxPointsEstimator`. What the
    errors, limits and test statistics of an estimator are worth for such data follows: the
    part of the limits that are above the truth, or with ``norm=0`` the law of TS without a
    source.

    Parameters
    ----------
    datasets : `~gammajax.datasets.Datasets`, or an iterable of spectra
        Their responses, exposures and backgrounds are used, their counts are not.
    models : `~gammajax.models.Models`
    norm : float
        The truth: the source is this times what the models say.
    n_toys, seed : int
    source, reoptimize, n_sigma, n_sigma_ul, selection_optional, norm_min, norm_max
        As in `FluxPointsEstimator`.
    background : dict of arrays, optional
        For each dataset with off counts, the background expected in the on region; alpha times
        the off counts by default.

    Returns
    -------
    norms : `~gammajax.data.FluxNorms`
        Of shape (toy,), from all bins of the fit range.

    Raises
    ------
    ValueError
        If a dataset is no spectrum, or a number makes no sense.

    Examples
    --------
    >>> from gammajax.models import PowerLawSpectralModel, SkyModel
    >>> from gammajax.simulate import simulate_on_off
    >>> models = Models([SkyModel(PowerLawSpectralModel(amplitude=4e-11), name="crab")])
    >>> datasets = simulate_on_off(models, n_observations=1, livetime="10 min", seed=1)
    >>> toys = toy_norms(datasets, models, n_toys=50)
    >>> bool((toys.norm_ul > 1).mean() > 0.9)
    True
    """
    datasets = datasets if isinstance(datasets, Datasets) else Datasets(datasets)
    models = models if isinstance(models, Models) else Models(models)
    if n_toys < 1 or not norm >= 0:
        raise ValueError(
            f"toy_norms: n_toys is {n_toys} and norm {norm}, expected 1 or more and a "
            "number of 0 or more"
        )
    name = source_name(models, source)
    options = NormOptions.create(
        selection_optional, n_sigma=n_sigma, n_sigma_ul=n_sigma_ul, norm_min=norm_min,
        norm_max=norm_max,
    )  # fmt: skip
    scaled = scaled_models(models, name, reoptimize)
    bins = energy_bins(datasets, None)
    rng = np.random.default_rng(seed)
    truth = scaled.set(norm_name(name), norm)
    toys, masks = [], [{} for _ in range(n_toys)]
    for dataset in datasets:
        for i, toy in enumerate(_drawn(dataset, truth, background, n_toys, rng)):
            toys.append(toy)
            masks[i][toy.name] = bins[0].inside[dataset.name]
    start = scaled.set(
        norm_name(name), float(np.clip(1.0, norm_min, norm_max)), min=norm_min, max=norm_max
    )
    cells = build_cells(Datasets(toys), _for_toys(start, datasets, n_toys), masks)
    found = measure_norms(cells, start.parameters.index(norm_name(name)), options)
    reference = {
        key: np.broadcast_to(value, (n_toys,))
        for key, value in reference_fluxes(models[name].spectral_model, bins).items()
    }
    fields: dict[str, Any] = _by_dataset(found, datasets) | reference | {"covariance": None}
    return FluxNorms(**fields, n_sigma=n_sigma, n_sigma_ul=n_sigma_ul)


def _drawn(
    dataset: Any, models: Models, background: Any, number: int, rng: np.random.Generator
) -> list[Any]:
    """A spectrum with counts drawn many times."""
    if not isinstance(dataset, SpectrumDataset | SpectrumDatasetOnOff):
        raise ValueError(
            f"toy_norms: dataset {dataset.name!r} is a {type(dataset).__name__}, expected a "
            "spectrum; simulate cubes with gammajax.inference.fit_toys"
        )
    here = Models([c for c in models if c.folds_into(dataset.name)])
    names = [f"{dataset.name}-{i}" for i in range(number)]
    shape = (number, dataset.energy.nbin)
    if isinstance(dataset, SpectrumDataset):
        counts = rng.poisson(np.maximum(dataset.npred(here), 0.0), shape)
        return [dataset.replace(name=n, counts=c) for n, c in zip(names, counts, strict=True)]
    level = (background or {}).get(dataset.name, dataset.background)
    level = np.broadcast_to(np.asarray(level, dtype=float), shape[1:])
    alpha = np.where(dataset.alpha > 0, dataset.alpha, 1.0)
    on = rng.poisson(np.maximum(dataset.npred_signal(here), 0.0) + level, shape)
    off = rng.poisson(level / alpha, shape)
    rows = zip(names, on, off, strict=True)
    return [dataset.replace(name=n, counts=a, counts_off=b) for n, a, b in rows]


def _for_toys(models: Models, datasets: Datasets, number: int) -> Models:
    """The models with datasets_names that are those of the toys."""
    made = []
    for component in models:
        names = [n for n in datasets.names if component.folds_into(n)]
        toys = tuple(f"{name}-{i}" for name in names for i in range(number))
        if component.datasets_names is not None and not isinstance(component, SkyModel):
            raise ValueError(
                f"toy_norms: {component.name!r} is a {type(component).__name__} of some "
                "datasets; put its factor into their backgrounds"
            )
        named = component.datasets_names is not None
        made.append(component.replace(datasets_names=toys) if named else component)
    return Models(made).with_table(models.parameters)


def _by_dataset(found: dict[str, Any], datasets: Datasets) -> dict[str, Any]:
    """Sums by the datasets that the toys are of."""
    shape = (len(found["norm"]), len(datasets))
    merged = {}
    for what in ("counts", "npred", "npred_excess"):
        table = dict(zip(found["datasets"], found[what].T, strict=True))
        merged[what] = np.full(shape, np.nan)
        for d, name in enumerate(datasets.names):
            for i in range(shape[0]):
                merged[what][i, d] = table[f"{name}-{i}"][i]
    return found | merged | {"datasets": datasets.names}
