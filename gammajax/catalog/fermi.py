"""What the catalogues of the Fermi-LAT share."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from gammajax.catalog.core import SourceCatalog
from gammajax.catalog.extended import extended_shape
from gammajax.catalog.parts import Part, known, position_errors
from gammajax.catalog.points import light_curve, points_of_bands
from gammajax.catalog.source import SourceCatalogObject
from gammajax.catalog.tables import table_names
from gammajax.data import FluxPoints, LightCurve
from gammajax.models import (
    LogParabolaSpectralModel,
    PointSpatialModel,
    PowerLawSpectralModel,
)
from gammajax.units import DNDE, FLUX

MISSION_START = 51910 + 7.428703703703703e-4
"""MJD in TT of second 0 of the mission, where a file does not say it."""


class SourceCatalogFermi(SourceCatalog):
    """Base of the catalogues of the Fermi-LAT.

    Parameters
    ----------
    filename : path-like, optional
    templates : path-like, optional
        The folder with the templates of extended sources; by default any folder
        ``*/Templates`` beside the file.
    """

    extended_hdu: ClassVar[str] = "ExtendedSources"
    edges: ClassVar[tuple[float, ...]] = ()

    def __init__(self, filename: str | Path | None = None, templates: Any = None) -> None:
        super().__init__(filename)
        self.templates = templates

    @cached_property
    def bands(self) -> np.ndarray:
        """The bands of the flux points, shape (band, 2) in TeV."""
        if self.edges:
            return np.stack([self.edges[:-1], self.edges[1:]], axis=1) * 1e-6
        columns = ("LowerEnergy", "UpperEnergy")
        return np.stack([self.numbers(n, "TeV", "EnergyBounds") for n in columns], axis=1)

    @cached_property
    def extended(self) -> dict[str, int]:
        """Rows of the table of extended sources, by name."""
        names = self.texts("Source_Name", self.extended_hdu)
        return {name: row for row, name in enumerate(names)}

    def extended_row(self, row: int) -> dict[str, Any]:
        """What the table of extended sources says in a row."""
        columns = {"lon": "RAJ2000", "lat": "DEJ2000", "major": "Model_SemiMajor",
                   "minor": "Model_SemiMinor", "angle": "Model_PosAng"}  # fmt: skip
        hdu = self.extended_hdu
        found: dict[str, Any] = {
            key: float(self.numbers(name, "deg", hdu)[row]) for key, name in columns.items()
        }
        for key, name in (("form", "Model_Form"), ("filename", "Spatial_Filename")):
            found[key] = self.texts(name, hdu)[row]
        return found

    def history_edges(self, hdu: str) -> np.ndarray:
        """The edges of the intervals of a light curve, MJD in TT.

        Raises
        ------
        ValueError
            If the file has no such table.
        """
        names = table_names(self.path)
        if hdu not in [name.upper() for name in names] and hdu not in names:
            raise ValueError(f"{self.where}: has no table {hdu}, so there are no light curves")
        seconds = self.numbers("Hist_Start", "s", hdu)
        meta = self.extra(hdu).meta
        if "MJDREFI" not in meta and "GTI" in names:
            meta = self.extra("GTI").meta
        if "MJDREFI" not in meta:
            return MISSION_START + seconds / 86400
        fraction = str(meta.get("MJDREFF", 0.0)).replace("D", "E")
        return float(meta["MJDREFI"]) + float(fraction) + seconds / 86400


class SourceCatalogObjectFermi(SourceCatalogObject):
    """A source of one of the catalogues of the Fermi-LAT."""

    _catalog: Any
    level: ClassVar[int] = 95

    @property
    def extended_row(self) -> int | None:
        """Its row in the table of extended sources; None for a point."""
        rows = self._catalog.extended
        for name in (self.text("Extended_Source_Name"), self.name):
            if name in rows:
                return rows[name]
        return None

    @property
    def is_pointlike(self) -> bool:
        """Whether it is a point."""
        return self.extended_row is None

    def shape(self, which: str | None) -> Part:
        row = self.extended_row
        if row is not None:
            described = self._catalog.extended_row(row)
            folder, templates = self._catalog.path.parent, self._catalog.templates
            return extended_shape(described, folder, templates, self.where)
        lon, lat = (self.number(name, "deg") for name in self._catalog.position_columns)
        errors, pairs = self._position_errors(lat)
        return Part(PointSpatialModel(lon, lat), errors, pairs)

    def _position_errors(self, lat: float) -> Any:
        stem = f"Conf_{self.level}_"
        axes = [self.number(stem + n, "deg") for n in ("SemiMajor", "SemiMinor", "PosAng")]
        return position_errors(lat, axes[0], axes[1], axes[2], self.level / 100)

    @property
    def flux_points(self) -> FluxPoints:
        flux, errors, sqrt_ts = self._bands()
        return points_of_bands(flux, errors, self._catalog.bands, sqrt_ts, self.where)

    def _bands(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Fluxes, errors of shape (band, 2), and significances."""
        errors = self.array("Unc_Flux_Band", FLUX)
        return (
            self.array("Flux_Band", FLUX),
            np.reshape(errors, (-1, 2)),
            self.array("Sqrt_TS_Band"),
        )

    def power_law(self, index: str, prefix: str = "") -> Part:
        """A power law from the columns of this catalogue's kind."""
        return Part(
            PowerLawSpectralModel(self.number(index), **self._scale(prefix)),
            known(index=self.number(f"Unc_{index}"), **self._scale_error(prefix)),
        )

    def log_parabola(self, alpha: str, beta: str, prefix: str = "") -> Part:
        """A log-parabola from the columns of this catalogue's kind."""
        return Part(
            LogParabolaSpectralModel(
                alpha=self.number(alpha), beta=self.number(beta), **self._scale(prefix)
            ),
            known(
                alpha=self.number(f"Unc_{alpha}"),
                beta=self.number(f"Unc_{beta}"),
                **self._scale_error(prefix),
            ),
        )

    def _scale(self, prefix: str) -> dict[str, float]:
        return {
            "amplitude": self.number(f"{prefix}Flux_Density", DNDE),
            "reference": self.number("Pivot_Energy", "TeV"),
        }

    def _scale_error(self, prefix: str) -> dict[str, float]:
        return {"amplitude": self.number(f"Unc_{prefix}Flux_Density", DNDE)}

    def unknown_spectrum(self, kind: str) -> ValueError:
        """The error for a kind of spectrum that no column explains."""
        return ValueError(f"{self.where}: SpectrumType is {kind!r}, which has no model here")

    def history(
        self, stem: str, hdu: str, sqrt_ts: str, energies: tuple[float, float]
    ) -> LightCurve:
        """The light curve of the columns of this stem."""
        significance = self.array(sqrt_ts) if self._catalog.has(sqrt_ts) else None
        return light_curve(
            self.array(stem, FLUX),
            np.reshape(self.array(f"Unc_{stem}", FLUX), (-1, 2)),
            significance,
            self._catalog.history_edges(hdu),
            energies,
            self.spectral_model(),
            self.where,
        )
