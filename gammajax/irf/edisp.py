"""Energy dispersion as a matrix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gammajax.maps import MapAxis


@dataclass(frozen=True, eq=False)
class EDispKernel:
    """Probability to reconstruct an event of a true energy bin in a reconstructed one.

    Parameters
    ----------
    energy_true, energy : `~gammajax.maps.MapAxis`
    matrix : array, shape (energy_true, energy)
        Rows sum to 1 where the reconstructed axis covers everything.

    Raises
    ------
    ValueError
        If the shapes do not fit, or an entry is negative or not a number.
    """

    energy_true: MapAxis
    energy: MapAxis
    matrix: np.ndarray

    def __post_init__(self) -> None:
        matrix = np.asarray(self.matrix, dtype=np.float64)
        expected = (self.energy_true.nbin, self.energy.nbin)
        if matrix.shape != expected:
            raise ValueError(
                f"EDispKernel: the matrix has shape {matrix.shape}, the axes want {expected}"
            )
        bad = ~np.isfinite(matrix) | (matrix < 0)
        if bad.any():
            row, column = (int(i[0]) for i in np.nonzero(bad))
            raise ValueError(
                f"EDispKernel: entry [{row}, {column}] (true, reconstructed bin) is "
                f"{matrix[row, column]}, expected a probability"
            )
        object.__setattr__(self, "matrix", matrix)

    @classmethod
    def from_diagonal(cls, energy_true: MapAxis, energy: MapAxis) -> EDispKernel:
        """No dispersion: each true bin goes where it overlaps, in proportion to ln E."""
        low = np.maximum(np.log(energy_true.edges_min)[:, None], np.log(energy.edges_min))
        high = np.minimum(np.log(energy_true.edges_max)[:, None], np.log(energy.edges_max))
        width = np.log(energy_true.edges_max / energy_true.edges_min)[:, None]
        return cls(energy_true, energy, np.maximum(high - low, 0) / width)

    @classmethod
    def from_gauss(
        cls, energy_true: MapAxis, energy: MapAxis, sigma: float, bias: float = 0.0
    ) -> EDispKernel:
        """Log-normal dispersion: ln(E / E_true) is normal with mean ``bias``."""
        from scipy.special import ndtr

        edges = np.log(energy.edges)[None, :] - np.log(energy_true.center)[:, None]
        return cls(energy_true, energy, np.diff(ndtr((edges - bias) / sigma), axis=1))

    def __repr__(self) -> str:
        return (
            f"EDispKernel({self.energy_true.nbin} true x {self.energy.nbin} reconstructed bins)"
        )
