"""Models of the sky and their parameters."""

from gammajax.models.background import FoVBackgroundModel, TemplateNPredModel
from gammajax.models.fermi import (
    create_fermi_diffuse_model,
    create_fermi_isotropic_diffuse_model,
)
from gammajax.models.models import Models
from gammajax.models.registry import (
    SPATIAL_MODELS,
    SPECTRAL_MODELS,
    TEMPORAL_MODELS,
    spatial_model_class,
    spectral_model_class,
    temporal_model_class,
)
from gammajax.models.sky import SkyModel
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
from gammajax.models.spatial.radial import RadialSpatialModel
from gammajax.models.spatial.shell import Shell2SpatialModel, ShellSpatialModel
from gammajax.models.spatial.template import TemplateNDSpatialModel, TemplateSpatialModel
from gammajax.models.spectral.base import SpectralModel
from gammajax.models.spectral.broken import (
    BrokenPowerLawSpectralModel,
    SmoothBrokenPowerLawSpectralModel,
)
from gammajax.models.spectral.compound import CompoundSpectralModel
from gammajax.models.spectral.constant import ConstantSpectralModel
from gammajax.models.spectral.crab import (
    MeyerCrabSpectralModel,
    create_crab_spectral_model,
)
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
from gammajax.models.temporal.times import MJD, gti_bounds

__all__ = [
    "BrokenPowerLawSpectralModel",
    "CompoundSpectralModel",
    "ConstantFluxSpatialModel",
    "ConstantSpatialModel",
    "ConstantSpectralModel",
    "ConstantTemporalModel",
    "DiskSpatialModel",
    "EBLAbsorptionNormSpectralModel",
    "EnergyDependentSpatialModel",
    "ExpCutoffPowerLaw3FGLSpectralModel",
    "ExpCutoffPowerLawNormSpectralModel",
    "ExpCutoffPowerLawSpectralModel",
    "ExpDecayTemporalModel",
    "FoVBackgroundModel",
    "GaussianSpatialModel",
    "GaussianSpectralModel",
    "GaussianTemporalModel",
    "GeneralizedGaussianSpatialModel",
    "GeneralizedGaussianTemporalModel",
    "LightCurveTemplateTemporalModel",
    "LinearTemporalModel",
    "LogParabola2SpectralModel",
    "LogParabolaNormSpectralModel",
    "LogParabolaSpectralModel",
    "MJD",
    "MeyerCrabSpectralModel",
    "Models",
    "PiecewiseNormSpatialModel",
    "PiecewiseNormSpectralModel",
    "PointSpatialModel",
    "PowerLaw2SpectralModel",
    "PowerLawNormSpectralModel",
    "PowerLawSpectralModel",
    "PowerLawTemporalModel",
    "RadialSpatialModel",
    "SPATIAL_MODELS",
    "SPECTRAL_MODELS",
    "ScaleSpectralModel",
    "Shell2SpatialModel",
    "ShellSpatialModel",
    "SineTemporalModel",
    "SkyModel",
    "SmoothBrokenPowerLawSpectralModel",
    "SpatialModel",
    "SpectralModel",
    "SuperExpCutoffPowerLaw3FGLSpectralModel",
    "SuperExpCutoffPowerLaw4FGLDR3SpectralModel",
    "SuperExpCutoffPowerLaw4FGLSpectralModel",
    "TEMPORAL_MODELS",
    "TemplateNDSpatialModel",
    "TemplateNDSpectralModel",
    "TemplateNPredModel",
    "TemplatePhaseCurveTemporalModel",
    "TemplateSpatialModel",
    "TemplateSpectralModel",
    "create_crab_spectral_model",
    "create_fermi_diffuse_model",
    "create_fermi_isotropic_diffuse_model",
    "TemporalModel",
    "gti_bounds",
    "spatial_model_class",
    "spectral_model_class",
    "temporal_model_class",
]
