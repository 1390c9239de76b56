"""One source of a catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from gammajax.catalog.parts import Part, Piece, assemble, piece
from gammajax.data import FluxPoints, LightCurve
from gammajax.models import Models, SkyModel

if TYPE_CHECKING:
    from gammajax.catalog.core import SourceCatalog


class SourceCatalogObject:
    """A row of a catalogue, and the models that it stands for.

    Not made by hand: ``catalog["Crab Nebula"]`` gives one.

    Attributes
    ----------
    row_index : int
        The row in the table.
    """

    flux_points_columns: ClassVar[str] = ""

    def __init__(self, catalog: SourceCatalog, row_index: int) -> None:
        self._catalog = catalog
        self.row_index = row_index

    @property
    def name(self) -> str:
        """The name in the catalogue."""
        return self._catalog.names[self.row_index]

    @property
    def aliases(self) -> list[str]:
        """Its other names."""
        return self._catalog.aliases_of(self.row_index)

    @property
    def where(self) -> str:
        """Catalogue and source, for error messages."""
        return f"{self._catalog.tag} {self.name}"

    @property
    def data(self) -> dict[str, Any]:
        """All columns of the row, with their units."""
        row = self._catalog.table[self.row_index]
        table = self._catalog.table
        return {
            name: row[name] * table[name].unit
            if table[name].unit is not None and table[name].dtype.kind == "f"
            else row[name]
            for name in table.colnames
        }

    @property
    def position(self) -> Any:
        """The position, an `~astropy.coordinates.SkyCoord`."""
        return self._catalog.positions[self.row_index]

    def number(self, name: str, unit: str | None = "") -> float:
        """A number of the row in a unit; NaN if there is none."""
        return float(self._catalog.numbers(name, unit)[self.row_index])

    def array(self, name: str, unit: str = "") -> np.ndarray:
        """The numbers of a cell that holds several."""
        return self._catalog.numbers(name, unit)[self.row_index]

    def text(self, name: str) -> str:
        """A word of the row."""
        return self._catalog.texts(name)[self.row_index]

    def spectral_model(self, which: str | None = None) -> Any:
        """The spectrum.

        Parameters
        ----------
        which : str, optional
            Where the catalogue gives several: which of them.

        Raises
        ------
        ValueError
            If the catalogue gives none.
        """
        return self.spectrum(self._checked(which)).model

    def spatial_model(self, which: str | None = None) -> Any:
        """Where the source is, and how large.

        Raises
        ------
        ValueError
            If the catalogue does not say, a file of its shape is missing, or the source is
            the sum of several shapes.
        """
        return self.shape(self._checked(which)).model

    def sky_model(self, which: str | None = None) -> SkyModel:
        """The source as one component.

        Raises
        ------
        ValueError
            If it becomes no model, or several: then `to_models` has them.
        """
        pieces = self.pieces(which)
        if len(pieces) > 1:
            raise ValueError(
                f"{self.where}: is the sum of {len(pieces)} components; take to_models()"
            )
        return pieces[0].model

    def to_models(self, which: str | None = None) -> Models:
        """The source as `~gammajax.models.Models`, with errors and their covariance."""
        return assemble(self.pieces(which), covariance=True)

    def pieces(self, which: str | None = None) -> list[Piece]:
        """The components with their errors; for catalogues as a whole."""
        which = self._checked(which)
        return [piece(self.name, self.spectrum(which), self.shape(which))]

    def spectrum(self, which: str | None) -> Part:
        """The spectrum with its errors; what a subclass defines."""
        raise TypeError(f"{type(self).__name__} is abstract: choose one of its subclasses")

    def shape(self, which: str | None) -> Part:
        """The spatial model with its errors; what a subclass defines."""
        raise TypeError(f"{type(self).__name__} is abstract: choose one of its subclasses")

    @property
    def flux_points(self) -> FluxPoints:
        """The spectrum in bins of energy.

        Raises
        ------
        ValueError
            If the catalogue has none of this source.
        """
        raise ValueError(f"{self.where}: this catalogue has no flux points")

    def lightcurve(self, interval: str | None = None) -> LightCurve:
        """The flux in intervals of time.

        Raises
        ------
        ValueError
            If the catalogue has none of this source.
        """
        raise ValueError(f"{self.where}: this catalogue has no light curves")

    def _checked(self, which: str | None) -> str | None:
        known = self._catalog.which
        if which is not None and which not in known:
            expected = ", ".join(repr(name) for name in known) or "nothing: it has one model"
            raise ValueError(f"{self.where}: which is {which!r}, expected {expected}")
        return which

    def __repr__(self) -> str:
        place = self.position.icrs
        also = ", ".join(self.aliases[:4])
        return (
            f"{type(self).__name__}: {self.name}"
            + (f" ({also})" if also else "")
            + f" at RA {place.ra.deg:.3f}, Dec {place.dec.deg:.3f} deg"
        )

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{name}</td><td>{value}</td></tr>" for name, value in self.data.items()
        )
        return f"<p><b>{self!r}</b></p><table>{rows}</table>"
