"""Energy-dependent directional cut."""

from __future__ import annotations

from typing import ClassVar

from gammajax.irf.table import ENERGY_RECO, IRF, OFFSET, AxisForm, Quantities


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
