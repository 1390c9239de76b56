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

from gammajax.datasets import MapDataset
from gammajax.fold.linear import LinearFold
from gammajax.inference import Likelihood
from gammajax.inference.products import expansion, hessian_times
from gammajax.irf.psf_map import PSFMap
from gammajax.maps import Map, MapAxis, WcsGeom
from gammajax.models import Models, PointSpatialModel, PowerLawSpectralModel, SkyModel

ROUNDS = 15


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


def seconds(function: Callable[[], Any]) -> float:
    """The least of several rounds, after one that compiles."""
    jax.block_until_ready(function())
    found = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        jax.block_until_ready(function())
        found.append(time.perf_counter() - began)
    return min(found)


def read_speed() -> float:
    """Bytes in a second that a sum of 400 MB reads."""
    array = jnp.ones(50_000_000)
    total = jax.jit(jnp.sum)
    return array.nbytes / seconds(lambda: total(array))


def main(number: int) -> None:
    likelihood = likelihood_of(number)
    # on the device once, as in a fit: only programs are timed
    problem = jax.device_put(likelihood.problem)
    likelihood.problem = problem
    theta = likelihood.start
    size = bytes_of(likelihood)
    at = expansion(problem, problem.space.insert(theta, likelihood._index))
    product = jax.jit(hessian_times)
    direction = np.ones(theta.size)
    once, twice = size["list"] + size["bins"], 2 * size["list"] + size["bins"]
    speed = read_speed()
    rows = {
        "value": seconds(lambda: likelihood.stat(theta)),
        "value_and_gradient": seconds(lambda: likelihood.value_and_gradient(theta)),
        "product": seconds(lambda: product(at, direction)),
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
