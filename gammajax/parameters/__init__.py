"""Parameters: their declaration, their table, their priors, and the vector that a fit moves."""

from gammajax.parameters.field import (
    ParameterSpec,
    Slot,
    get_values,
    name_specs,
    parameter,
    parameter_values,
    slots,
    table,
    with_values,
)
from gammajax.parameters.parameter_table import Link, ParameterRow, ParameterTable
from gammajax.parameters.priors import (
    GaussianPrior,
    GeneralizedGaussianPrior,
    LogNormalPrior,
    LogUniformPrior,
    NumpyroPrior,
    Prior,
    UniformPrior,
    WeightedPrior,
)
from gammajax.parameters.space import ParameterSpace

__all__ = [
    "GaussianPrior",
    "GeneralizedGaussianPrior",
    "Link",
    "LogNormalPrior",
    "LogUniformPrior",
    "NumpyroPrior",
    "ParameterRow",
    "ParameterSpace",
    "ParameterSpec",
    "ParameterTable",
    "Prior",
    "Slot",
    "UniformPrior",
    "WeightedPrior",
    "get_values",
    "name_specs",
    "parameter",
    "parameter_values",
    "slots",
    "table",
    "with_values",
]
