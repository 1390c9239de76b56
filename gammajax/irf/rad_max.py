"""Energy-dependent directional cut."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from gammajax.irf.table import ENERGY_RECO, IRF, OFFSET, AxisForm, Quantities
from gammajax.units import to_value


class RadMax2D(IRF):
    """The radius of the directional cut, in deg, of reconstructed energy and offset."""

    forms: ClassVar[tuple[AxisForm, ...]] = (ENERGY_RECO, OFFSET)
    quantities: ClassVar[Quantities] = Quantities((("RAD_MAX",),), ("deg",))
    hdu_class: ClassVar[str] = "RAD_MAX_2D"
    hduclas2: ClassVar[str] = "RAD_MAX"

    @property
    def is_fixed(self) -> bool:
        """Whether the cut is the same at all energies and offsets."""
        return bool((self.values == self.values.flat[0]).all())

    def radius(self, energy: Any, offset: Any) -> np.ndarray:
        """The cut on events of some energies, in deg.

        It is that of the bin in which an energy lies, as events were selected when the
        responses were made; below and above the table that of its first and last bin. Between
        the nodes of offset it is linear.

        Parameters
        ----------
        energy : array in TeV or `~astropy.units.Quantity`
        offset : float in deg or `~astropy.units.Quantity`
        """
        values = to_value(energy, "TeV", where="radius: energy")
        place = float(to_value(offset, "deg", where="radius: offset"))
        axis, nodes = self.axis("energy"), self.axis("offset").center
        index = np.searchsorted(axis.edges_min, values, side="right") - 1
        table = np.asarray(self.values)[np.clip(index, 0, axis.nbin - 1)]
        high = int(np.clip(np.searchsorted(nodes, place), 1, max(nodes.size - 1, 1)))
        if nodes.size == 1:
            return table[..., 0]
        part = np.clip((place - nodes[high - 1]) / (nodes[high] - nodes[high - 1]), 0, 1)
        return table[..., high - 1] * (1 - part) + table[..., high] * part
