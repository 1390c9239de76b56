r"""Draws from the normal distribution that touches a posterior at its mode.

With the precision :math:`P = H / 2` and any square root S of about its inverse, the matrix
:math:`A = S^T P S` is near one, and

.. math:: u = u_0 + S A^{-1/2} \epsilon, \quad \epsilon \sim N(0, 1)

has the covariance :math:`S A^{-1} S^T = P^{-1}` exactly. :math:`A^{-1/2} \epsilon` is taken
from a Krylov space that A makes of :math:`\epsilon` (Lanczos): because A is near one, a few
products with the Hessian serve, and no matrix of all parameters is made.
"""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from gammajax.config import program
from gammajax.inference.approximate import posterior_of_draws
from gammajax.inference.fit import Fit
from gammajax.inference.likelihood import Likelihood
from gammajax.inference.posterior import Posterior
from gammajax.inference.products import expansion
from gammajax.inference.result import FitResult
from gammajax.inference.structured import RANK, whitened_product
from gammajax.inference.whitening import Whitening

DEPTHS = (4, 8, 16, 32, 64)
"""Sizes of the Krylov space that are tried."""

TOLERANCE = 1e-4
"""Error of a draw, in units of its length, at which the space is large enough."""


def laplace(
    start: Likelihood | FitResult,
    *,
    n_samples: int = 1000,
    rank: int = RANK,
    seed: int = 0,
) -> Posterior:
    """Approximate the posterior by the normal distribution that has the fit's Hessian.

    Parameters of one bound or two are normal in its logarithmic or logistic coordinate, so
    draws stay inside. A parameter at its bound is taken half an error inside, and the Fisher
    matrix is taken for the Hessian then: look there with `sample`.

    Parameters
    ----------
    start : `~gammajax.inference.FitResult` or `~gammajax.inference.Likelihood`
        A likelihood is fitted first.
    n_samples : int
    rank : int
        See `gammajax.inference.structured`; it decides about the time, and not about the
        answer.
    seed : int

    Returns
    -------
    posterior : `Posterior`
        With one chain. ``settings["importance_efficiency"]`` is as for `svi`, and falls with
        the number of parameters; ``settings["lanczos_error"]`` is the error of the first
        draws relative to their length, below 1e-4.

    Raises
    ------
    ValueError
        If the Krylov space of 64 products is too small for that, or the Hessian is not
        positive definite.

    Examples
    --------
    >>> from gammajax.inference import Likelihood, laplace
    >>> from gammajax.maps import MapAxis
    >>> from gammajax.models import Models, PowerLawSpectralModel, SkyModel
    >>> from gammajax.simulate import simulate_on_off
    >>> models = Models([SkyModel(PowerLawSpectralModel(amplitude=4e-11), name="a")])
    >>> energy = MapAxis.from_energy_bounds("0.5 TeV", "20 TeV", nbin=8)
    >>> datasets = simulate_on_off(models, n_observations=2, energy=energy, seed=0)
    >>> draws = laplace(Likelihood(datasets, models), n_samples=500)
    >>> draws.samples.shape
    (1, 500, 2)
    """
    result = start if isinstance(start, FitResult) else Fit().run(start)
    if n_samples < 1:
        raise ValueError(f"laplace: n_samples is {n_samples}, expected 1 or more")
    began = time.perf_counter()
    whitening = Whitening.structured(result, rank)
    likelihood = result.likelihood
    problem = likelihood.problem
    noise = np.random.default_rng(seed).normal(size=(n_samples, likelihood.n_free))
    at = expansion(problem, whitening.middle(problem))
    half = whitening.half.unscaled()
    if result.at_bounds:
        # inside of a bound the Hessian may curve down, and the Fisher matrix never does
        bins = tuple(part._replace(bend=part.expected) for part in at.bins)
        at = at._replace(bins=bins, bends=())
        half = eqx.tree_at(lambda h: h.mended, half, np.zeros_like(half.mended))
    depth, error = _depth(at, half, noise[:4])
    draws = np.asarray(_roots(at, half, noise, depth)[0])
    settings = {
        "method": "Laplace",
        "n_samples": n_samples,
        "seed": seed,
        "krylov": depth,
        "lanczos_error": error,
    }
    log_guide = -0.5 * np.sum(noise**2, axis=1)
    return posterior_of_draws(likelihood, whitening, draws, log_guide, settings, began)


def _depth(at: Any, half: Any, noise: np.ndarray) -> tuple[int, float]:
    """The size of the Krylov space that draws need, and their error with it."""
    error = np.inf
    for depth in DEPTHS:
        _, errors, least = _roots(at, half, noise, depth)
        error = float(np.max(errors))
        if np.min(least) <= 0:
            raise ValueError(
                "laplace: the Hessian is not positive definite at the fit, so there is no "
                "normal distribution that touches the posterior there; use sample"
            )
        if error < TOLERANCE or depth >= noise.shape[1]:
            return depth, error
    raise ValueError(
        f"laplace: draws are right to {error:.1e} of their length after {DEPTHS[-1]} products, "
        f"expected {TOLERANCE:g}; a larger rank brings the start nearer"
    )


@partial(program, static_argnames=("depth",))
def _roots(at: Any, half: Any, noise: Any, depth: int) -> tuple[Any, Any, Any]:
    """A^(-1/2) times each row, the estimated relative error of each, and least values."""

    def product(z: Any) -> Any:
        return whitened_product(at, half, z)

    return jax.lax.map(lambda z: inverse_root(product, z, depth), noise)


def inverse_root(product: Any, vector: Any, depth: int) -> tuple[Any, Any, Any]:
    """The inverse square root of a positive matrix times a vector, by Lanczos; pure.

    Parameters
    ----------
    product : callable
        The matrix times a vector.
    vector : array, shape (n,)
    depth : int
        Size of the Krylov space.

    Returns
    -------
    found : array, shape (n,)
    error : float
        The change from a space that is smaller by one, relative to the length: an estimate
        of the error that is on the safe side.
    least : float
        The least eigenvalue that was met; where it is not positive there is no root.
    """
    depth = min(depth, vector.size)
    length = jnp.linalg.norm(vector)

    def advance(carry: Any, place: Any) -> Any:
        basis, here = carry
        basis = basis.at[place].set(here)
        moved = product(here)
        bend = here @ moved
        # twice, because once leaves rounding errors that grow
        for _ in range(2):
            moved = moved - basis.T @ (basis @ moved)
        size = jnp.linalg.norm(moved)
        ended = size < 1e-12 * (1 + jnp.abs(bend))
        here = jnp.where(ended, 0.0, moved / jnp.where(ended, 1.0, size))
        return (basis, here), (bend, jnp.where(ended, 0.0, size))

    start = jnp.zeros((depth, vector.size)), vector / length
    (basis, _), (bends, sizes) = jax.lax.scan(advance, start, jnp.arange(depth))
    # what comes after the end of a space is a block of its own, with nothing in it
    bends = jnp.where(bends == 0, 1.0, bends)

    def found(number: int) -> tuple[Any, Any]:
        matrix = jnp.diag(bends[:number])
        beside = sizes[: number - 1]
        matrix = matrix + jnp.diag(beside, 1) + jnp.diag(beside, -1)
        values, vectors = jnp.linalg.eigh(matrix)
        root = vectors @ (vectors[0] / jnp.sqrt(jnp.maximum(values, 1e-12)))
        return length * (root @ basis[:number]), values[0]

    last, least = found(depth)
    change = last - found(depth - 1)[0] if depth > 1 else last
    return last, jnp.linalg.norm(change) / length, least
