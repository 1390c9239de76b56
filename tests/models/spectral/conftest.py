"""One model or more of every registered class, at parameters away from special values."""

import numpy as np
import pytest

from gammajax.models import (
    BrokenPowerLawSpectralModel,
    CompoundSpectralModel,
    ConstantSpectralModel,
    EBLAbsorptionNormSpectralModel,
    ExpCutoffPowerLaw3FGLSpectralModel,
    ExpCutoffPowerLawNormSpectralModel,
    ExpCutoffPowerLawSpectralModel,
    GaussianSpectralModel,
    LogParabola2SpectralModel,
    LogParabolaNormSpectralModel,
    LogParabolaSpectralModel,
    MeyerCrabSpectralModel,
    PiecewiseNormSpectralModel,
    PowerLaw2SpectralModel,
    PowerLawNormSpectralModel,
    PowerLawSpectralModel,
    ScaleSpectralModel,
    SmoothBrokenPowerLawSpectralModel,
    SuperExpCutoffPowerLaw3FGLSpectralModel,
    SuperExpCutoffPowerLaw4FGLDR3SpectralModel,
    SuperExpCutoffPowerLaw4FGLSpectralModel,
    TemplateNDSpectralModel,
    TemplateSpectralModel,
)

NODES = [0.01, 0.1, 2.0, 50.0]
NORMS = [1.0, 3.0, 0.2, 2.0]
FLUXES = np.array([1e-10, 3e-11, 2e-12, 2e-13])
DEPTH = np.array([[0, 0, 0, 0], [0.01, 0.3, 1.0, 9.0], [0.03, 0.8, 2.5, 25.0]])


def ebl():
    return EBLAbsorptionNormSpectralModel(NODES, [0, 0.2, 0.5], DEPTH, redshift=0.3)


def template_nd():
    values = FLUXES * np.array([[[1.0]], [[0.4]]]) * np.array([[1.0], [2.0], [7.0]])
    axes = [[0.0, 1.0], [1.0, 10.0, 50.0]]
    return TemplateNDSpectralModel(
        NODES, values, axes, ["mix", "mass"], [0.3, 20.0], axes_interp=["lin", "log"]
    )


SLOPES = {"index1": 1.6, "index2": 3.1, "amplitude": 3e-12, "ebreak": 0.7}
SAMPLES = {
    "const": ConstantSpectralModel(3e-12),
    "pl": PowerLawSpectralModel(index=2.3, amplitude=2e-11, reference=0.8),
    "pl-2": PowerLaw2SpectralModel(amplitude=2e-11, index=2.3, emin=0.2, emax=40),
    "bpl": BrokenPowerLawSpectralModel(**SLOPES),
    "sbpl": SmoothBrokenPowerLawSpectralModel(**SLOPES, beta=0.4),
    "sbpl-sharp": SmoothBrokenPowerLawSpectralModel(**SLOPES, beta=0.01),
    "ecpl": ExpCutoffPowerLawSpectralModel(index=1.7, lambda_=0.2, alpha=1.3),
    "ecpl-3fgl": ExpCutoffPowerLaw3FGLSpectralModel(index=1.7, ecut=3.0),
    "secpl-3fgl": SuperExpCutoffPowerLaw3FGLSpectralModel(index_2=0.7, ecut=2.0),
    "secpl-4fgl": SuperExpCutoffPowerLaw4FGLSpectralModel(
        reference=1e-3, amplitude=1e-6, expfactor=2e-3, index_2=0.6
    ),
    "secpl-4fgl-dr3": SuperExpCutoffPowerLaw4FGLDR3SpectralModel(
        reference=1e-3, amplitude=1e-6, expfactor=0.3, index_1=1.9, index_2=0.5
    ),
    "lp": LogParabolaSpectralModel(reference=1.3, alpha=2.4, beta=0.2),
    "lp2": LogParabola2SpectralModel(reference=1.3, alpha=2.4, beta=0.2, escale=0.6),
    "gauss": GaussianSpectralModel(mean=1.3, sigma=8.0),
    "meyer": MeyerCrabSpectralModel(),
    "template": TemplateSpectralModel(NODES, FLUXES),
    "template-lin": TemplateSpectralModel(NODES, FLUXES, interp="lin"),
    "template-nd": template_nd(),
    "pl-norm": PowerLawNormSpectralModel(tilt=0.2, norm=1.3),
    "lp-norm": LogParabolaNormSpectralModel(norm=1.3, alpha=0.3, beta=0.1),
    "ecpl-norm": ExpCutoffPowerLawNormSpectralModel(index=0.3, norm=1.3, alpha=0.9),
    "piecewise-norm": PiecewiseNormSpectralModel(NODES, NORMS),
    "piecewise-norm-lin": PiecewiseNormSpectralModel(NODES, NORMS, interp="lin"),
    "ebl-norm": ebl(),
    "scale": ScaleSpectralModel(LogParabolaSpectralModel(beta=0.1), norm=1.4),
    "compound-add": CompoundSpectralModel(
        BrokenPowerLawSpectralModel(**SLOPES), GaussianSpectralModel(), "add"
    ),
    "compound-mul": CompoundSpectralModel(PowerLawSpectralModel(), ebl(), "mul"),
}


@pytest.fixture(params=list(SAMPLES))
def model(request):
    """Every sample in turn."""
    return SAMPLES[request.param]


@pytest.fixture(params=[name for name in SAMPLES if SAMPLES[name].parameter_names])
def parametric(request):
    """Every sample that has parameters."""
    return SAMPLES[request.param]


@pytest.fixture
def samples():
    """All samples by name."""
    return SAMPLES
