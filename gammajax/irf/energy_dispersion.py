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
        """The matrix at an offset; see `matrices`."""
        place = float(to_value(offset, "deg", where="offset"))
        matrix = self.matrices(np.array([place]), energy_true, energy, nodes)[0]
        return EDispKernel(energy_true, energy, matrix)

    def matrices(
        self, offset: np.ndarray, energy_true: MapAxis, energy: MapAxis, nodes: int = 4
    ) -> np.ndarray:
        """Probabilities of reconstructed bins at offsets, shape (offset, energy_true, energy).

        In each true energy bin the probability is averaged over ``nodes`` Gauss-Legendre
        nodes of ln E. What lies outside of ``energy`` is lost, and rows of the table are
        normalised to 1. The density is linear in the offset, so its integrals are: they are
        taken at the nodes of the table alone, and rows are normalised after.

        Parameters
        ----------
        offset : array, shape (offset,), in deg
        energy_true, energy : `~gammajax.maps.MapAxis`
        nodes : int
        """
        x, gauss = np.polynomial.legendre.leggauss(nodes)
        low, high = np.log(energy_true.edges_min), np.log(energy_true.edges_max)
        centers = np.exp((low + high)[:, None] / 2 + np.outer((high - low) / 2, x))
        axis, mu = self.axis("offset"), self.axis("migra").edges
        weight, total = self._distribution(centers, axis.center[:, None, None])
        reached = np.zeros((*total.shape, energy.nbin + 1))
        edges = energy.edges / centers[..., None]
        for place in np.ndindex(*total.shape):
            below = np.append(0.0, np.cumsum(weight[place]))
            reached[place] = np.interp(edges[place[1:]], mu, below)
        share = _shares(axis, np.asarray(offset, dtype=np.float64))
        total = np.maximum(np.tensordot(share, total, 1), 0.0)
        counts = np.tensordot(share, np.diff(reached), 1)
        rows = counts / np.where(total > 0, total, 1.0)[..., None]
        return np.maximum(np.tensordot(rows, gauss / 2, (2, 0)), 0.0)


def _shares(axis: GridAxis, offset: np.ndarray) -> np.ndarray:
    """Weights of the nodes of an axis at places, (place, node); 0 beyond its bins."""
    if axis.nbin == 1:
        return np.ones((offset.size, 1))
    nodes = axis.center
    low = np.clip(np.searchsorted(nodes, offset, side="right") - 1, 0, nodes.size - 2)
    part = (offset - nodes[low]) / (nodes[low + 1] - nodes[low])
    shares = np.zeros((offset.size, nodes.size))
    rows = np.arange(offset.size)
    shares[rows, low], shares[rows, low + 1] = 1 - part, part
    inside = (offset >= axis.edges_min[0]) & (offset <= axis.edges_max[-1])
    return np.where(inside[:, None], shares, 0.0)
