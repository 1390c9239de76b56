"""The emission along the Galactic plane that the HGPS found beside its sources."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gammajax.maps import Map
from gammajax.models import PowerLawSpectralModel, SkyModel, TemplateSpatialModel
from gammajax.units import to_quantity

INDEX = 2.3
"""The spectral index for which the survey turned counts into fluxes."""


@dataclass(frozen=True, eq=False)
class SourceCatalogLargeScaleHGPS:
    r"""The large-scale component: a band along the plane, a Gaussian in latitude.

    .. math:: S(l, b) = S_0(l) \, \exp \left( -\frac{(b - b_0(l))^2}{2 \sigma(l)^2} \right)

    the flux above 1 TeV per solid angle, with all three interpolated linearly between windows
    in longitude, and 0 outside of the survey. H.E.S.S. Collaboration 2018, A&A 612, A1.

    Parameters
    ----------
    lon : array, shape (window,)
        Galactic longitude of the middle of a window, in deg.
    lat, width : array, shape (window,)
        Latitude of the peak and standard deviation, in deg.
    brightness : array, shape (window,)
        In cm-2 s-1 sr-1, above 1 TeV.
    """

    lon: np.ndarray
    lat: np.ndarray
    width: np.ndarray
    brightness: np.ndarray

    def __post_init__(self) -> None:
        order = np.argsort((self.lon + 180) % 360)
        for name in ("lon", "lat", "width", "brightness"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), float)[order])
        object.__setattr__(self, "lon", (self.lon + 180) % 360 - 180)

    def _at(self, name: str, lon: Any, outside: float | None = None) -> np.ndarray:
        lon = (np.asarray(lon, dtype=float) + 180) % 360 - 180
        return np.interp(lon, self.lon, getattr(self, name), left=outside, right=outside)

    def peak_brightness(self, lon: Any) -> Any:
        """The largest brightness at a longitude in deg."""
        return to_quantity(self._at("brightness", lon, 0.0), "cm-2 s-1 sr-1")

    def peak_latitude(self, lon: Any) -> Any:
        """The latitude of the largest brightness at a longitude in deg."""
        return to_quantity(self._at("lat", lon), "deg")

    def peak_width(self, lon: Any) -> Any:
        """The standard deviation in latitude at a longitude in deg."""
        return to_quantity(self._at("width", lon), "deg")

    def evaluate(self, position: Any) -> Any:
        """The flux above 1 TeV per solid angle at positions, as a quantity."""
        place = position.galactic
        lon, lat = place.l.deg, place.b.deg
        away = (lat - self._at("lat", lon)) / self._at("width", lon)
        shape = np.exp(-0.5 * away**2)
        return to_quantity(self._at("brightness", lon, 0.0) * shape, "cm-2 s-1 sr-1")

    def to_map(self, geom: Any) -> Map:
        """The brightness on the pixels of an image."""
        image = geom.to_image()
        return Map.from_geom(
            image, data=self.evaluate(image.get_coord().skycoord).value, unit="cm-2 s-1 sr-1"
        )

    def sky_model(self, geom: Any, name: str = "hgps-large-scale") -> SkyModel:
        """The component on the sky that an image covers, with a spectral index of 2.3.

        Only the flux inside of the image is in it.
        """
        brightness = self.to_map(geom)
        total = float(np.nansum(brightness.data * brightness.geom.solid_angle()))
        amplitude = total * (INDEX - 1)  # the integral above 1 TeV of a norm of 1 at 1 TeV
        shape = TemplateSpatialModel(brightness, normalize=True)
        law = PowerLawSpectralModel(index=INDEX, amplitude=amplitude, reference=1.0)
        return SkyModel(law, shape, name=name)
