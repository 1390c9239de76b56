"""Energy dispersion of a whole field of view."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from gammajax.irf.axis import GridAxis
from gammajax.irf.edisp import EDispKernel
from gammajax.irf.table import ENERGY_TRUE, IRF, MIGRA, OFFSET, AxisForm, Quantities
from gammajax.maps import MapAxis
from gammajax.units import to_value


class EnergyDispersion2D(IRF):
    """Density of mu = E / E_true, of true energy, mu (``migra``) and offset.

    Its integral over mu is 1 where there are events, and 0 where there are none.

    Parameters
    ----------
    axes : `GridAxis` of energy_true, migra and offset
    values : array
    point_like : bool

    Examples
    --------
    >>> edisp = EnergyDispersion2D.from_gauss(np.geomspace(0.1, 100, 31), sigma=0.2, bias=0.1)
    >>> print(f"{edisp.bias('1 TeV', '0.5 deg'):.3f}")
    0.100
    """

    forms: ClassVar[tuple[AxisForm, ...]] = (ENERGY_TRUE, MIGRA, OFFSET)
    quantities: ClassVar[Quantities] = Quantities((("MATRIX",),), ("",))
    hdu_class: ClassVar[str] = "EDISP_2D"
    hduclas2: ClassVar[str] = "EDISP"
    tolerated: ClassVar[float] = 0.01

    @classmethod
    def from_gauss(
        cls,
        energy_edges: Any,
        sigma: float,
        bias: float = 0.0,
        migra_edges: Any = None,
        offset_edges: Any = (0.0, 2.0, 4.0),
    ) -> EnergyDispersion2D:
        """A normal law of mu, of mean ``1 + bias`` and spread ``sigma``, averaged over bins."""
        from scipy.special import ndtr

        mu = np.linspace(0, 3, 301) if migra_edges is None else migra_edges
        migra = GridAxis.from_edges(mu, "migra")
        energy = GridAxis.from_edges(energy_edges, "energy_true", "TeV", "log")
        offset = GridAxis.from_edges(offset_edges, "offset", "deg")
        steps = np.diff(ndtr((migra.edges - 1 - bias) / sigma)) / np.diff(migra.edges)
        shape = (energy.nbin, migra.nbin, offset.nbin)
        return cls((energy, migra, offset), np.broadcast_to(steps[:, None], shape))

    @classmethod
    def from_parametrization(cls, **options: Any) -> Any:
        """A log-normal law of mu, by a formula: see `formula_irfs`.

        Parameters
        ----------
        **options
            ``resolution``, ``bias``, ``energy_edges``, ``offset_max``.
        """
        from gammajax.irf.formulas import formula_irfs

        return formula_irfs(**options)["edisp"]

    def _distribution(self, energy_true: Any, offset: Any) -> tuple[np.ndarray, np.ndarray]:
        """Probability in each bin of mu, on the last axis, and the sum over it."""
        migra = self.axis("migra")
        coords = {"energy_true": energy_true, "offset": offset}
        units = {"energy_true": "TeV", "offset": "deg"}
        points = {k: to_value(v, units[k], where=k)[..., None] for k, v in coords.items()}
        density = self.evaluate(migra=migra.center, **points).to_value("")
        weight = density * (migra.edges_max - migra.edges_min)
        return weight, weight.sum(axis=-1)

    def bias(self, energy_true: Any, offset: Any) -> np.ndarray:
        """Mean of mu - 1; not a number where the table is empty."""
        weight, total = self._distribution(energy_true, offset)
        with np.errstate(invalid="ignore", divide="ignore"):
            return weight @ self.axis("migra").center / total - 1

    def resolution(self, energy_true: Any, offset: Any) -> np.ndarray:
        """Standard deviation of mu; not a number where the table is empty."""
        weight, total = self._distribution(energy_true, offset)
        mu = self.axis("migra").center
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.sqrt(weight @ mu**2 / total - (weight @ mu / total) ** 2)

    def to_edisp_kernel(
        self, offset: Any, energy_true: MapAxis, energy: MapAxis, nodes: int = 4
    ) -> EDispKernel:
        """The matrix at an offset.

        In each true energy bin the probability of a reconstructed bin is averaged over
        ``nodes`` Gauss-Legendre nodes of ln E. What lies outside of ``energy`` is lost, and
        rows of the table are normalised to 1.
        """
        x, gauss = np.polynomial.legendre.leggauss(nodes)
        low, high = np.log(energy_true.edges_min), np.log(energy_true.edges_max)
        log_energy = (low + high)[:, None] / 2 + np.outer((high - low) / 2, x)
        weight, total = self._distribution(np.exp(log_energy), offset)
        below = np.zeros((*weight.shape[:-1], weight.shape[-1] + 1))
        np.cumsum(weight, axis=-1, out=below[..., 1:])
        below /= np.where(total > 0, total, 1)[..., None]
        edges = energy.edges / np.exp(log_energy)[..., None]
        mu = self.axis("migra").edges
        matrix = np.zeros((energy_true.nbin, energy.nbin))
        for row in range(energy_true.nbin):
            for node in range(nodes):
                reached = np.interp(edges[row, node], mu, below[row, node])
                matrix[row] += gauss[node] / 2 * np.diff(reached)
        return EDispKernel(energy_true, energy, np.maximum(matrix, 0))
