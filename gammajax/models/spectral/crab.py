"""Published spectra of the Crab nebula, the standard candle of the field."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np

from gammajax.models.spectral.base import SpectralModel
from gammajax.models.spectral.cutoff import ExpCutoffPowerLawSpectralModel
from gammajax.models.spectral.log_parabola import LogParabolaSpectralModel
from gammajax.models.spectral.power_law import PowerLawSpectralModel
from gammajax.parameters import parameter

TEV_PER_ERG = 0.6241509074460763

COEFFICIENTS = (-0.00449161, 0.0, 0.0473174, -0.179475, -0.53616, -10.2708)
"""Of the polynomial of Meyer et al., highest power first; E^2 dN/dE in erg cm-2 s-1."""


class MeyerCrabSpectralModel(SpectralModel):
    r"""The Crab nebula from a fit to all data from 1 GeV to 100 TeV.

    .. math:: \log_{10} \frac{E^2 \phi(E)}{erg\ cm^{-2}\ s^{-1}} = \sum_{i=0}^5 p_i
              \log_{10}^i (E / TeV)

    Meyer, Horns and Zechlin 2010, A&A 523, A2, appendix D.

    Examples
    --------
    >>> from gammajax.models import MeyerCrabSpectralModel
    >>> print(MeyerCrabSpectralModel()("1 TeV").round(16))
    3.34572e-11 1 / (TeV s cm2)
    """

    tags: ClassVar[tuple[str, ...]] = ("MeyerCrabSpectralModel",)

    norm: Any = parameter(1.0, frozen=True, description="factor on the published flux")

    def evaluate(self, energy: Any) -> Any:
        log = jnp.log10(energy)
        power = 0.0
        for coefficient in COEFFICIENTS:
            power = power * log + coefficient
        return self.norm * TEV_PER_ERG * jnp.exp(np.log(10) * power) / energy**2


def _hegra() -> SpectralModel:
    return PowerLawSpectralModel(amplitude=2.83e-11, index=2.62)


def _hess_pl() -> SpectralModel:
    return PowerLawSpectralModel(amplitude=3.45e-11, index=2.63)


def _hess_ecpl() -> SpectralModel:
    return ExpCutoffPowerLawSpectralModel(amplitude=3.76e-11, index=2.39, lambda_=1 / 14.3)


def _magic_lp() -> SpectralModel:
    return LogParabolaSpectralModel.from_log10(
        amplitude=3.23e-11, reference=1.0, alpha=2.47, beta=0.24
    )


def _magic_ecpl() -> SpectralModel:
    return ExpCutoffPowerLawSpectralModel(amplitude=3.80e-11, index=2.21, lambda_=1 / 6.0)


REFERENCES: dict[str, Callable[[], SpectralModel]] = {
    "meyer": MeyerCrabSpectralModel,
    "hegra": _hegra,
    "hess_pl": _hess_pl,
    "hess_ecpl": _hess_ecpl,
    "magic_lp": _magic_lp,
    "magic_ecpl": _magic_ecpl,
}


def create_crab_spectral_model(reference: str = "meyer") -> SpectralModel:
    """A published spectrum of the Crab nebula.

    Parameters
    ----------
    reference : str
        ``meyer`` (Meyer et al. 2010, A&A 523, A2), ``hegra`` (Aharonian et al. 2000, ApJ 539,
        317), ``hess_pl``, ``hess_ecpl`` (Aharonian et al. 2006, A&A 457, 899), ``magic_lp``,
        ``magic_ecpl`` (Aleksic et al. 2015, JHEAp 5, 30).

    Raises
    ------
    ValueError
        For any other reference.

    Examples
    --------
    >>> from gammajax.models import create_crab_spectral_model
    >>> print(create_crab_spectral_model("hess_ecpl").integral("1 TeV", "10 TeV").round(14))
    2.237e-11 1 / (s cm2)
    """
    if reference not in REFERENCES:
        raise ValueError(
            f"create_crab_spectral_model: got {reference!r}, expected one of "
            f"{', '.join(REFERENCES)}"
        )
    return REFERENCES[reference]()
