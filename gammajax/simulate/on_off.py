"""Drawing on-off observations."""

from __future__ import annotations

from typing import Any

import numpy as np

from gammajax.datasets import Datasets
from gammajax.maps import MapAxis
from gammajax.models import Models
from gammajax.simulate.response import TelescopeResponse
from gammajax.units import TIME, to_value


def simulate_on_off(
    models: Any,
    response: TelescopeResponse | None = None,
    *,
    n_observations: int = 4,
    livetime: Any = "30 min",
    n_off_regions: int = 10,
    energy: MapAxis | None = None,
    energy_true: MapAxis | None = None,
    seed: int = 0,
) -> Datasets:
    """Observations of the same source with on and off counts drawn from Poisson laws.

    The on region holds source and background, each off region background only.

    Parameters
    ----------
    models : `~gammajax.models.Models` or components
        The truth.
    response : `TelescopeResponse`, optional
    n_observations : int
    livetime : float, `~astropy.units.Quantity` or str
        Of each observation; one number or one an observation. Bare numbers are in s.
    n_off_regions : int
        Off regions of the size of the on region; alpha is one over it.
    energy, energy_true : `~gammajax.maps.MapAxis`, optional
        See `TelescopeResponse.empty_dataset`.
    seed : int
        The same seed draws the same counts. Observations draw from streams of their own:
        the first ones stay the same when more are added.

    Returns
    -------
    datasets : `~gammajax.datasets.Datasets`
        Called ``sim-1``, ``sim-2`` and so on.

    Raises
    ------
    ValueError
        If there is not one livetime an observation, or a number is out of range.

    Examples
    --------
    >>> from gammajax.models import Models, PowerLawSpectralModel, SkyModel
    >>> from gammajax.simulate import simulate_on_off
    >>> crab = PowerLawSpectralModel(index=2.6, amplitude="3.5e-11 cm-2 s-1 TeV-1")
    >>> datasets = simulate_on_off(SkyModel(crab, name="crab"), n_observations=2, seed=1)
    >>> datasets.names
    ('sim-1', 'sim-2')
    """
    models = models if isinstance(models, Models) else Models(models)
    response = response or TelescopeResponse()
    if n_observations < 1:
        raise ValueError(f"n_observations is {n_observations}, expected 1 or more")
    seconds = to_value(livetime, TIME, where="livetime")
    if seconds.shape not in ((), (n_observations,)):
        raise ValueError(
            f"livetime: got {seconds.size} values for {n_observations} observations; "
            "give one for all, or one each"
        )
    seeds = np.random.SeedSequence(seed).generate_state(n_observations, np.uint64)
    drawn = []
    for i, time in enumerate(np.broadcast_to(seconds, (n_observations,))):
        dataset = response.empty_dataset(
            f"sim-{i + 1}",
            livetime=time,
            n_off_regions=n_off_regions,
            energy=energy,
            energy_true=energy_true,
        )
        background = response.background(dataset.energy, time)
        drawn.append(dataset.fake(models, background, seed=int(seeds[i])))
    return Datasets(drawn)
