"""All models by the names that they have in model files."""

from __future__ import annotations

import difflib
from typing import Any

from gammajax.models.spatial.base import SpatialModel
from gammajax.models.spatial.constant import ConstantFluxSpatialModel, ConstantSpatialModel
from gammajax.models.spatial.disk import DiskSpatialModel
from gammajax.models.spatial.energy import EnergyDependentSpatialModel
from gammajax.models.spatial.gaussian import (
    GaussianSpatialModel,
    GeneralizedGaussianSpatialModel,
)
from gammajax.models.spatial.piecewise import PiecewiseNormSpatialModel
from gammajax.models.spatial.point import PointSpatialModel
from gammajax.models.spatial.shell import Shell2SpatialModel, ShellSpatialModel
from gammajax.models.spatial.template import TemplateNDSpatialModel, TemplateSpatialModel
from gammajax.models.spectral.base import SpectralModel
from gammajax.models.spectral.broken import (
    BrokenPowerLawSpectralModel,
    SmoothBrokenPowerLawSpectralModel,
)
from gammajax.models.spectral.compound import CompoundSpectralModel
from gammajax.models.spectral.constant import ConstantSpectralModel
from gammajax.models.spectral.crab import MeyerCrabSpectralModel
from gammajax.models.spectral.cutoff import (
    ExpCutoffPowerLaw3FGLSpectralModel,
    ExpCutoffPowerLawSpectralModel,
)
from gammajax.models.spectral.ebl import EBLAbsorptionNormSpectralModel
from gammajax.models.spectral.fermi import (
    SuperExpCutoffPowerLaw3FGLSpectralModel,
    SuperExpCutoffPowerLaw4FGLDR3SpectralModel,
    SuperExpCutoffPowerLaw4FGLSpectralModel,
)
from gammajax.models.spectral.gaussian import GaussianSpectralModel
from gammajax.models.spectral.log_parabola import (
    LogParabola2SpectralModel,
    LogParabolaSpectralModel,
)
from gammajax.models.spectral.norm import (
    ExpCutoffPowerLawNormSpectralModel,
    LogParabolaNormSpectralModel,
    PowerLawNormSpectralModel,
    ScaleSpectralModel,
)
from gammajax.models.spectral.piecewise import PiecewiseNormSpectralModel
from gammajax.models.spectral.power_law import PowerLaw2SpectralModel, PowerLawSpectralModel
from gammajax.models.spectral.template import TemplateNDSpectralModel, TemplateSpectralModel
from gammajax.models.temporal.base import TemporalModel
from gammajax.models.temporal.simple import (
    ConstantTemporalModel,
    ExpDecayTemporalModel,
    GaussianTemporalModel,
    GeneralizedGaussianTemporalModel,
    LinearTemporalModel,
    PowerLawTemporalModel,
    SineTemporalModel,
)
from gammajax.models.temporal.template import (
    LightCurveTemplateTemporalModel,
    TemplatePhaseCurveTemporalModel,
)

SPECTRAL_MODELS: tuple[type[SpectralModel], ...] = (
    ConstantSpectralModel,
    PowerLawSpectralModel,
    PowerLaw2SpectralModel,
    BrokenPowerLawSpectralModel,
    SmoothBrokenPowerLawSpectralModel,
    ExpCutoffPowerLawSpectralModel,
    ExpCutoffPowerLaw3FGLSpectralModel,
    SuperExpCutoffPowerLaw3FGLSpectralModel,
    SuperExpCutoffPowerLaw4FGLSpectralModel,
    SuperExpCutoffPowerLaw4FGLDR3SpectralModel,
    LogParabolaSpectralModel,
    LogParabola2SpectralModel,
    GaussianSpectralModel,
    MeyerCrabSpectralModel,
    TemplateSpectralModel,
    TemplateNDSpectralModel,
    PowerLawNormSpectralModel,
    LogParabolaNormSpectralModel,
    ExpCutoffPowerLawNormSpectralModel,
    PiecewiseNormSpectralModel,
    EBLAbsorptionNormSpectralModel,
    ScaleSpectralModel,
    CompoundSpectralModel,
)
"""All spectral models."""


SPATIAL_MODELS: tuple[type[SpatialModel], ...] = (
    PointSpatialModel,
    GaussianSpatialModel,
    GeneralizedGaussianSpatialModel,
    DiskSpatialModel,
    ShellSpatialModel,
    Shell2SpatialModel,
    ConstantSpatialModel,
    ConstantFluxSpatialModel,
    TemplateSpatialModel,
    TemplateNDSpatialModel,
    PiecewiseNormSpatialModel,
    EnergyDependentSpatialModel,
)
"""All spatial models."""

TEMPORAL_MODELS: tuple[type[TemporalModel], ...] = (
    ConstantTemporalModel,
    LinearTemporalModel,
    LightCurveTemplateTemporalModel,
    ExpDecayTemporalModel,
    GaussianTemporalModel,
    GeneralizedGaussianTemporalModel,
    PowerLawTemporalModel,
    SineTemporalModel,
    TemplatePhaseCurveTemporalModel,
)
"""All temporal models."""


def spectral_model_class(tag: str) -> type[SpectralModel]:
    """The spectral model that a tag stands for: ``"PowerLawSpectralModel"`` or ``"pl"``.

    Raises
    ------
    ValueError
        If there is none; the message lists names that are close.

    Examples
    --------
    >>> from gammajax.models.registry import spectral_model_class
    >>> spectral_model_class("pl").__name__
    'PowerLawSpectralModel'
    """
    return _class(tag, SPECTRAL_MODELS, "spectral")


def spatial_model_class(tag: str) -> type[SpatialModel]:
    """The spatial model that a tag stands for; see `spectral_model_class`.

    Examples
    --------
    >>> from gammajax.models.registry import spatial_model_class
    >>> spatial_model_class("gauss").__name__
    'GaussianSpatialModel'
    """
    return _class(tag, SPATIAL_MODELS, "spatial")


def temporal_model_class(tag: str) -> type[TemporalModel]:
    """The temporal model that a tag stands for; see `spectral_model_class`.

    Examples
    --------
    >>> from gammajax.models.registry import temporal_model_class
    >>> temporal_model_class("sinus").__name__
    'SineTemporalModel'
    """
    return _class(tag, TEMPORAL_MODELS, "temporal")


def _class(tag: str, models: tuple[Any, ...], kind: str) -> Any:
    known = {name: model for model in models for name in model.tags}
    if tag in known:
        return known[tag]
    close = difflib.get_close_matches(str(tag), known, n=3, cutoff=0.4)
    hint = f"did you mean {', '.join(close)}?" if close else f"there are {', '.join(known)}"
    raise ValueError(f"unknown type of {kind} model {tag!r}; {hint}")
