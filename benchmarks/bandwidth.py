"""How fast value and gradient of many sources read memory; prints JSON.

    python benchmarks/bandwidth.py NUMBER

puts NUMBER point sources at random places into a cube in which every bin is occupied, and
times the statistic, its gradient and a product with the Hessian. The bytes that these must
move are counted from the arrays of the fold (docs/design/0019-gradient-cost.md), and compared
with what one core reads when it sums up a large array.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gammajax.config import on_accelerator
from gammajax.datasets import MapDataset
from gammajax.fold.linear import LinearFold
from gammajax.inference import Likelihood
from gammajax.inference.problem import gradient, total_stat
from gammajax.inference.products import expansion, hessian_times
from gammajax.irf.psf_map import PSFMap
from gammajax.maps import Map, MapAxis, WcsGeom
from gammajax.models import Models, PointSpatialModel, PowerLawSpectralModel, SkyModel

ROUNDS, LOOP = 7, 10

LARGE = 2**32 if on_accelerator() else 2**28
"""Bytes that are read to measure the speed of the memory."""


def likelihood_of(number: int) -> Likelihood:
    """Sources of frozen positions, amplitude and index free, with spreads of 0.3 deg."""
    energy = MapAxis.from_energy_bounds("10 GeV", "1 TeV", nbin=6)
    true = energy.rename("energy_true")
    geom = WcsGeom.create(
        skydir=(0.0, 0.0), frame="galactic", width=(20.0, 10.0), binsz=0.1, axes=[energy]
    )
    dataset = MapDataset(
        name="field",
        counts=Map.from_geom(geom, data=np.full(geom.data_shape, 5.0)),
        exposure=Map.from_geom(geom.to_image().to_cube([true]), data=3e11, unit="cm2 s"),
        background=Map.from_geom(geom, data=np.full(geom.data_shape, 5.0)),
        psf=PSFMap.from_gauss(true, sigma=0.3),
    )
    rng = np.random.default_rng(1)
    places = zip(rng.uniform(-9.5, 9.5, number), rng.uniform(-4.5, 4.5, number), strict=True)
    spectrum = PowerLawSpectralModel(amplitude=1e-11, index=2.3, reference="30 GeV")
    models = Models(
        SkyModel(spectrum, PointSpatialModel(*place, frame="galactic"), name=f"s{i}")
        for i, place in enumerate(places)
    )
    return Likelihood([dataset], models.freeze("*.spatial.*"))


def bytes_of(likelihood: Likelihood) -> dict[str, int]:
    """Bytes of the list of responses with its indices, and of what goes by bin."""
    listed = by_bin = 0
    for term in likelihood.problem.terms:
        by_bin += 8 * (3 * term.counts.size) + term.mask.size
        for fold in term.folds:
            assert isinstance(fold, LinearFold)
            arrays = fold.response, fold.row, fold.target, fold.first
            listed += sum(np.asarray(array).nbytes for array in arrays)
    return {"list": listed, "bins": by_bin}


def seconds(function: Callable[..., Any], start: Any, *args: Any) -> float:
    """Of one call in a loop of many in one program, as in a fit; the least of several rounds.

    ``function`` gives an array of the shape of ``start``, and each call waits for the last one.
    """

    @jax.jit
    def many(start: Any, args: Any) -> Any:
        def again(_: Any, at: Any) -> Any:
            return start + 1e-30 * function(at, *args)

        return jax.lax.fori_loop(0, LOOP, again, start)

    jax.block_until_ready(many(start, args))
    found = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        jax.block_until_ready(many(start, args))
        found.append(time.perf_counter() - began)
    return min(found) / LOOP


def read_speed() -> float:
    """Bytes in a second that a sum of a large array reads."""
    array = jnp.ones(LARGE // 8)
    return array.nbytes / seconds(lambda at, array: jnp.sum(array * at), jnp.ones(()), array)


def both(x: Any, problem: Any) -> Any:
    """The gradient, and a little of the statistic, so that both are made."""
    stat, slope = gradient(problem, x)
    return slope + 1e-30 * stat


def main(number: int) -> None:
    likelihood = likelihood_of(number)
    # on the device once, as in a fit: only programs are timed
    problem = jax.device_put(likelihood.problem)
    likelihood.problem = problem
    theta = likelihood.start
    size = bytes_of(likelihood)
    x = problem.space.insert(theta, likelihood._index)
    at = expansion(problem, x)
    direction = jnp.ones(theta.size)
    once, twice = size["list"] + size["bins"], 2 * size["list"] + size["bins"]
    speed = read_speed()
    rows = {
        "value": seconds(lambda x, problem: total_stat(problem, x), x, problem),
        "value_and_gradient": seconds(both, x, problem),
        "product": seconds(lambda d, at: hessian_times(at, d), direction, at),
    }
    found = {
        "sources": number,
        "list_mb": size["list"] / 1e6,
        "bins_mb": size["bins"] / 1e6,
        "read_gb_s": speed / 1e9,
        **{f"{name}_ms": 1e3 * value for name, value in rows.items()},
        "gradient_gb_s": twice / rows["value_and_gradient"] / 1e9,
        "gradient_over_floor": rows["value_and_gradient"] / (once / speed),
        "gradient_over_two_passes": rows["value_and_gradient"] / (twice / speed),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(int(sys.argv[1]))
