"""Benchmarks of response tables: a million look-ups beside scipy, and their gradient.

Give a place for the figures with ``GAMMAJAX_BENCHMARK_RESULTS=benchmarks/results/irf.json``.
"""

from __future__ import annotations

import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.interpolate import RegularGridInterpolator

from gammajax.irf import GridAxis, interpolate

SIZES = (24, 160, 6, 10)
N_POINTS = 1_000_000


def best_of(function, repeats: int = 7) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        jax.block_until_ready(function())
        times.append(time.perf_counter() - start)
    return min(times)


@pytest.mark.parametrize("spacing", ["even", "uneven"])
def test_a_million_look_ups(benchmark, record, spacing):
    rng = np.random.default_rng(0)
    values = rng.random(SIZES)
    power = 1.0 if spacing == "even" else 1.5
    axes = [GridAxis.from_nodes(np.linspace(0, 1, size) ** power, "x") for size in SIZES]
    points = tuple(rng.random(N_POINTS) for _ in SIZES)
    scipy_table = RegularGridInterpolator([axis.center for axis in axes], values)
    stacked = np.stack(points, axis=-1)

    value = jax.jit(lambda points, axes, values: interpolate(axes, values, points))
    total = jax.jit(jax.grad(lambda points, axes, values: jnp.sum(value(points, axes, values))))
    np.testing.assert_allclose(value(points, axes, values), scipy_table(stacked), atol=1e-12)

    total(points, axes, values)
    gradient = best_of(lambda: total(points, axes, values))
    peer = best_of(lambda: scipy_table(stacked), 3)
    benchmark(lambda: jax.block_until_ready(value(points, axes, values)))
    seconds = best_of(lambda: value(points, axes, values))
    record(
        f"1e6 look-ups in 4-D, {spacing} axes",
        seconds=seconds,
        scipy_seconds=peer,
        ratio=peer / seconds,
        gradient_seconds=gradient,
        gradient_ratio=gradient / seconds,
    )
    assert peer > 2 * seconds
    assert gradient < 6 * seconds
