"""Effective area."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from gammajax.irf.axis import GridAxis
from gammajax.irf.table import ENERGY_TRUE, IRF, OFFSET, AxisForm, Quantities

PARAMETRIZATIONS = {
    "HESS": (6.85e9, 0.0891, 5e5),
    "HESS2": (2.05e9, 0.0891, 1e5),
    "CTA": (1.71e11, 0.0891, 1e5),
    "CTAO": (1.71e11, 0.0891, 1e5),
}
"""g1 in cm2, g2 and g3 in MeV of Abramowski et al. 2010, MNRAS 402, 1342, appendix B."""


class EffectiveAreaTable2D(IRF):
    """Effective area, in cm2, of true energy and offset; linear in ln E and offset.

    Parameters
    ----------
    axes : `GridAxis` of energy_true, `GridAxis` of offset
    values : array in cm2 or `~astropy.units.Quantity`
    point_like : bool

    Examples
    --------
    >>> area = EffectiveAreaTable2D.from_parametrization("HESS")
    >>> print(f"{area.evaluate(energy_true='1 TeV', offset='0.5 deg').to('m2'):.0f}")
    121257 m2
    """

    forms: ClassVar[tuple[AxisForm, ...]] = (ENERGY_TRUE, OFFSET)
    quantities: ClassVar[Quantities] = Quantities((("EFFAREA",),), ("cm2",))
    hdu_class: ClassVar[str] = "AEFF_2D"
    hduclas2: ClassVar[str] = "EFF_AREA"

    @classmethod
    def from_parametrization(
        cls, instrument: str = "HESS", energy_edges: Any = None
    ) -> EffectiveAreaTable2D:
        r"""The area of an instrument by a formula.

        .. math:: A = g_1 \, (E / \mathrm{MeV})^{-g_2} \, \exp(-g_3 / E)

        Parameters
        ----------
        instrument : {"HESS", "HESS2", "CTA", "CTAO"}
        energy_edges : array in TeV or `~astropy.units.Quantity`, optional
            By default 20 bins a decade, from 5 GeV to 500 TeV.
        """
        if instrument not in PARAMETRIZATIONS:
            raise ValueError(
                f"EffectiveAreaTable2D: got the instrument {instrument!r}, expected one of "
                f"{', '.join(PARAMETRIZATIONS)}"
            )
        edges = np.geomspace(0.005, 500, 101) if energy_edges is None else energy_edges
        energy = GridAxis.from_edges(edges, "energy_true", "TeV", "log")
        offset = GridAxis.from_edges([0.0, 5.0, 10.0], "offset", "deg")
        g1, g2, g3 = PARAMETRIZATIONS[instrument]
        mev = energy.center * 1e6
        area = g1 * mev**-g2 * np.exp(-g3 / mev)
        return cls((energy, offset), np.repeat(area[:, None], 2, axis=1))
