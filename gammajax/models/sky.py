"""A component of the sky: where, with which spectrum, and when."""

from __future__ import annotations

from typing import Any

import equinox as eqx

from gammajax.models.base import Model
from gammajax.models.spatial.base import SpatialModel
from gammajax.models.spectral.base import SpectralModel
from gammajax.models.temporal.base import TemporalModel


class SkyModel(Model):
    """A source: a spectrum, where it is on the sky, and when it shines.

    Parameters
    ----------
    spectral_model : `~gammajax.models.SpectralModel`
        The differential flux.
    spatial_model : `~gammajax.models.SpatialModel`, optional
        Where the flux comes from. Counts cubes need it; spectra pass over it. A template of a
        brightness holds the flux itself: its spectral model is a factor.
    temporal_model : `~gammajax.models.TemporalModel`, optional
        The factor of the flux at a time; 1 by default.
    name : str
        Parameters are called ``name.spectral.index`` and so on.
    datasets_names : tuple of str, optional
        The datasets that the source is folded into; all of them by default.
    apply_irf : dict, optional
        Which parts of the response apply: ``exposure``, ``psf``, ``edisp``; all by default.

    Examples
    --------
    >>> from gammajax.models import PowerLawSpectralModel, SkyModel
    >>> SkyModel(PowerLawSpectralModel(index=2.3), name="crab").parameter_names
    ('spectral.index', 'spectral.amplitude', 'spectral.reference')
    """

    spectral_model: SpectralModel = eqx.field(metadata={"prefix": "spectral"})
    spatial_model: SpatialModel | None = eqx.field(metadata={"prefix": "spatial"}, default=None)
    temporal_model: TemporalModel | None = eqx.field(
        metadata={"prefix": "temporal"}, default=None
    )
    name: str = eqx.field(static=True, default="source")
    datasets_names: tuple[str, ...] | None = eqx.field(
        static=True, default=None, converter=lambda x: dataset_names(x)
    )
    apply_irf: tuple[tuple[str, bool], ...] = eqx.field(
        static=True, default=(), converter=lambda x: _flags(x)
    )

    def __check_init__(self) -> None:
        if not isinstance(self.spectral_model, SpectralModel):
            raise ValueError(
                f"SkyModel {self.name!r}: spectral_model is a "
                f"{type(self.spectral_model).__name__}, expected a SpectralModel"
            )
        if not (self.spatial_model is None or isinstance(self.spatial_model, SpatialModel)):
            raise ValueError(
                f"SkyModel {self.name!r}: spatial_model is a "
                f"{type(self.spatial_model).__name__}, expected a SpatialModel"
            )
        if not (self.temporal_model is None or isinstance(self.temporal_model, TemporalModel)):
            raise ValueError(
                f"SkyModel {self.name!r}: temporal_model is a "
                f"{type(self.temporal_model).__name__}, expected a TemporalModel"
            )
        brightness = self.spatial_model is not None and self.spatial_model.unit != "sr-1"
        if self.spectral_model.is_norm and not brightness:
            raise ValueError(
                f"SkyModel {self.name!r}: {type(self.spectral_model).__name__} is a factor "
                "without a flux unit; multiply it with a spectrum"
            )
        if brightness and not self.spectral_model.is_norm:
            raise ValueError(
                f"SkyModel {self.name!r}: {type(self.spectral_model).__name__} is a flux, and "
                "the template has the unit of a brightness already; take a factor, such as "
                "PowerLawNormSpectralModel, or normalise the template"
            )

    def irf_applies(self, part: str) -> bool:
        """Whether ``part`` (exposure, psf, edisp) of the response applies."""
        return dict(self.apply_irf).get(part, True)

    def folds_into(self, dataset_name: str) -> bool:
        """Whether the component contributes to the dataset of this name."""
        return self.datasets_names is None or dataset_name in self.datasets_names


def dataset_names(value: Any) -> tuple[str, ...] | None:
    """Names of datasets as a tuple; one name may come alone."""
    if value is None:
        return None
    return (value,) if isinstance(value, str) else tuple(str(name) for name in value)


def _flags(value: Any) -> tuple[tuple[str, bool], ...]:
    flags = dict(value or ())
    unknown = set(flags) - {"exposure", "psf", "edisp"}
    if unknown:
        raise ValueError(
            f"apply_irf: unknown part {', '.join(sorted(unknown))}; "
            "expected exposure, psf or edisp"
        )
    return tuple((name, bool(flags[name])) for name in sorted(flags) if not flags[name])
