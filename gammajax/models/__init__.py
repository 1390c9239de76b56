"""Models of the sky and their parameters."""

from gammajax.models.models import Models
from gammajax.models.sky import SkyModel
from gammajax.models.spectral.base import SpectralModel
from gammajax.models.spectral.log_parabola import LogParabolaSpectralModel
from gammajax.models.spectral.power_law import PowerLawSpectralModel

__all__ = [
    "LogParabolaSpectralModel",
    "Models",
    "PowerLawSpectralModel",
    "SkyModel",
    "SpectralModel",
]
