"""What all catalogues share: a table of sources that become models."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, overload

import numpy as np

from gammajax.catalog.names import NameIndex
from gammajax.catalog.parts import assemble
from gammajax.catalog.source import SourceCatalogObject
from gammajax.catalog.tables import catalog_path, numbers, read_table, texts
from gammajax.models import Models


class SourceCatalog:
    """A published table of sources; a subclass says how its columns are read.

    Parameters
    ----------
    filename : path-like, optional
        The file; by default the one of gammapy's data, below ``$GAMMAPY_DATA``.

    Attributes
    ----------
    tag : str
        The short name, for `gammajax.catalog.load`.
    table : `~astropy.table.Table`
        The table as it was published.
    which : tuple of str
        The models that a source may have, best known first; empty if there is one.

    Raises
    ------
    ValueError
        If there is no such file, or it is no such catalogue.
    """

    tag: ClassVar[str] = ""
    description: ClassVar[str] = ""
    default_filename: ClassVar[str] = ""
    source_object_class: ClassVar[type[SourceCatalogObject]] = SourceCatalogObject
    which: ClassVar[tuple[str, ...]] = ()
    hdu: ClassVar[str | int] = 1
    key: ClassVar[str] = "Source_Name"
    aliases: ClassVar[tuple[str, ...]] = ()
    position_columns: ClassVar[tuple[str, str]] = ("RAJ2000", "DEJ2000")
    position_frame: ClassVar[str] = "icrs"

    def __init__(self, filename: str | Path | None = None) -> None:
        self.path = catalog_path(filename or self.default_filename, self.tag)
        self.table = read_table(self.path, self.hdu)
        self._extra: dict[str, Any] = {}
        self._columns: dict[tuple[str, str | None, str], Any] = {}
        texts(self.table, self.key, self.where)

    @property
    def where(self) -> str:
        """The catalogue and its file, for error messages."""
        return f"{self.tag} ({self.path.name})"

    def extra(self, hdu: str) -> Any:
        """Another table of the file, read on first use."""
        if hdu not in self._extra:
            self._extra[hdu] = read_table(self.path, hdu)
        return self._extra[hdu]

    def has(self, name: str, hdu: str = "") -> bool:
        """Whether the table, or another one of the file, has a column of this name."""
        return name in (self.extra(hdu) if hdu else self.table).colnames

    def numbers(self, name: str, unit: str | None = "", hdu: str = "") -> np.ndarray:
        """A column as float64 in a unit, NaN where there is no number; read once."""
        if (name, unit, hdu) not in self._columns:
            table = self.extra(hdu) if hdu else self.table
            self._columns[name, unit, hdu] = numbers(table, name, unit, self.where)
        return self._columns[name, unit, hdu]

    def texts(self, name: str, hdu: str = "") -> list[str]:
        """A column of words, read once."""
        if (name, "words", hdu) not in self._columns:
            table = self.extra(hdu) if hdu else self.table
            self._columns[name, "words", hdu] = texts(table, name, self.where)
        return self._columns[name, "words", hdu]

    @property
    def names(self) -> list[str]:
        """The names of the sources, as the catalogue has them."""
        return self.texts(self.key)

    def aliases_of(self, row: int) -> list[str]:
        """All other names of the source in a row."""
        found = [name for _, names in self._name_columns[1:] for name in names[row] if name]
        return list(dict.fromkeys(found))

    @cached_property
    def _name_columns(self) -> list[tuple[str, list[list[str]]]]:
        present = [name for name in self.aliases if self.has(name)]
        return [
            (name, [self._split(words) for words in self.texts(name)])
            for name in (self.key, *present)
        ]

    def _split(self, words: str) -> list[str]:
        """The names in one cell."""
        return [words]

    @cached_property
    def _index(self) -> NameIndex:
        return NameIndex(self._name_columns, self.where)

    @cached_property
    def positions(self) -> Any:
        """The positions of all sources, an `~astropy.coordinates.SkyCoord`."""
        from astropy.coordinates import SkyCoord

        lon, lat = (self.numbers(name, "deg") for name in self.position_columns)
        return SkyCoord(lon, lat, unit="deg", frame=self.position_frame)

    def row_index(self, name: str) -> int:
        """The row of the source with this name, or with it among its other names.

        Raises
        ------
        ValueError
            If no source is called so, or several are.
        """
        return self._index.row(name)

    def __len__(self) -> int:
        return len(self.table)

    @overload
    def __getitem__(self, key: str | int) -> Any: ...
    @overload
    def __getitem__(self, key: slice | np.ndarray | list) -> SourceCatalog: ...
    def __getitem__(self, key: Any) -> Any:
        """A source by any of its names or its row; a part of the catalogue by rows."""
        if isinstance(key, str):
            return self.source_object_class(self, self.row_index(key))
        if isinstance(key, int | np.integer):
            if not -len(self) <= key < len(self):
                raise ValueError(
                    f"{self.where}: row is {key}, and there are {len(self)} sources"
                )
            return self.source_object_class(self, int(key) % len(self))
        part = copy.copy(self)
        for name in ("_name_columns", "_index", "positions"):
            part.__dict__.pop(name, None)
        part.table, part._columns = self.table[key], {}
        return part

    def __iter__(self) -> Iterator[Any]:
        return (self.source_object_class(self, row) for row in range(len(self)))

    def select(self, region: Any) -> SourceCatalog:
        """The sources whose position is in a region.

        Parameters
        ----------
        region : `~regions.SkyRegion`, str or geometry
            A region of the sky, as an object or in the words of DS9, or the sky that a
            geometry covers: ``"galactic;circle(0, 0, 5)"``.
        """
        from gammajax.maps import RegionGeom

        geom = region if hasattr(region, "to_image") else RegionGeom.create(region)
        return self[np.asarray(geom.to_image().contains(self.positions)).reshape(-1)]

    def to_models(
        self,
        region: Any = None,
        *,
        which: str | None = None,
        covariance: bool = False,
        problems: str = "raise",
    ) -> Models:
        """All sources, or those of a region, as `~gammajax.models.Models`.

        Parameters
        ----------
        region : optional
            See `select`.
        which : str, optional
            Which of its models every source takes; see ``which`` of the class.
        covariance : bool
            Whether to set the covariance, which needs memory for the square of the number of
            parameters: 2 GB for 3FGL. Errors are always set.
        problems : {"raise", "leave out"}
            What to do about sources that cannot become a model; `problems` lists them.

        Raises
        ------
        ValueError
            If a source cannot become a model, with all of them and the reasons.
        """
        if problems not in ("raise", "leave out"):
            raise ValueError(
                f"to_models: problems is {problems!r}, expected 'raise' or 'leave out'"
            )
        chosen = self if region is None else self.select(region)
        pieces, failed = chosen._pieces(which)
        if failed and problems == "raise":
            lines = [f"  {name}: {reason}" for name, reason in list(failed.items())[:10]]
            more = [f"  and {len(failed) - 10} more"] if len(failed) > 10 else []
            raise ValueError(
                "\n".join(
                    [
                        f"{self.where}: {len(failed)} of {len(chosen)} sources become no model;"
                        " take the rest with problems='leave out'",
                        *lines,
                        *more,
                    ]
                )
            )
        return assemble(pieces, covariance=covariance)

    def problems(self, which: str | None = None) -> dict[str, str]:
        """The sources that become no model, and why."""
        return self._pieces(which)[1]

    def _pieces(self, which: str | None) -> tuple[list[Any], dict[str, str]]:
        pieces: list[Any] = []
        failed: dict[str, str] = {}
        for source in self:
            try:
                pieces += source.pieces(which)
            except ValueError as error:
                failed[source.name] = str(error)
        return pieces, failed

    def __repr__(self) -> str:
        return f"{type(self).__name__}: {self.description}, {len(self)} sources"

    def _repr_html_(self) -> str:
        shown = self.table[[self.key, *self.position_columns]][:20]
        more = f"<p>and {len(self) - 20} more</p>" if len(self) > 20 else ""
        return f"<p><b>{self!r}</b></p>{shown._repr_html_()}{more}"
