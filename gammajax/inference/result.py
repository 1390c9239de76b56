"""What a fit gives back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gammajax.inference.covariance import correlation_matrix
from gammajax.inference.likelihood import Likelihood
from gammajax.models import Models


@dataclass(frozen=True, eq=False)
class FitResult:
    """The minimum of a likelihood, with its covariance.

    Attributes
    ----------
    success : bool
        Whether the fit converged: the estimated distance to the minimum is below the
        tolerance and the Hessian is positive definite there.
    message : str
        Why it stopped, and what to look at.
    stat : float
        -2 ln L at the minimum, priors included.
    theta : array, shape (n_free,)
        The free parameters in canonical units, in the order of ``names``.
    covariance : array, shape (n_free, n_free)
        Zero rows for parameters at a bound; NaN if it could not be computed. A sparse array
        beyond `gammajax.inference.curvature.DENSE` parameters, with pairs of neighbours only.
    fisher : array, shape (n_free, n_free)
        Expected second derivatives of the statistic at the minimum.
    models : `~gammajax.models.Models`
        With best-fit values, errors and covariance.
    edm : float
        Estimated distance to the minimum, in units of the statistic.
    gradient : array, shape (n_free,)
    n_evaluations : int
        Evaluations of the statistic (with its derivatives, for second-order methods).
    at_bounds : tuple of str
        The parameters that sit at a bound.
    n_negative : int
        Bins in which the total prediction is negative.
    seconds : dict
        ``compile`` and ``fit``.
    """

    success: bool
    message: str
    stat: float
    theta: np.ndarray
    covariance: Any
    fisher: Any
    models: Models
    likelihood: Likelihood
    edm: float
    gradient: np.ndarray
    n_evaluations: int
    method: str
    at_bounds: tuple[str, ...] = ()
    n_negative: int = 0
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the free parameters."""
        return self.likelihood.names

    @property
    def errors(self) -> np.ndarray:
        """Square roots of the diagonal of the covariance."""
        return np.sqrt(self.covariance.diagonal())

    @property
    def correlation(self) -> np.ndarray:
        """Correlation matrix of the free parameters."""
        return correlation_matrix(self.covariance)

    @property
    def parameters(self) -> Any:
        """The parameter table at the minimum."""
        return self.models.parameters

    def __repr__(self) -> str:
        state = "converged" if self.success else "NOT converged"
        lines = [
            f"FitResult: {state} ({self.message})",
            f"  stat {self.stat:.6f} in {self.likelihood.n_bins} bins, "
            f"{len(self.theta)} free parameters, {self.n_evaluations} evaluations, "
            f"edm {self.edm:.1e}",
        ]
        rows = self.models.parameters
        width = max(len(name) for name in self.names)
        for name in self.names:
            row = rows[name]
            note = "  at its bound" if name in self.at_bounds else ""
            lines.append(
                f"  {name:<{width}}  {row.value: .5e} +- {row.error:.3e} {row.unit}{note}"
            )
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        state = "converged" if self.success else "<b>not converged</b>"
        head = f"<p><b>FitResult</b>: {state} ({self.message}); stat {self.stat:.6f}</p>"
        return head + self.models.parameters._repr_html_()
