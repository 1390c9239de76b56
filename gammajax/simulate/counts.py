"""Drawing counts for datasets, many times."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gammajax.datasets import Datasets, MapDataset, SpectrumDataset
from gammajax.models import Models


def fake_counts(datasets: Any, models: Any, n: int, *, seed: int = 0) -> dict[str, Any]:
    """Counts of datasets drawn from their predictions, many times, on the device.

    Parameters
    ----------
    datasets : `~gammajax.datasets.Datasets`, or an iterable of datasets
        Counts cubes and spectra with a known background.
    models : `~gammajax.models.Models` or components
    n : int
        The number of realisations.
    seed : int
        The same seed draws the same counts. Each dataset draws from a stream of its own.

    Returns
    -------
    counts : dict of arrays, shape (n, energy, ...)
        By the name of the dataset; whole numbers as float32, exact up to 16 million.

    Raises
    ------
    ValueError
        If a dataset has a measured background: its ``fake`` takes the one that is expected.

    Examples
    --------
    >>> import numpy as np
    >>> from gammajax.datasets import MapDataset
    >>> from gammajax.maps import MapAxis, WcsGeom
    >>> from gammajax.simulate import fake_counts
    >>> geom = WcsGeom.create(npix=4, axes=[MapAxis(np.geomspace(1, 10, 3))])
    >>> empty = MapDataset.create(geom, name="sky")
    >>> flat = empty.replace(background=empty.counts.with_data(np.ones(geom.data_shape)))
    >>> counts = fake_counts([flat], None, 1000)
    >>> counts["sky"].shape, bool(abs(counts["sky"].mean() - 1) < 0.05)
    ((1000, 2, 4, 4), True)
    """
    datasets = datasets if isinstance(datasets, Datasets) else Datasets(datasets)
    if models is not None and not isinstance(models, Models):
        models = Models(models)
    if n < 1:
        raise ValueError(f"fake_counts: n is {n}, expected 1 or more")
    for dataset in datasets:
        if not isinstance(dataset, MapDataset | SpectrumDataset):
            raise ValueError(
                f"fake_counts: dataset {dataset.name!r} is a {type(dataset).__name__}, "
                "expected counts with a known background; other datasets have a method fake"
            )
    key, found = jax.random.key(seed), {}
    for i, dataset in enumerate(datasets):
        mu = dataset.npred(models)
        values = np.maximum(np.asarray(getattr(mu, "data", mu), dtype=float), 0.0)
        found[dataset.name] = _draw(jax.random.fold_in(key, i), values, n)
    return found


@partial(jax.jit, static_argnames="n")
def _draw(key: Any, mean: Any, n: int) -> Any:
    counts = jax.random.poisson(key, mean, shape=(n, *mean.shape))
    return counts.astype(jnp.float32)
