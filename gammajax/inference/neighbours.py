r"""Covariances of more parameters than a dense matrix has room for.

The inverse of a sparse matrix is not sparse, but what a source has to do with another one
fades with every source between the two. So parameters are taken in groups of neighbours. Each
group is inverted together with all that overlaps with it, and what is farther away is held.
Parameters that overlap with a large part of all (norms of diffuse emission) are in every group.

Errors come out a little too small, because what is left out is taken as known. In a field where
every source overlaps with about ten others it is 5e-4 of an error in the middle, and below 1e-2
for each; norms of diffuse emission are exact.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from scipy.linalg import cho_solve, cholesky
from scipy.sparse.csgraph import reverse_cuthill_mckee
from scipy.sparse.linalg import cg

CORE = 200
"""Parameters of a group."""

LEAST = 1e-3
"""Overlap below which parameters are not neighbours."""

MOST = 2000
"""Parameters that are inverted together; the strongest neighbours come first."""

HOPS = 2
"""Neighbours of neighbours are inverted with a group too, as far as there is room."""

GLOBAL = 0.3
"""Parameters that overlap with this part of all are in every group."""

MOST_GLOBAL = 100
"""Most parameters that are in every group."""


def nearby_covariance(matrix: Any, core: int = CORE, most: int = MOST) -> Any:
    """The inverse of a sparse, positive definite matrix, where it matters.

    Parameters
    ----------
    matrix : sparse array, shape (n, n)
    core, most : int
        Parameters of a group, and those that are inverted together.

    Returns
    -------
    inverse : sparse array, shape (n, n)
        The diagonal, and pairs within a group and with its neighbours. NaN on the diagonal of
        a group that is not positive definite.
    """
    diagonal = matrix.diagonal()
    number = diagonal.size
    if number == 0 or np.any(diagonal <= 0) or not np.all(np.isfinite(diagonal)):
        return sparse.diags_array(np.full(number, np.nan), format="csr")
    scale = sparse.diags_array(1 / np.sqrt(diagonal))
    scaled = (scale @ matrix @ scale).tocsr()
    near = abs(scaled)
    near.data[near.data < LEAST] = 0.0
    near.eliminate_zeros()
    degree = np.diff(near.indptr)
    everywhere = np.argsort(-degree)[: MOST_GLOBAL if number > most else 0]
    everywhere = np.sort(everywhere[degree[everywhere] > GLOBAL * number])
    local = np.setdiff1d(np.arange(number), everywhere)
    graph = sparse.csr_matrix(near[local][:, local])
    order = local[reverse_cuthill_mckee(graph, symmetric_mode=True)]
    groups = np.array_split(order, -(-order.size // core)) if order.size else []
    parts = [_of_group(scaled, near, group, everywhere, most) for group in groups]
    if everywhere.size:
        parts.append((everywhere, _of_everywhere(scaled, everywhere)))
    found = sparse.vstack([rows for _, rows in parts]).tocsr()
    back = np.empty(number, dtype=int)
    back[np.concatenate([own for own, _ in parts])] = np.arange(number)
    found = found[back]
    both = found.multiply(found.T != 0)
    return (scale @ ((both + both.T) / 2) @ scale).tocsr()


def _of_group(
    scaled: Any, near: Any, own: np.ndarray, everywhere: np.ndarray, most: int
) -> tuple[np.ndarray, Any]:
    """Rows of the inverse for a group, given its neighbours."""
    number = scaled.shape[0]
    strength = np.zeros(number)
    strength[own] = 1.0
    for _ in range(HOPS):
        strength = np.minimum(strength + near @ strength, 1.0)
    strength[own] = strength[everywhere] = 0.0
    halo = np.nonzero(strength)[0]
    room = max(most - own.size - everywhere.size, 0)
    halo = halo[np.argsort(-strength[halo])[:room]]
    some = np.concatenate([own, everywhere, halo])
    block = scaled[some][:, some].toarray()
    unit = np.zeros((some.size, own.size))
    unit[np.arange(own.size), np.arange(own.size)] = 1.0
    try:
        rows = cho_solve((cholesky(block, lower=True), True), unit).T
    except np.linalg.LinAlgError:
        rows = np.full(unit.T.shape, np.nan)
    spread = sparse.coo_array(
        (rows.ravel(), (np.repeat(np.arange(own.size), some.size), np.tile(some, own.size))),
        shape=(own.size, number),
    )
    return own, spread.tocsr()


def _of_everywhere(scaled: Any, own: np.ndarray) -> Any:
    """Rows of the inverse for parameters that overlap with most others: exact."""
    rows = []
    for place in own:
        unit = np.zeros(scaled.shape[0])
        unit[place] = 1.0
        row, left = cg(scaled, unit, rtol=1e-8, maxiter=5000)
        rows.append(row if left == 0 else np.full(unit.size, np.nan))
    return sparse.csr_array(np.stack(rows))
