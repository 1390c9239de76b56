"""Absorption of gamma rays by the extragalactic background light (EBL)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from gammajax.models.spectral import quadrature
from gammajax.models.spectral.interpolation import TINY, cell, interpolate
from gammajax.models.spectral.norm import NormSpectralModel
from gammajax.models.spectral.quadrature import integrate_segments
from gammajax.models.spectral.template import check_nodes
from gammajax.parameters import parameter, table
from gammajax.units import ENERGY, to_value

BUILTIN = {
    "franceschini": "ebl_franceschini.fits.gz",
    "dominguez": "ebl_dominguez11.fits.gz",
    "finke": "frd_abs.fits.gz",
    "franceschini17": "ebl_franceschini_2017.fits.gz",
    "saldana-lopez21": "ebl_saldana-lopez_2021.fits.gz",
}
"""Names of published tables and their files in ``$GAMMAPY_DATA/ebl``."""


class EBLAbsorptionNormSpectralModel(NormSpectralModel):
    r"""The share of gamma rays that survives the way from a source at a redshift.

    .. math:: \phi(E) = \exp(-\alpha_{norm} \, \tau(E, z))

    The optical depth is read off a table. Against ln E it is linear between nodes, so the
    integrals are exact; against the redshift it is a monotone cubic with a continuous first
    derivative, equal to the table at its nodes. It is 0 at redshift 0, and never negative:
    survival is 1 at most. Beyond the table, lines go on.

    Parameters
    ----------
    energy : `~astropy.units.Quantity` or array in TeV
        At least two, ascending.
    param : array
        Redshifts of the table, ascending from 0.
    optical_depth : array, shape (n_redshift, n_energy)
        All 0 at redshift 0. See `from_survival` for tables of the surviving share.
    redshift, alpha_norm : float
        The parameters; both start frozen.
    filename : str
        Where the table came from, for model files.

    Examples
    --------
    >>> import numpy as np
    >>> from gammajax.models import EBLAbsorptionNormSpectralModel, PowerLawSpectralModel
    >>> depth = np.array([[0, 0, 0], [0.1, 1.0, 10.0]])
    >>> ebl = EBLAbsorptionNormSpectralModel([0.1, 1, 10], [0, 0.5], depth, redshift=0.5)
    >>> print(ebl("1 TeV").round(6))
    0.367879
    >>> absorbed = PowerLawSpectralModel() * ebl
    """

    tags: ClassVar[tuple[str, ...]] = ("EBLAbsorptionNormSpectralModel", "ebl-norm")

    energy: Any = table("TeV")
    param: Any = table()
    optical_depth: Any = table()
    redshift: Any = parameter(0.1, frozen=True, description="redshift of the source")
    alpha_norm: Any = parameter(1.0, frozen=True, description="factor on the optical depth")
    filename: str = eqx.field(static=True, default="", converter=str)

    def __check_init__(self) -> None:
        kind = type(self).__name__
        check_nodes(np.asarray(self.energy), f"{kind}.energy")
        check_nodes(np.asarray(self.param), f"{kind}.param", positive=False)
        shape = (np.size(self.param), np.size(self.energy))
        if np.shape(self.optical_depth) != shape:
            raise ValueError(
                f"{kind}.optical_depth: got the shape {np.shape(self.optical_depth)}, "
                f"expected {shape} (redshift, energy)"
            )
        if not np.all(np.isfinite(self.optical_depth)):
            raise ValueError(f"{kind}.optical_depth: expected finite numbers only")
        if self.param[0] != 0 or np.any(self.optical_depth[0] != 0):
            raise ValueError(
                f"{kind}.param: starts at {self.param[0]}, expected redshift 0 with an optical "
                "depth of 0; from_survival adds it"
            )

    @classmethod
    def from_survival(
        cls, energy: Any, param: Any, values: Any, **options: Any
    ) -> EBLAbsorptionNormSpectralModel:
        """The model for a table of surviving shares, ``exp(-optical depth)``.

        Zeros are read as 1e-38. Redshift 0, where all survives, is added if it is missing.
        """
        share = to_value(values, "", where="EBLAbsorptionNormSpectralModel.values")
        param = to_value(param, "", where="EBLAbsorptionNormSpectralModel.param")
        if not np.all((share >= 0) & (share <= 1)):
            raise ValueError(
                "EBLAbsorptionNormSpectralModel.values: expected shares from 0 to 1, got "
                f"{share.min()} to {share.max()}"
            )
        if param.ndim == 1 and share.ndim == 2 and param[0] > 0:
            param = np.append(0.0, param)
            share = np.vstack([np.ones(share.shape[1]), share])
        return cls(energy, param, -np.log(np.maximum(share, TINY)), **options)

    @classmethod
    def read(
        cls, path: str | Path, redshift: Any = 0.1, alpha_norm: Any = 1.0
    ) -> EBLAbsorptionNormSpectralModel:
        """Read an XSPEC table model (FITS; energies in keV unless the file says otherwise).

        Raises
        ------
        ValueError
            If the file is no such table.
        """
        from astropy.io import fits
        from astropy.units import Quantity

        path = Path(os.path.expandvars(path))
        try:
            energies: Any = fits.getdata(path, "ENERGIES")
            spectra: Any = fits.getdata(path, "SPECTRA")
            unit = energies.columns["ENERG_LO"].unit or "keV"
            low = np.asarray(energies["ENERG_LO"], dtype=np.float64)
            high = np.asarray(energies["ENERG_HI"], dtype=np.float64)
            # The file has redshifts in float32: 0.1 is meant where it says 0.100000001.
            redshifts = np.round(np.asarray(spectra["PARAMVAL"], np.float64).ravel(), 6)
            survival = np.asarray(spectra["INTPSPEC"], dtype=np.float64)
        except KeyError as error:
            raise ValueError(f"{path}: not an XSPEC table model: {error.args[0]}") from None
        nodes, first = np.unique(redshifts, return_index=True)
        energy = Quantity(np.sqrt(low * high), unit).to_value(ENERGY)
        return cls.from_survival(
            energy,
            nodes,
            survival[first],
            redshift=redshift,
            alpha_norm=alpha_norm,
            filename=str(path),
        )

    @classmethod
    def read_builtin(
        cls, name: str = "dominguez", redshift: Any = 0.1, alpha_norm: Any = 1.0
    ) -> EBLAbsorptionNormSpectralModel:
        """Read one of the published tables in ``$GAMMAPY_DATA/ebl``.

        Parameters
        ----------
        name : str
            ``franceschini`` (Franceschini et al. 2008, A&A 487, 837), ``dominguez``
            (Dominguez et al. 2011, MNRAS 410, 2556), ``finke`` (Finke et al. 2010, ApJ 712,
            238), ``franceschini17`` (Franceschini and Rodighiero 2017, A&A 603, A34) or
            ``saldana-lopez21`` (Saldana-Lopez et al. 2021, MNRAS 507, 5144).

        Raises
        ------
        ValueError
            For another name, or if ``$GAMMAPY_DATA`` is not set or has no such file.
        """
        if name not in BUILTIN:
            raise ValueError(f"EBL table: got {name!r}, expected one of {', '.join(BUILTIN)}")
        folder = os.environ.get("GAMMAPY_DATA")
        if not folder:
            raise ValueError(
                f"EBL table {name!r}: the environment variable GAMMAPY_DATA is not set; set it "
                "to the data folder, or give a file to EBLAbsorptionNormSpectralModel.read"
            )
        path = Path(folder) / "ebl" / BUILTIN[name]
        if not path.exists():
            raise ValueError(f"EBL table {name!r}: there is no file {path}")
        return cls.read(path, redshift=redshift, alpha_norm=alpha_norm)

    @property
    def values(self) -> np.ndarray:
        """The table as the surviving share, shape (redshift, energy)."""
        return np.exp(-np.asarray(self.optical_depth))

    def _depths(self) -> Any:
        """The optical depth at all energies of the table, at the redshift."""
        return cubic(jnp.asarray(self.param), jnp.asarray(self.optical_depth), self.redshift)

    def _log_survival(self, log_energy: Any) -> Any:
        depth = interpolate([jnp.log(self.energy)], self._depths(), [log_energy])
        return -self.alpha_norm * jnp.maximum(depth, 0.0)

    def evaluate(self, energy: Any) -> Any:
        return jnp.exp(self._log_survival(jnp.log(energy)))

    def breaks(self) -> Any:
        # Below the table the line of its first cell reaches 0 at one more break.
        u, depth = jnp.log(self.energy[:2]), self._depths()[:2]
        slope = jnp.maximum((depth[1] - depth[0]) / (u[1] - u[0]), 1e-6)
        start = u[0] - jnp.clip(depth[0] / slope, 0.0, 50.0)
        return jnp.concatenate([jnp.exp(start)[None], jnp.asarray(self.energy)])

    def evaluate_integral(
        self, energy_min: Any, energy_max: Any, nodes: int = quadrature.NODES
    ) -> Any:
        return integrate_segments(self._log_survival, energy_min, energy_max, self.breaks())

    def evaluate_energy_flux(
        self, energy_min: Any, energy_max: Any, nodes: int = quadrature.NODES
    ) -> Any:
        def log_weighted(log_energy: Any) -> Any:
            return self._log_survival(log_energy) + log_energy

        return integrate_segments(log_weighted, energy_min, energy_max, self.breaks())


def cubic(nodes: Any, rows: Any, x: Any) -> Any:
    """Rows of a table at ``x``: a monotone cubic with a continuous first derivative.

    Between nodes k and k+1 it needs the rows k-1 to k+2. Its slope at a node is the harmonic
    mean of the slopes of the lines on both sides (0 where they differ in sign), after Fritsch
    and Butland 1984; beyond the table the outermost line goes on.
    """
    k, t = cell(nodes, x)
    last = nodes.shape[0] - 2

    def line(i: Any) -> Any:
        i = jnp.clip(i, 0, last)
        return (rows[i + 1] - rows[i]) / (nodes[i + 1] - nodes[i])

    before, here, after = line(k - 1), line(k), line(k + 1)
    left = jnp.where(k == 0, here, _harmonic(before, here))
    right = jnp.where(k == last, here, _harmonic(here, after))
    width = nodes[k + 1] - nodes[k]
    inside = (
        rows[k] * (1 + 2 * t) * (1 - t) ** 2
        + rows[k + 1] * t**2 * (3 - 2 * t)
        + width * t * (1 - t) * (left * (1 - t) - right * t)
    )
    beyond = jnp.where(t < 0, rows[k] + here * t * width, rows[k + 1] + here * (t - 1) * width)
    return jnp.where((t < 0) | (t > 1), beyond, inside)


def _harmonic(a: Any, b: Any) -> Any:
    same = a * b > 0
    total = jnp.where(same, a + b, 1.0)
    return jnp.where(same, 2 * a * b / total, 0.0)
