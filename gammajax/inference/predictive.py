"""Posterior predictive checks: do data drawn from the posterior look like the data?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from gammajax.inference.posterior import Posterior
from gammajax.inference.problem import Problem, predictions
from gammajax.inference.toys import draw_counts


@dataclass(frozen=True, eq=False)
class PredictiveCheck:
    """Replicated data for draws from a posterior, and how they compare.

    Attributes
    ----------
    p_values : dict
        For each dataset, the fraction of replicates whose statistic, at the parameters
        they were drawn with, is larger than that of the data. Values near 0 say that the
        model does not describe the data, near 1 that it describes them too well.
    counts : dict
        For each dataset, replicated on counts in the fit range, shape (n, bins).
    observed : dict
        For each dataset, the observed ones.
    """

    p_values: dict[str, float]
    counts: dict[str, np.ndarray]
    observed: dict[str, np.ndarray]

    def __repr__(self) -> str:
        rows = [f"  {name}: p = {value:.3f}" for name, value in self.p_values.items()]
        return "\n".join(
            [f"PredictiveCheck: {len(next(iter(self.counts.values())))} replicates", *rows]
        )


def posterior_predictive(
    posterior: Posterior, *, n: int = 500, seed: int = 0
) -> PredictiveCheck:
    """Draw parameters from a posterior, data for each, and compare with the observed data.

    Parameters
    ----------
    posterior : `Posterior`
    n : int
        Number of replicates.
    seed : int
    """
    likelihood = posterior._likelihood()
    likelihood.require_every_bin("posterior_predictive", counts=True)
    rng = np.random.default_rng(seed)
    theta = posterior.theta[rng.integers(len(posterior.theta), size=n)]
    keys = jax.random.split(jax.random.key(seed), n)
    replicated, observed, counts = _replicate(
        likelihood.problem, likelihood._index, theta, keys
    )
    found = PredictiveCheck({}, {}, {})
    terms = likelihood.problem.terms
    for t, (names, term) in enumerate(zip(likelihood._order, terms, strict=True)):
        sizes = np.sum(term.mask, axis=-1)
        larger = np.asarray(replicated[t]) > np.asarray(observed[t])
        ties = np.asarray(replicated[t]) == np.asarray(observed[t])
        for i, name in enumerate(names):
            found.p_values[name] = float(np.mean(larger[:, i] + 0.5 * ties[:, i]))
            found.counts[name] = np.asarray(counts[t])[:, i, : sizes[i]]
            found.observed[name] = np.asarray(term.counts)[i, : sizes[i]]
    order = likelihood.datasets.names
    return PredictiveCheck(
        *({name: part[name] for name in order} for part in vars(found).values())
    )


@jax.jit
def _replicate(problem: Problem, index: Any, theta: Any, keys: Any) -> tuple[Any, Any, Any]:
    def one(theta: Any, key: Any) -> tuple[Any, Any, Any]:
        mu = predictions(problem, problem.space.insert(theta, index))
        means = tuple(term.expected(m) for term, m in zip(problem.terms, mu, strict=True))
        toy = draw_counts(problem, means, key)
        stats = tuple(
            tuple(term.stat_array(m).sum(axis=-1) for term, m in zip(p.terms, mu, strict=True))
            for p in (toy, problem)
        )
        return stats[0], stats[1], tuple(term.counts for term in toy.terms)

    return jax.vmap(one)(theta, keys)
